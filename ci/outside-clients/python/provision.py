"""Registers one device by azure-iot-device and prints what came of it as JSON.

    provision.py '{"transport": "mqtt", "host": .., "scope": .., "registration_id": .., "ca": FILE,
                   "security": {"kind": "x509", "cert": FILE, "key": FILE}}'
"""

import json
import sys

from azure.iot.device import X509, ProvisioningDeviceClient
from azure.iot.device.common.models import ProxyOptions


def client(wanted):
    with open(wanted["ca"], encoding="ascii") as file:
        authority = file.read()
    common = {
        "server_verification_cert": authority,
        "websockets": wanted["transport"] == "mqtt-ws",
    }
    if "proxy" in wanted:
        host, port = wanted["proxy"].rsplit(":", 1)
        common["proxy_options"] = ProxyOptions("HTTP", host, int(port))
    security = wanted["security"]
    place = (wanted["host"], wanted["registration_id"], wanted["scope"])
    if security["kind"] == "x509":
        x509 = X509(cert_file=security["cert"], key_file=security["key"])
        return ProvisioningDeviceClient.create_from_x509_certificate(*place, x509=x509, **common)
    return ProvisioningDeviceClient.create_from_symmetric_key(
        *place, symmetric_key=security["key"], **common
    )


def causes(error):
    """The names of an exception and of what caused it, outermost first."""
    names = []
    while error is not None:
        names.append(type(error).__name__)
        error = error.__cause__
    return "<-".join(names)


def main():
    wanted = json.loads(sys.argv[1])
    try:
        result = client(wanted).register()
    except Exception as error:  # pylint: disable=broad-except
        cause = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        print(json.dumps({"ok": False, "error": causes(error), "message": f"{error}: {cause}"}))
        return
    state = result.registration_state
    print(
        json.dumps(
            {
                "ok": result.status == "assigned",
                "status": result.status,
                "hub": state.assigned_hub if state else None,
                "device_id": state.device_id if state else None,
                "substatus": state.sub_status if state else None,
            }
        )
    )


main()
