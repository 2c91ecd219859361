//! Control packets as values.

/// A control packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A client asks for a session (section 3.1).
    Connect(Connect),
    /// The server's answer (3.2); there is never an earlier session to resume.
    Connack(ConnectReturnCode),
    /// A message (3.3).
    Publish(Publish),
    /// A message with QoS 1 arrived (3.4).
    Puback {
        /// Whose.
        packet_id: u16,
    },
    /// A client wants messages (3.8).
    Subscribe {
        /// To be repeated in the answer.
        packet_id: u16,
        /// At least one.
        subscriptions: Vec<Subscription>,
    },
    /// The server's answer: what each filter got, `None` for a refusal (3.9).
    Suback {
        /// Whose.
        packet_id: u16,
        /// In the order of the filters.
        granted: Vec<Option<QoS>>,
    },
    /// A client wants no more messages (3.10).
    Unsubscribe {
        /// To be repeated in the answer.
        packet_id: u16,
        /// At least one.
        filters: Vec<String>,
    },
    /// The server's answer (3.11).
    Unsuback {
        /// Whose.
        packet_id: u16,
    },
    /// A client is there (3.12).
    Pingreq,
    /// So is the server (3.13).
    Pingresp,
    /// A client goes (3.14).
    Disconnect,
}

impl Packet {
    /// The packet's name in the standard.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => "CONNECT",
            Self::Connack(_) => "CONNACK",
            Self::Publish(_) => "PUBLISH",
            Self::Puback { .. } => "PUBACK",
            Self::Subscribe { .. } => "SUBSCRIBE",
            Self::Suback { .. } => "SUBACK",
            Self::Unsubscribe { .. } => "UNSUBSCRIBE",
            Self::Unsuback { .. } => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
        }
    }
}

/// A client asks for a session.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    /// Who it says it is.
    pub(crate) client_id: String,
    /// Whether an earlier session shall be forgotten.
    pub(crate) session: CleanSession,
    /// The longest silence in seconds; 0 for any.
    pub(crate) keep_alive: u16,
    /// What to publish when the client is lost.
    pub(crate) will: Option<Will>,
    /// The user name.
    pub(crate) user_name: Option<String>,
    /// The password: a secret, so never shown.
    pub(crate) password: Option<Vec<u8>>,
}

impl core::fmt::Debug for Connect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Connect")
            .field("client_id", &self.client_id)
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}

/// Whether an earlier session shall be forgotten (3.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CleanSession {
    /// It shall.
    Yes,
    /// It shall be resumed.
    No,
}

/// A message that the server publishes when the client is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: QoS,
    pub(crate) retain: Retain,
}

/// The return code of a CONNACK (3.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectReturnCode {
    Accepted,
    UnacceptableProtocolVersion,
    IdentifierRejected,
    ServerUnavailable,
    BadUserNameOrPassword,
    NotAuthorized,
}

impl ConnectReturnCode {
    const ALL: [Self; 6] = [
        Self::Accepted,
        Self::UnacceptableProtocolVersion,
        Self::IdentifierRejected,
        Self::ServerUnavailable,
        Self::BadUserNameOrPassword,
        Self::NotAuthorized,
    ];

    /// The code on the wire.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::UnacceptableProtocolVersion => 1,
            Self::IdentifierRejected => 2,
            Self::ServerUnavailable => 3,
            Self::BadUserNameOrPassword => 4,
            Self::NotAuthorized => 5,
        }
    }

    /// The return code with this number.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.code() == code)
    }
}

/// How surely a message arrives (4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::enum_variant_names, reason = "the standard's names")]
pub(crate) enum QoS {
    AtMostOnce,
    AtLeastOnce,
    ExactlyOnce,
}

impl QoS {
    /// The level on the wire.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }

    /// The level with this number.
    pub(crate) fn from_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// Whether the server keeps a message for later subscribers (3.3.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retain {
    Yes,
    No,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    /// What it is about.
    pub(crate) topic: String,
    /// The message.
    pub(crate) payload: Vec<u8>,
    /// How surely it arrives.
    pub(crate) delivery: Delivery,
    /// Whether it is kept.
    pub(crate) retain: Retain,
}

/// How a message is delivered; only acknowledged ones have a number (3.3.1.1, 3.3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the standard's names")]
pub(crate) enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce {
        packet_id: u16,
        duplicate: Duplicate,
    },
    /// QoS 2.
    ExactlyOnce {
        packet_id: u16,
        duplicate: Duplicate,
    },
}

/// Whether a message was sent before (3.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicate {
    Yes,
    No,
}

/// A wish for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// The topic filter.
    pub(crate) filter: String,
    /// The highest wanted QoS.
    pub(crate) qos: QoS,
}
