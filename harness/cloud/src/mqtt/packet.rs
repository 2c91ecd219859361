//! Control packets as values.

/// A control packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A client asks for a session (3.1).
    Connect(Connect),
    /// The server's answer (3.2).
    Connack {
        session_present: SessionPresent,
        return_code: ConnectReturnCode,
    },
    /// A message (3.3).
    Publish(Publish),
    /// A message with QoS 1 arrived (3.4).
    Puback { packet_id: u16 },
    /// A client wants messages (3.8).
    Subscribe {
        packet_id: u16,
        subscriptions: Vec<Subscription>,
    },
    /// The server's answer: what each filter got, `None` for a refusal (3.9).
    Suback {
        packet_id: u16,
        granted: Vec<Option<QoS>>,
    },
    /// A client wants no more messages (3.10).
    Unsubscribe {
        packet_id: u16,
        filters: Vec<String>,
    },
    /// The server's answer (3.11).
    Unsuback { packet_id: u16 },
    /// A client is there (3.12).
    Pingreq,
    /// So is the server (3.13).
    Pingresp,
    /// A client goes (3.14).
    Disconnect,
}
