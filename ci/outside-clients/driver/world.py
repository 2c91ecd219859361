"""The private network, the server in it, and the devices enrolled there."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time

from certificates import Certificates, run
from service import Service, derived_key

DPS_SUFFIX = "azure-devices-provisioning.net"
HUB = "hil-hub.azure-devices.net"
SCOPE = "0ne00000000"
DPS_VERSION = "2021-10-01"
HUB_VERSION = "2021-04-12"
START = 30
STOP = 20
ENDORSEMENT_KEY = pathlib.Path(__file__).resolve().parent.parent / "node" / "endorsement-key.js"
TPM_PORT = 2323


def isolate(hosts, folder):
    """Gives this namespace a loopback interface and the names `hosts`."""
    run("ip", "link", "set", "lo", "up")
    file = pathlib.Path(folder) / "hosts"
    file.write_text("".join(f"127.0.0.1 {host}\n" for host in ("localhost", *hosts)))
    run("mount", "--bind", str(file), "/etc/hosts")


class World:
    """A running `hil serve` and what is needed to talk to it."""

    def __init__(self, hil, elf, work, faults):
        self.folder = pathlib.Path(work) / "world"
        run("rm", "-rf", str(self.folder))
        self.folder.mkdir(parents=True)
        rules = self.folder / "faults.json"
        rules.write_text(json.dumps(faults, indent=1))
        self.trace = self.folder / "trace.jsonl"
        self.certificates = Certificates(self.folder / "certificates", hil, elf)
        ca_dir = self.folder / "ca"
        self.server = subprocess.Popen(
            [
                hil, "serve", "--bind", "127.0.0.1", "--https", "443", "--mqtt", "8883",
                "--web", "0", "--ca-dir", str(ca_dir), "--state", str(self.folder / "state"),
                *(["--faults", str(rules)] if "--faults" in run(hil, "serve", "--help") else []),
                "--id-scope", SCOPE, "--json",
            ],
            stdout=self.trace.open("wb"),
            stderr=(self.folder / "serve.log").open("wb"),
        )  # fmt: skip
        started = self.wait_for_start()
        self.authority = started["ca_file"]
        self.dps_connection = started["provisioning_connection_string"]
        self.hub_connection = started.get("hub_connection_string", self.dps_connection)
        self.dps = Service(
            pathlib.Path(self.dps_connection).read_text(), self.authority, DPS_VERSION
        )
        self.hub = Service(
            pathlib.Path(self.hub_connection).read_text(), self.authority, HUB_VERSION
        )
        os.environ |= {
            "NODE_EXTRA_CA_CERTS": self.authority,
            "REQUESTS_CA_BUNDLE": self.authority,
        }
        self.tpm = self.start_tpm()
        self.lock = threading.Lock()
        self.root = self.certificates.self_signed("root", "outside clients root")
        self.certificates.issued("middle", "outside clients middle", "root", authority=True)

    def wait_for_start(self):
        """The record in which the server says where everything is."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            for line in self.trace.read_bytes().splitlines():
                record = json.loads(line)
                if "ca_file" in record:
                    return record
            if self.server.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"hil serve did not start: {(self.folder / 'serve.log').read_text()}")

    def start_tpm(self):
        """A software TPM where Azure's client looks for one."""
        state = self.folder / "tpm"
        state.mkdir()
        return subprocess.Popen(
            [
                "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}",
                "--server", f"type=tcp,port={TPM_PORT},bindaddr=127.0.0.1",
                "--ctrl", f"type=unixio,path={state}/control", "--flags", "not-need-init,startup-clear",
            ]
        )  # fmt: skip

    def stop(self):
        """Ends the server as Ctrl-C does; its exit code, none when it does not end."""
        self.tpm.kill()
        self.server.send_signal(signal.SIGINT)
        try:
            return self.server.wait(timeout=STOP)
        except subprocess.TimeoutExpired:
            self.server.kill()
            return None

    def enrol(self, kind, registration_id, proof):
        """Enrols a device as `kind` says, for the proof that `prove` made."""
        if kind == "none":
            return
        body = {
            "registrationId": registration_id,
            "deviceId": f"{registration_id}-device",
            "provisioningStatus": "disabled" if kind.endswith("disabled") else "enabled",
            "attestation": self.attestation(kind, proof),
        }
        if kind.endswith("custom allocation"):
            body["allocationPolicy"] = "custom"
            body["customAllocationDefinition"] = {
                "webhookUrl": "https://allocate.example/api", "apiVersion": "2021-10-01",
            }  # fmt: skip
        path = f"/enrollments/{registration_id}"
        if kind.endswith("group"):
            del body["registrationId"], body["deviceId"]
            body["enrollmentGroupId"] = f"{registration_id}-group"
            path = f"/enrollmentGroups/{registration_id}-group"
        self.dps.must("PUT", path, body)

    def attestation(self, kind, proof):
        """The attestation mechanism of an enrolment."""
        if kind.startswith("symmetric"):
            key = proof["enrolled"]
            return {
                "type": "symmetricKey",
                "symmetricKey": {"primaryKey": key, "secondaryKey": key},
            }
        if kind == "tpm":
            return {"type": "tpm", "tpm": {"endorsementKey": proof["enrolled"]}}
        pem = pathlib.Path(proof["enrolled"]).read_text()
        if kind == "x509 group":
            signing = {"primary": {"certificate": pem}}
            return {"type": "x509", "x509": {"signingCertificates": signing}}
        clients = {"primary": {"certificate": pem}}
        if kind == "x509 secondary":
            other = pathlib.Path(self.root[0]).read_text()
            clients = {"primary": {"certificate": other}, "secondary": {"certificate": pem}}
        return {"type": "x509", "x509": {"clientCertificates": clients}}

    def prove(self, kind, registration_id):
        """What the device proves itself with, and what has to be enrolled for it."""
        make = self.certificates
        if kind.startswith("symmetric"):
            key = derived_key("b3V0c2lkZSBjbGllbnRzIGdyb3VwIGtleQ==", registration_id)
            shown = key
            if kind == "symmetric derived":
                shown = derived_key(key, registration_id)
            if kind == "symmetric wrong":
                shown = derived_key(key, "another")
            return {"kind": "symmetric", "key": shown, "enrolled": key}
        if kind == "tpm":
            return {"kind": "tpm", "enrolled": run("node", str(ENDORSEMENT_KEY)).strip()}
        if kind.startswith("alias"):
            with self.lock:
                cert, key = make.alias(registration_id, registration_id, kind.split()[1])
        elif kind == "x509 chain":
            with self.lock:
                cert, key = make.issued(registration_id, registration_id, "middle")
            chain = make.chain(registration_id, registration_id, "middle")
            return {"kind": "x509", "cert": chain, "key": key, "enrolled": self.root[0]}
        else:
            name = "somebody-else" if kind == "x509 misnamed" else registration_id
            cert, key = make.self_signed(
                registration_id, name, "rsa" if kind == "x509 rsa" else "ec"
            )
        enrolled = cert
        if kind == "x509 other":
            enrolled = make.self_signed(f"{registration_id}-other", registration_id)[0]
        return {"kind": "x509", "cert": cert, "key": key, "enrolled": enrolled}
