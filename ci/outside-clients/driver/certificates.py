"""Keys and certificates for the clients, made by OpenSSL and by `hil cert`."""

import pathlib
import subprocess

# The UDS of the tutorial; a published example, no secret.
UDS = "19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae"

KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-newkey", "rsa:2048"],
}


def run(*command, text=None):
    """Runs a program that must succeed."""
    done = subprocess.run(
        command, input=text, text=True, capture_output=True, check=False, timeout=120
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} {command[1]} failed: {done.stderr.strip()}")
    return done.stdout


class Certificates:
    """Makes certificates in a folder; each is a pair of PEM files."""

    def __init__(self, folder, hil, elf):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.hil, self.elf = hil, elf

    def paths(self, name):
        """The files of the certificate `name`: certificate, key."""
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}-key.pem")

    def self_signed(self, name, common_name, kind="ec"):
        """A certificate that signs itself."""
        cert, key = self.paths(name)
        run(
            "openssl", "req", "-x509", "-nodes", "-days", "30", *KEYS[kind],
            "-subj", f"/CN={common_name}", "-out", cert, "-keyout", key,
        )  # fmt: skip
        return cert, key

    def issued(self, name, common_name, issuer, authority=False):
        """A certificate that the certificate `issuer` signs."""
        cert, key = self.paths(name)
        request = str(self.folder / f"{name}.csr")
        run(
            "openssl", "req", "-nodes", *KEYS["ec"], "-subj", f"/CN={common_name}",
            "-out", request, "-keyout", key,
        )  # fmt: skip
        extensions = self.folder / f"{name}.ext"
        basic = "critical,CA:TRUE" if authority else "CA:FALSE"
        extensions.write_text(f"basicConstraints={basic}\n")
        issuer_cert, issuer_key = self.paths(issuer)
        run(
            "openssl", "x509", "-req", "-in", request, "-days", "30", "-CAcreateserial",
            "-CA", issuer_cert, "-CAkey", issuer_key, "-extfile", str(extensions), "-out", cert,
        )  # fmt: skip
        return cert, key

    def chain(self, name, *links):
        """One file with the certificates `links`, the device's own first."""
        path = self.folder / f"{name}-chain.pem"
        path.write_text("".join(pathlib.Path(self.paths(link)[0]).read_text() for link in links))
        return str(path)

    def alias(self, name, registration_id, profile):
        """The alias certificate that a DevKit with this id would make."""
        cert, key = self.paths(name)
        pathlib.Path(key).unlink(missing_ok=True)
        run(
            self.hil, "cert", "--elf", self.elf, "--uds", "-", "--profile", profile,
            "--registration-id", registration_id, "--out", cert, "--key-out", key,
            text=UDS,
        )  # fmt: skip
        return cert, key
