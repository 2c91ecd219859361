use serde::{Deserialize, Serialize};

/// What the device's gateway saw below TLS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NetworkEvent {
    /// The firmware opened its link channel.
    LinkUp,
    /// A frame on the link was not SLIP or not IPv4.
    BadFrame {
        /// What was wrong with it.
        reason: String,
    },
    /// A packet was lost, delayed or damaged because the scenario asked for it.
    Fault {
        /// The fault's name in the scenario language.
        fault: String,
    },
    /// The device asked for a name.
    Dns {
        /// The name.
        name: String,
        /// The address it got; none for a refusal or silence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// The device asked for the time.
    Sntp {
        /// The time it got, in seconds since 1970; none for silence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unix_seconds: Option<i64>,
    },
    /// The device opened a TCP connection.
    TcpOpen {
        /// Number of the connection in this scenario, from 1.
        connection: u32,
        /// The name that the address was given out for, else the address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A TCP connection ended.
    TcpClosed {
        /// Number of the connection.
        connection: u32,
        /// `device`, `service`, `reset by device`, `reset by service`, or `lost` where the device
        /// fell silent or a fault cut it.
        by: String,
    },
}
