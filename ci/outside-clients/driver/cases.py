"""What is tried: each case is a row of the table, each client a column."""

import dataclasses

NODE = ("node http", "node mqtt", "node mqtt-ws")
PYTHON = ("python mqtt", "python mqtt-ws")
EVERY = NODE + PYTHON
BY_HTTP = ("node http",)
BY_MQTT = ("node mqtt", "node mqtt-ws", "python mqtt", "python mqtt-ws")


@dataclasses.dataclass(frozen=True)
class Error:
    """The client must report an error that fits this regular expression."""

    pattern: str


@dataclasses.dataclass(frozen=True)
class Broken:
    """The client itself is known to break: it reports this, for that reason."""

    pattern: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Case:
    """One behaviour of the provisioning service.

    `row` is the number in the table of behaviours; `security` and `enrolment` name how the device
    proves itself and how it is enrolled; `faults` are rules, without the device they are for.
    `host` is the first label of the service's name where a rule for TLS needs its own.
    """

    name: str
    row: int
    expected: dict
    security: str = "x509"
    enrolment: str = "x509"
    faults: tuple = ()
    host: str = "global"
    changes: dict = dataclasses.field(default_factory=dict)
    times: int = 1


def each(columns, expected):
    """The same expectation in each of `columns`."""
    return {column: expected for column in columns}


ASSIGNED = "assigned"
REGISTER = {"path": "*register*"}
POLL = {"path": "*operation*"}
HANDSHAKE = {"method": "TLS"}
STRICT_PYTHON = Broken(
    "INVALID_CERTIFICATE|CERTIFICATE|X509", "OpenSSL refuses to load the SDK's malformed certificate"
)
THROTTLED_NODE = Broken("ThrottlingError", "this transport does not retry, whatever Retry-After says")
NODE_FAILED = Error("ProvisioningRegistrationFailedError")
PYTHON_FAILED = Error("failed registration status")
NODE_DISABLED = Error("SyntaxError.*status is disabled")
PYTHON_DISABLED = Error("invalid registration status disabled")


def answers(status, **more):
    """A fault that answers so in place of the service."""
    return {"answer": {"status": status, **more}}


