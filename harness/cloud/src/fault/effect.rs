//! What a fault does.

use serde::{Deserialize, Serialize};

use super::{FaultError, Stage};
use crate::pki::CertificateFault;

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// The name that stands for a handshake in a rule's method.
pub(super) const HANDSHAKE: &str = "TLS";

const HTTP: &[&str] = &["GET", "PUT", "POST", "DELETE", "PATCH"];
const REQUESTS: &[&str] = &[
    "GET",
    "PUT",
    "POST",
    "DELETE",
    "PATCH",
    "CONNECT",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PUBLISH",
    "PINGREQ",
];
const ANYTHING: &[&str] = &[
    HANDSHAKE,
    "GET",
    "PUT",
    "POST",
    "DELETE",
    "PATCH",
    "CONNECT",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PUBLISH",
    "PINGREQ",
];

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
            Self::Certificate(_) => "certificate",
            Self::Alert(_) => "alert",
            Self::NoCommonSuite => "no_common_suite",
            Self::Connack(_) => "connack",
        }
    }

    /// The methods of the exchanges in which it can take effect.
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Answer(_)
            | Self::Truncate { .. }
            | Self::TruncateJson
            | Self::Oversize { .. }
            | Self::RetryAfter(_)
            | Self::ContentType(_) => HTTP,
            Self::Fail { .. } => &["PUT"],
            Self::Assigning => &["PUT", "GET"],
            Self::Stall | Self::Close | Self::Reset => ANYTHING,
            Self::CloseAfter => REQUESTS,
            Self::Certificate(_) | Self::Alert(_) | Self::NoCommonSuite => &[HANDSHAKE],
            Self::Connack(_) => &["CONNECT"],
        }
    }

    /// The same for a message.
    pub(super) fn methods_in_words(&self) -> &'static str {
        match self {
            Self::Answer(_)
            | Self::Truncate { .. }
            | Self::TruncateJson
            | Self::Oversize { .. }
            | Self::RetryAfter(_)
            | Self::ContentType(_) => "an HTTP method",
            Self::Fail { .. } => "PUT",
            Self::Assigning => "PUT or GET",
            Self::Stall | Self::Close | Self::Reset => {
                "an HTTP method, an MQTT packet's name or TLS"
            }
            Self::CloseAfter => "an HTTP method or an MQTT packet's name",
            Self::Certificate(_) | Self::Alert(_) | Self::NoCommonSuite => "TLS",
            Self::Connack(_) => "CONNECT",
        }
    }

    /// Whether it can take effect in an exchange of this stage; `named` says whether the rule
    /// names the exchange's method.
    pub(super) fn applies(&self, stage: Stage, method: &str, named: Named) -> bool {
        let possible = self.methods().contains(&method);
        match (stage, named) {
            // A stall or a closed connection means requests, unless the rule says `TLS`.
            (Stage::Handshake, Named::No) => {
                possible && !matches!(self, Self::Stall | Self::Close | Self::Reset)
            }
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
            Self::Connack(code) if !(1..=5).contains(code) => {
                Err(FaultError::ReturnCode { code: *code })
            }
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
