"""Manages devices by azure-iot-hub's registry; prints what worked as JSON.

    registry.py '{"registry": FILE, "prefix": "python-", "known": DEVICE_ID}'
"""

import base64
import json
import sys
import traceback

from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import QuerySpecification, Twin


def failure_of(action, *arguments):
    try:
        action(*arguments)
    except Exception as error:  # pylint: disable=broad-except
        return f"{type(error).__name__}: {error.response.status_code}"
    return "none"


def conversation(wanted, done):
    with open(wanted["registry"], encoding="ascii") as file:
        registry = IoTHubRegistryManager.from_connection_string(file.read().strip())
    known = registry.get_device(wanted["known"])
    done["thumbprint"] = len(known.authentication.x509_thumbprint.primary_thumbprint) >= 40
    listed = registry.get_devices(1000)
    done["list"] = wanted["known"] in [device.device_id for device in listed]
    device_id = f"{wanted['prefix']}made"
    key = base64.b64encode(bytes(range(32))).decode()
    made = registry.create_device_with_sas(device_id, key, key, "enabled")
    done["create"] = made.authentication.symmetric_key.primary_key == key
    done["create_over_existing"] = failure_of(
        registry.create_device_with_sas, device_id, key, key, "enabled"
    )
    changed = registry.update_device_with_sas(device_id, made.etag, key, key, "disabled")
    done["update"] = changed.status == "disabled"
    twin = registry.update_twin(device_id, Twin(tags={"room": "lab"}), "*")
    done["tags"] = twin.tags == {"room": "lab"}
    one = f"SELECT * FROM devices WHERE deviceId = '{device_id}'"
    queries = [one, f"{one} AND tags.room = 'lab' AND NOT status = 'enabled'"]
    specified = [QuerySpecification(query=query) for query in queries]
    found = [registry.query_iot_hub(query, None, 10).items for query in specified]
    done["query"] = [[twin.device_id for twin in twins] for twins in found] == [[device_id]] * 2
    done["query"] &= "$lastUpdated" in found[0][0].properties.desired["$metadata"]
    registry.delete_device(device_id)
    done["delete"] = failure_of(registry.get_device, device_id)


def main():
    done = {}
    result = {"ok": True, "done": done}
    try:
        conversation(json.loads(sys.argv[1]), done)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        result |= {"ok": False, "error": type(error).__name__, "message": str(error)}
    print(json.dumps(result))


main()
