"""What OpenSSL's own client sees of the server's TLS."""

import re
import subprocess

SUITES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": True,
    "ECDHE-ECDSA-AES256-GCM-SHA384": True,
    "ECDHE-RSA-AES128-GCM-SHA256": True,
    "ECDHE-RSA-AES256-GCM-SHA384": True,
    # What the real service has besides; a stated deviation of ours.
    "ECDHE-RSA-AES128-SHA256": False,
    "ECDHE-RSA-AES256-SHA384": False,
    # What nobody should have.
    "AES128-GCM-SHA256": False,
    "DHE-RSA-AES128-GCM-SHA256": False,
}


def s_client(world, host, port, *options):
    """What `openssl s_client` prints, and whether the handshake came to its end."""
    done = subprocess.run(
        [
            "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host,
            "-verify_return_error", "-verify_hostname", host, "-CAfile", world.authority, *options,
        ],
        input="", text=True, capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    text = done.stdout + done.stderr
    return text, done.returncode == 0 and "Verify return code: 0" in text


def tls_checks(world, hosts):
    """Name, whether it is right, and what was seen, for each check."""
    dps, hub = "global.azure-devices-provisioning.net", hosts[-1]
    found = []

    def check(name, options, accepted, host=dps, port=443, shows=None):
        text, done = s_client(world, host, port, *options)
        seen = re.search(r"Cipher is \S+", text)
        right = done == accepted and (shows is None or re.search(shows, text) is not None)
        words = seen.group() if seen and done else "refused" if not done else "accepted"
        found.append((f"{name} at {host}:{port}", right, words))

    for suite, accepted in SUITES.items():
        check(f"TLS 1.2, {suite}", ["-tls1_2", "-cipher", suite], accepted)
        if "RSA" in suite:
            check(f"TLS 1.2, {suite}", ["-tls1_2", "-cipher", suite], accepted, hub, 8883)
    check("TLS 1.3 only", ["-tls1_3"], False)
    old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
    check("TLS 1.1 only", old, False)
    check("no client certificate", ["-tls1_2"], True)
    check("a client certificate is asked for", ["-tls1_2"], True, shows="Acceptable|Client Cert")
    check(
        "an EC certificate for EC signatures", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
        True, shows=r"ECDSA|id-ecPublicKey",
    )  # fmt: skip
    check(
        "an RSA certificate for RSA signatures", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
        True, shows=r"RSA",
    )  # fmt: skip
    check("a name that is not ours", ["-tls1_2"], False, host="example.com")
    return found
