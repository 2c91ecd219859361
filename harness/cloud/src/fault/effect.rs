//! What a fault does.

use serde::{Deserialize, Serialize};

use super::FaultError;
use super::exchange::{HANDSHAKE, Stage};
use crate::pki::CertificateFault;

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The service answers so instead of doing what it was asked.
    Answer(Answer),
    /// A registration stays `assigning`: for ever where it strikes the request to register, for
    /// one answer where it strikes a poll.
    Assigning,
    /// A registration ends as `failed` with this error code.
    Fail {
        /// The service's error code: 400208, 401002 ...
        error_code: u32,
    },
    /// Nothing is answered; the connection stays open.
    Stall,
    /// The connection is closed instead of an answer.
    Close,
    /// The connection is reset instead of an answer.
    Reset,
    /// The exchange is done, then the connection is closed.
    CloseAfter,
    /// The body ends after this many bytes, then the connection is closed.
    Truncate {
        /// Bytes of the body that are sent.
        keep: usize,
    },
    /// The body's JSON is cut in half; what says its length fits what is sent.
    TruncateJson,
    /// The body is this much too long: JSON that is right but for one more, useless member.
    Oversize {
        /// Bytes that are added.
        bytes: usize,
    },
    /// The answer carries this `Retry-After`, sent as it is, in place of its own.
    RetryAfter(String),
    /// The answer says that it is of this media type.
    ContentType(String),
    /// The answer of DPS over MQTT comes under this topic.
    AnswerTopic(String),
    /// Everything that the server sends for the exchange leaves this much later.
    Delay {
        /// In milliseconds of the cloud's time, virtual or not.
        ms: u64,
    },
    /// The answer comes in TLS records that hold this much plain text.
    Records {
        /// Bytes of plain text in each.
        bytes: usize,
    },
    /// Everything that the server sends for the exchange is given to TCP in pieces.
    Segments {
        /// Bytes in each.
        bytes: usize,
        /// Milliseconds from one to the next.
        every_ms: u64,
    },
    /// The server shows a certificate with this fault.
    Certificate(CertificateFault),
    /// The server ends the handshake with this fatal alert (RFC 5246 section 7.2).
    Alert(u8),
    /// The server knows none of the client's cipher suites.
    NoCommonSuite,
    /// The hub refuses a CONNECT with this return code (MQTT 3.1.1 section 3.2.2.3).
    Connack(u8),
}

/// An HTTP answer that a fault gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The service's error code; a thousand times the status without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// `Retry-After`, sent as it is: `0`, `soon` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
}

const HTTP: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];
const MQTT: [&str; 5] = ["CONNECT", "SUBSCRIBE", "UNSUBSCRIBE", "PUBLISH", "PINGREQ"];

/// The exchanges in which an effect is possible, by their methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Http,
    /// What DPS answers, whatever carries it.
    Dps,
    /// What begins or follows an operation of DPS.
    Register,
    Operation,
    Requests,
    Anywhere,
    Handshake,
    Connect,
    Publish,
}

impl Place {
    fn has(self, method: &str) -> bool {
        let http = HTTP.contains(&method);
        let mqtt = MQTT.contains(&method);
        match self {
            Self::Http => http,
            Self::Dps => http || method == "PUBLISH",
            Self::Register => ["PUT", "PUBLISH"].contains(&method),
            Self::Operation => ["PUT", "GET", "PUBLISH"].contains(&method),
            Self::Requests => http || mqtt,
            Self::Anywhere => http || mqtt || method == HANDSHAKE,
            Self::Handshake => method == HANDSHAKE,
            Self::Connect => method == "CONNECT",
            Self::Publish => method == "PUBLISH",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Http => "an HTTP method",
            Self::Dps => "an HTTP method or PUBLISH",
            Self::Register => "PUT or PUBLISH",
            Self::Operation => "PUT, GET or PUBLISH",
            Self::Requests => "an HTTP method or an MQTT packet's name",
            Self::Anywhere => "an HTTP method, an MQTT packet's name or TLS",
            Self::Handshake => "TLS",
            Self::Connect => "CONNECT",
            Self::Publish => "PUBLISH",
        }
    }
}

