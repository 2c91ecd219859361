use serde::{Deserialize, Serialize};

/// What the provisioning service and the hub saw and answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CloudEvent {
    /// A TLS handshake was completed on the server's side.
    TlsEstablished {
        /// Number of the TCP connection.
        connection: u32,
        /// The server name that the client asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server_name: Option<String>,
        /// `TLSv1.2` or `TLSv1.3`.
        version: String,
        /// The cipher suite's IANA name.
        suite: String,
        /// SHA-256 of the client's certificate in DER, 64 hex digits; none without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_certificate_sha256: Option<String>,
        /// SHA-1 thumbprint of the client's certificate, 40 upper-case hex digits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_certificate_sha1: Option<String>,
    },
    /// A TLS handshake or connection failed.
    TlsFailed {
        /// Number of the TCP connection.
        connection: u32,
        /// Why, including an alert that the client sent.
        reason: String,
    },
    /// One HTTP exchange.
    Http {
        /// Number of the TCP connection.
        connection: u32,
        /// The method.
        method: String,
        /// The path without the query.
        path: String,
        /// The `api-version` of the query.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api_version: Option<String>,
        /// The answer's status.
        status: u16,
        /// The answer's DPS error code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_code: Option<u32>,
        /// The answer's `Retry-After`, as sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
    },
    /// An HTTP request that got no answer.
    HttpUnanswered {
        /// Number of the TCP connection.
        connection: u32,
        /// The method.
        method: String,
        /// The path without the query.
        path: String,
        /// The `api-version` of the query.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api_version: Option<String>,
    },
    /// A registration changed state.
    Registration {
        /// The registration id as the device sent it.
        registration_id: String,
        /// `assigning`, `assigned`, `failed`, `disabled` or `refused`.
        state: String,
        /// The operation's id, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation_id: Option<String>,
        /// The device id that was assigned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_id: Option<String>,
        /// The hub that was assigned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assigned_hub: Option<String>,
        /// Sub-status of an assignment: `initialAssignment` ...
        #[serde(default, skip_serializing_if = "Option::is_none")]
        substatus: Option<String>,
        /// The DPS error code of a refusal or failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_code: Option<u32>,
    },
    /// An MQTT CONNECT and its answer.
    MqttConnect {
        /// Number of the TCP connection.
        connection: u32,
        /// The client id.
        client_id: String,
        /// The user name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_name: Option<String>,
        /// CONNACK's return code; 0 is accepted.
        return_code: u8,
        /// Why it was refused, with the hub's error code where there is one: `401003 ...`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A client asked the provisioning service for a session over MQTT.
    RegistrationConnect {
        /// Number of the TCP connection.
        connection: u32,
        /// The client id.
        client_id: String,
        /// The user name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_name: Option<String>,
        /// CONNACK's return code; 0 is accepted.
        return_code: u8,
        /// Why it was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// One exchange with the provisioning service over MQTT.
    MqttExchange {
        /// Number of the TCP connection.
        connection: u32,
        /// The client id, which is the registration id.
        client_id: String,
        /// The topic of the request, as sent.
        topic: String,
        /// The `api-version` of the user name.
        api_version: String,
        /// The answer's status.
        status: u16,
        /// The answer's DPS error code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_code: Option<u32>,
        /// The answer's `retry-after`, as sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
    },
    /// An MQTT session with the provisioning service, or a connection without a session, ended.
    RegistrationDisconnect {
        /// Number of the TCP connection.
        connection: u32,
        /// The client id.
        client_id: String,
        /// As that of a hub's session.
        reason: String,
    },
    /// A device sent telemetry to its hub.
    Telemetry {
        /// The device id.
        device_id: String,
        /// The payload as text; bytes that are not UTF-8 are replaced.
        body: String,
        /// The message's properties as sent in the topic.
        properties: String,
    },
    /// A device read or changed its twin.
    Twin {
        /// The device id.
        device_id: String,
        /// `get`, `patch_reported` or, where the back end changed it, `desired_changed`.
        operation: String,
    },
    /// A device connection to a hub ended.
    MqttDisconnect {
        /// The device id.
        device_id: String,
        /// `client`, `connection lost`, `replaced`, `fault` or a protocol error.
        reason: String,
    },
    /// What became of a message from the cloud to a device.
    CloudToDevice {
        /// The device id.
        device_id: String,
        /// The message's id.
        message_id: String,
        /// `queued`, `sent`, `completed`, `rejected`, `abandoned`, `expired` or `delivered too often`.
        outcome: String,
    },
    /// The back end called a direct method of a device, and this is how it ended.
    DirectMethod {
        /// The device id.
        device_id: String,
        /// The method's name.
        method: String,
        /// The device's status, where it answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<i32>,
        /// The hub's error code, where it did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_code: Option<u32>,
    },
    /// What a hub's registry says of a device, asked over the hub's own interface.
    Registry {
        /// The device id.
        device_id: String,
        /// `Connected` or `Disconnected`.
        connection_state: String,
        /// The thumbprint of the certificate that the hub accepts: SHA-1 (40 hex digits) or
        /// SHA-256 (64), in upper case; none where there is no such certificate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        x509_thumbprint: Option<String>,
    },
    /// A fault that the scenario asked for took effect.
    Fault {
        /// The fault's name in the scenario language.
        fault: String,
    },
}
