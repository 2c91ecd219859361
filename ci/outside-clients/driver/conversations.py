"""Longer talks: the hub from both of its sides, and the management of devices and enrolments."""

import dataclasses
import json
import threading

from cases import BY_HTTP, EVERY, Broken
from clients import PATIENCE, ask, finish, start
from world import HUB

# What a client program must have done; a name alone stands for True.
TELEMETRY = {"connect": True, "telemetry": True}
TALK = TELEMETRY | {
    "twin_get": True,
    "twin_reported": True,
    "twin_desired": True,
    "method": True,
    "cloud_to_device": True,
}
NODE_SERVICE = {
    "certificate_is_replaced_by_info": True,
    "three_certificate_encodings": True,
    "get": True,
    "create_over_existing": "DeviceAlreadyExistsError",
    "update_with_etag": True,
    "stale_etag": "InvalidEtagError",
    "query_pages": True,
    "bulk_create": True,
    "bulk_create_over_existing_fails": True,
    "bulk_delete": True,
    "attestation_mechanism": True,
    "group_create": True,
    "group_query": True,
    "group_delete": "ot found",
    "registration_state": True,
    "delete": "ot found",
}
PYTHON_SERVICE = {
    "certificate_is_replaced_by_info": True,
    "get": True,
    "create_over_existing": "409",
    "update_with_etag": True,
    "stale_etag": "412",
    "query_pages": True,
    "bulk_create": True,
    "bulk_delete": True,
    "attestation_mechanism": True,
    "group_create": True,
    "group_query": True,
    "group_delete": "404",
    "registration_state": True,
    "delete": "404",
}
NODE_REGISTRY = {
    "thumbprint": True,
    "list": True,
    "create": True,
    "create_over_existing": "DeviceAlreadyExistsError",
    "update": True,
    "tags": True,
    "query": True,
    "delete": "DeviceNotFoundError",
}
PYTHON_REGISTRY = NODE_REGISTRY | {"create_over_existing": "409", "delete": "404"}


@dataclasses.dataclass(frozen=True)
class Talk:
    """A client program and what it must have done, by column."""

    name: str
    row: int
    program: str
    expected: dict
    security: str = "x509"


TALKS = (
    Talk(
        "hub: telemetry, twin, method, message", 13, "hub",
        {client: TELEMETRY if client in BY_HTTP else TALK for client in EVERY},
    ),
    Talk(
        "hub: with a symmetric key", 13, "hub",
        {client: TELEMETRY if client in BY_HTTP else TALK for client in EVERY},
        security="symmetric",
    ),
    Talk(
        "hub: alias certificate, devkit", 13, "hub",
        {client: TELEMETRY if client in BY_HTTP else TALK for client in EVERY if "node" in client}
        | {
            client: Broken(
                "CERTIFICATE|X509|SSL", "OpenSSL refuses to load the SDK's malformed certificate"
            )
            for client in EVERY
            if "python" in client
        },
        security="alias devkit",
    ),
    Talk(
        "service API: enrolments", 12, "dps-service",
        {"node http": NODE_SERVICE, "python mqtt": PYTHON_SERVICE},
    ),
    Talk(
        "registry: devices", 13, "registry",
        {"node http": NODE_REGISTRY, "python mqtt": PYTHON_REGISTRY},
    ),
)  # fmt: skip


def enrolment_of(security):
    """How a device with this proof is enrolled."""
    return "symmetric" if security == "symmetric" else "x509"


def register(world, client, work, security, registration_id):
    """Enrols and registers a device; its proof."""
    proof = world.prove(security, registration_id)
    world.enrol(enrolment_of(security), registration_id, proof)
    # Who registers is of no matter here: Node takes every certificate.
    wanted = {
        "transport": "http", "host": "global.azure-devices-provisioning.net",
        "scope": "0ne00000000", "registration_id": registration_id, "security": proof,
    }  # fmt: skip
    result = ask("node http", "provision", wanted, work)
    if not result["ok"]:
        raise RuntimeError(f"the device for {client} could not register: {result}")
    return proof


def hold(world, talk, client, work, registration_id):
    """Has the talk; what the client program printed."""
    proof = register(world, client, work, talk.security, registration_id)
    wanted = {
        "transport": client.split()[1],
        "hub": HUB,
        "device_id": f"{registration_id}-device",
        "ca": world.authority,
        "registry": world.hub_connection,
        "service": world.dps_connection,
        "security": proof,
        "known": f"{registration_id}-device",
        "registered": registration_id,
        "prefix": f"{registration_id}-",
        "cert": world.root[0],
    }
    if talk.program != "hub" or client in BY_HTTP:
        wanted["ca"] = world.root[0] if talk.program == "dps-service" else world.authority
        return ask(client, talk.program, wanted, work)
    wanted["wait_for_message"] = "blink twice, ü"
    process = start(client, talk.program, wanted, work)
    # Reading its words has no deadline of its own.
    deadline = threading.Timer(PATIENCE, process.kill)
    deadline.start()
    for line in process.stderr:
        if line.strip() == "ready":
            send_message(world, wanted["device_id"], wanted["wait_for_message"])
            break
    deadline.cancel()
    return finish(process)


def send_message(world, device_id, text):
    """A cloud-to-device message over HTTPS; the SDKs' service clients need AMQP for it."""
    status, _, answer = world.hub.call(
        "POST", f"/devices/{device_id}/messages/deviceBound", text.encode(), **{"iothub-ack": "none"}
    )
    if status >= 300:
        raise RuntimeError(f"the message was answered {status}: {json.dumps(answer)}")
