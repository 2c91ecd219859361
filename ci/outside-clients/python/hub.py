"""One device by azure-iot-device and its service side by azure-iot-hub, as node/hub.js does it.

    hub.py '{"transport": "mqtt", "hub": .., "device_id": .., "registry": FILE, "ca": FILE,
             "security": {"kind": "x509", "cert": FILE, "key": FILE}}'
"""

import json
import queue
import sys
import traceback

from azure.iot.device import X509, IoTHubDeviceClient, Message, MethodResponse
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties

PATIENCE = 20


def device_client(wanted):
    with open(wanted["ca"], encoding="ascii") as file:
        authority = file.read()
    common = {
        "server_verification_cert": authority,
        "websockets": wanted["transport"] == "mqtt-ws",
    }
    security = wanted["security"]
    if security["kind"] == "symmetric":
        return IoTHubDeviceClient.create_from_symmetric_key(
            security["key"], wanted["hub"], wanted["device_id"], **common
        )
    x509 = X509(cert_file=security["cert"], key_file=security["key"])
    return IoTHubDeviceClient.create_from_x509_certificate(
        x509, wanted["hub"], wanted["device_id"], **common
    )


def conversation(wanted, done):
    with open(wanted["registry"], encoding="ascii") as file:
        registry = IoTHubRegistryManager.from_connection_string(file.read().strip())
    device_id = wanted["device_id"]
    client = device_client(wanted)
    client.connect()
    done["connect"] = True
    message = Message(json.dumps({"temperature": 21.5}), "id-1", "utf-8", "application/json")
    message.custom_properties["room"] = "über & co"
    client.send_message(message)
    done["telemetry"] = True
    twin = client.get_twin()
    done["twin_get"] = twin["desired"]["$version"] >= 1
    client.patch_twin_reported_properties({"firmware": "1.0.0", "gone": None})
    seen = registry.get_twin(device_id)
    done["twin_reported"] = seen.properties.reported["firmware"] == "1.0.0"
    patches = queue.Queue()
    client.on_twin_desired_properties_patch_received = patches.put
    registry.update_twin(
        device_id, Twin(properties=TwinProperties(desired={"interval": 7})), "*"
    )
    done["twin_desired"] = patches.get(timeout=PATIENCE)["interval"] == 7

    def answer(request):
        response = MethodResponse.create_from_method_request(
            request, 207, {"times": request.payload["times"]}
        )
        client.send_method_response(response)

    client.on_method_request_received = answer
    result = registry.invoke_device_method(
        device_id,
        CloudToDeviceMethod(
            method_name="blink", payload={"times": 3}, response_timeout_in_seconds=10
        ),
    )
    done["method"] = result.status == 207 and result.payload == {"times": 3}
    if "wait_for_message" in wanted:
        messages = queue.Queue()
        client.on_message_received = messages.put
        print("ready", file=sys.stderr, flush=True)
        received = messages.get(timeout=PATIENCE)
        done["cloud_to_device"] = received.data.decode() == wanted["wait_for_message"]
    client.shutdown()


def main():
    done = {}
    result = {"ok": True, "done": done}
    try:
        conversation(json.loads(sys.argv[1]), done)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        cause = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        result |= {"ok": False, "error": type(error).__name__, "message": f"{error}: {cause}"}
    print(json.dumps(result))


main()