impl Effect {
    /// The name in the scenario language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answer(_) => "answer",
            Self::Assigning => "assigning",
            Self::Fail { .. } => "fail",
            Self::Stall => "stall",
            Self::Close => "close",
            Self::Reset => "reset",
            Self::CloseAfter => "close_after",
            Self::Truncate { .. } => "truncate",
            Self::TruncateJson => "truncate_json",
            Self::Oversize { .. } => "oversize",
            Self::RetryAfter(_) => "retry_after",
            Self::ContentType(_) => "content_type",
            Self::AnswerTopic(_) => "answer_topic",
            Self::Delay { .. } => "delay",
            Self::Records { .. } => "records",
            Self::Segments { .. } => "segments",
            Self::Certificate(_) => "certificate",
            Self::Alert(_) => "alert",
            Self::NoCommonSuite => "no_common_suite",
            Self::Connack(_) => "connack",
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Answer(_)
            | Self::Truncate { .. }
            | Self::TruncateJson
            | Self::Oversize { .. }
            | Self::RetryAfter(_) => Place::Dps,
            Self::ContentType(_) => Place::Http,
            Self::AnswerTopic(_) => Place::Publish,
            Self::Fail { .. } => Place::Register,
            Self::Assigning => Place::Operation,
            Self::Stall
            | Self::Close
            | Self::Reset
            | Self::Delay { .. }
            | Self::Segments { .. } => Place::Anywhere,
            Self::CloseAfter | Self::Records { .. } => Place::Requests,
            Self::Certificate(_) | Self::Alert(_) | Self::NoCommonSuite => Place::Handshake,
            Self::Connack(_) => Place::Connect,
        }
    }

    /// Whether it can take effect in an exchange of this method.
    pub fn is_possible(&self, method: &str) -> bool {
        self.place().has(method)
    }

    /// The methods of [`is_possible`](Self::is_possible), for a message.
    pub(super) fn methods_in_words(&self) -> &'static str {
        self.place().in_words()
    }

    /// Whether it can only strike in a handshake.
    pub(super) fn is_of_handshake(&self) -> bool {
        self.place() == Place::Handshake
    }

    /// Whether it is an answer of DPS that is changed, so that other MQTT messages are left alone.
    pub(super) fn is_for_dps(&self) -> bool {
        matches!(
            self.place(),
            Place::Dps | Place::Register | Place::Operation | Place::Publish
        )
    }

    /// Whether it can take effect in an exchange of this stage; `named` says whether the rule
    /// names the exchange's method.
    pub(super) fn applies(&self, stage: Stage, method: &str, named: Named) -> bool {
        let possible = self.is_possible(method);
        match (stage, named) {
            // What is possible anywhere means requests, unless the rule says `TLS`.
            (Stage::Handshake, Named::No) => possible && self.place() != Place::Anywhere,
            _ => possible,
        }
    }

    pub(super) fn check(&self) -> Result<(), FaultError> {
        let header = |member, value: &str| match value.contains(|c: char| c.is_control()) {
            true => Err(FaultError::HeaderValue {
                member,
                value: value.to_owned(),
            }),
            false => Ok(()),
        };
        match self {
            Self::Answer(answer) if !(200..600).contains(&answer.status) => {
                Err(FaultError::Status {
                    status: answer.status,
                })
            }
            Self::Answer(Answer {
                retry_after: Some(value),
                ..
            }) => header("retry_after", value),
            Self::RetryAfter(value) => header("retry_after", value),
            Self::ContentType(value) => header("content_type", value),
            Self::AnswerTopic(value) => header("answer_topic", value),
            Self::Connack(code) if !(1..=5).contains(code) => {
                Err(FaultError::ReturnCode { code: *code })
            }
            Self::Delay { ms: 0 } => Err(FaultError::Nothing { member: "ms" }),
            Self::Records { bytes: 0 } | Self::Segments { bytes: 0, .. } => {
                Err(FaultError::Nothing { member: "bytes" })
            }
            // Pieces that are due together would leave together.
            Self::Segments { every_ms: 0, .. } => Err(FaultError::Nothing { member: "every_ms" }),
            _ => Ok(()),
        }
    }
}

/// Whether a rule names the method of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Yes,
    No,
}