CASES = (
    Case("x509 P-256", 2, each(EVERY, ASSIGNED)),
    Case("x509 RSA-2048", 2, each(EVERY, ASSIGNED), security="x509 rsa"),
    Case("x509 secondary certificate", 2, each(EVERY, ASSIGNED), enrolment="x509 secondary"),
    Case("alias certificate, strict", 2, each(EVERY, ASSIGNED), security="alias strict"),
    Case(
        "alias certificate, devkit", 2,
        each(NODE, ASSIGNED) | each(PYTHON, STRICT_PYTHON), security="alias devkit",
    ),
    Case("x509 group", 2, each(EVERY, ASSIGNED), security="x509 chain", enrolment="x509 group"),
    Case("symmetric key", 10, each(EVERY, ASSIGNED), security="symmetric", enrolment="symmetric"),
    Case(
        "symmetric key group", 10, each(EVERY, ASSIGNED),
        security="symmetric derived", enrolment="symmetric group",
    ),
    Case(
        "wrong symmetric key", 10,
        each(NODE, Error("UnauthorizedError")) | each(PYTHON, Error("ServiceError.*401")),
        security="symmetric wrong", enrolment="symmetric",
    ),
    Case(
        "certificate of another device", 3,
        each(BY_HTTP, Error("UnauthorizedError"))
        | each(NODE[1:], Error("UnauthorizedError|Not authorized"))
        | each(PYTHON, Error("CredentialError|ServiceError.*401")),
        security="x509 other",
    ),
    Case(
        "common name is not the id", 4,
        each(BY_HTTP, Error("UnauthorizedError"))
        | each(NODE[1:], Error("UnauthorizedError|Not authorized"))
        | each(PYTHON, Error("CredentialError|ServiceError.*401")),
        security="x509 misnamed",
    ),
    Case(
        "not enrolled", 5,
        each(BY_HTTP, Error("(?i)not ?found")) | each(NODE[1:], Error("(?i)not ?found"))
        | each(PYTHON, Error("ServiceError.*404")),
        enrolment="none",
    ),
    Case(
        "wrong id scope", 5,
        each(NODE, Error("UnauthorizedError|Not authorized"))
        | each(PYTHON, Error("CredentialError|ServiceError.*401")),
        changes={"scope": "0ne0BADBAD0"},
    ),
    Case(
        "disabled", 6, each(NODE, NODE_DISABLED) | each(PYTHON, PYTHON_DISABLED),
        enrolment="x509 disabled",
    ),
    Case(
        "failed: no hub", 7, each(NODE, NODE_FAILED) | each(PYTHON, PYTHON_FAILED),
        faults=(REGISTER | {"fail": {"error_code": 400208}},),
    ),
    Case(
        "failed: custom allocation", 7, each(NODE, NODE_FAILED) | each(PYTHON, PYTHON_FAILED),
        enrolment="x509 custom allocation",
    ),
    Case(
        "429 at register", 8, each(BY_HTTP, THROTTLED_NODE) | each(BY_MQTT, ASSIGNED),
        faults=(REGISTER | {"times": 2} | answers(429, retry_after="1"),),
    ),
    Case(
        "429 at poll", 8, each(BY_HTTP, THROTTLED_NODE) | each(BY_MQTT, ASSIGNED),
        faults=(POLL | {"times": 2} | answers(429, retry_after="1"),),
    ),
    Case(
        "503 once", 8,
        each(BY_HTTP, Broken("ServiceUnavailableError", "this transport does not retry"))
        | each(BY_MQTT, ASSIGNED),
        faults=(REGISTER | {"times": 1} | answers(503, retry_after="1"),),
    ),
    Case(
        "409 concurrent registration", 9,
        each(BY_HTTP, Error("DeviceAlreadyExistsError")) | each(NODE[1:], Error("."))
        | each(PYTHON, Error("ServiceError.*409")),
        faults=(REGISTER | answers(409, error_code=409203),),
    ),
    Case("registered again", 11, each(EVERY, ASSIGNED), times=2),
    Case(
        "server certificate expired", 14, each(NODE, Error("(?i)expired")) | each(PYTHON, Error("(?i)expired|verify failed")),
        host="expired", faults=(HANDSHAKE | {"certificate": "expired"},),
    ),
    Case(
        "server certificate not yet valid", 14,
        each(NODE, Error("(?i)not yet valid")) | each(PYTHON, Error("(?i)not yet valid|verify failed")),
        host="future", faults=(HANDSHAKE | {"certificate": "not_yet_valid"},),
    ),
    Case(
        "server certificate for another name", 14,
        each(NODE, Error("(?i)altnames|hostname")) | each(PYTHON, Error("(?i)mismatch|verify failed")),
        host="misnamed", faults=(HANDSHAKE | {"certificate": "wrong_name"},),
    ),
    Case(
        "server certificate of another issuer", 14,
        each(NODE, Error("(?i)issuer|self.signed|verify")) | each(PYTHON, Error("(?i)verify failed")),
        host="stranger", faults=(HANDSHAKE | {"certificate": "unknown_ca"},),
    ),
    Case(
        "closed instead of an answer", 15, each(BY_HTTP, Error("(?i)hang up|reset|ECONN")),
        faults=(REGISTER | {"close": None},),
    ),
    Case(
        "reset instead of an answer", 15, each(BY_HTTP, Error("(?i)hang up|reset|ECONN")),
        faults=(REGISTER | {"reset": None},),
    ),
    Case(
        "no answer", 15, each(BY_HTTP, Error("TimeoutError")),
        faults=(REGISTER | {"stall": None},),
    ),
    Case(
        "JSON cut in half", 15, each(BY_HTTP, Error("SyntaxError")),
        faults=(POLL | {"truncate_json": None},),
    ),
    Case(
        "another content type", 15,
        each(BY_HTTP, Broken("Crash.*polling_state_machine", "it takes what is not called JSON for text")),
        faults=(POLL | {"content_type": "text/html"},),
    ),
    Case(
        "answers 2 s late", 15, each(EVERY, ASSIGNED),
        faults=({"delay": {"ms": 2000}},),
    ),
    Case("segments of 1 byte", 15, each(EVERY, ASSIGNED), faults=({"segments": {"bytes": 1, "every_ms": 1}},)),
    Case(
        "TPM nonce challenge", 16, each(BY_HTTP, ASSIGNED), security="tpm", enrolment="tpm",
    ),
)
