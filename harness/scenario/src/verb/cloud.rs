//! Steps that make the local services misbehave.

use schemars::JsonSchema;
use serde::Deserialize;

use super::FaultRule;
use crate::{ServerChain, Text, Times};

/// What the provisioning service or the hub does wrong from now on.
///
/// Faults add up until `clear`; each strikes `times` times.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum CloudFault {
    /// Ends all faults.
    Clear,
    /// Answers 429 with an optional `Retry-After`.
    Throttle {
        /// The requests it strikes.
        #[serde(default)]
        on: Operation,
        /// How often.
        #[serde(default)]
        times: Times,
        /// The header's value as it is sent, even if it is no number; no header where none is given.
        #[serde(default)]
        retry_after: Option<HeaderValue>,
    },
    /// Answers with this HTTP status and DPS error code.
    Refuse {
        /// The requests it strikes.
        #[serde(default)]
        on: Operation,
        /// How often.
        #[serde(default)]
        times: Times,
        /// The HTTP status: 400 to 599.
        #[schemars(range(min = 400, max = 599))]
        status: u16,
        /// The body's `errorCode`; the one that fits the status where none is given.
        #[serde(default)]
        error_code: Option<u32>,
        /// The header's value as it is sent; no header where none is given.
        #[serde(default)]
        retry_after: Option<HeaderValue>,
    },
    /// Answers polls with `assigning` this often.
    Assigning {
        /// How often; `always` is for ever.
        #[serde(default)]
        times: Times,
    },
    /// Ends the registration with status `failed`.
    Failed {
        /// The result's `errorCode`.
        error_code: u32,
    },
    /// Sends this `Retry-After` in place of its own in an answer 202.
    RetryAfter {
        /// The header's value as it is sent, even if it is no number.
        value: HeaderValue,
        /// How often.
        #[serde(default)]
        times: Times,
    },
    /// Takes requests and never answers.
    Stall {
        /// The requests it strikes.
        #[serde(default)]
        on: Operation,
    },
    /// Takes a request and closes the connection.
    Close {
        /// The requests it strikes.
        #[serde(default)]
        on: Operation,
        /// How often.
        #[serde(default)]
        times: Times,
    },
    /// Answers with a body of this size.
    Oversized {
        /// The requests it strikes.
        #[serde(default)]
        on: Operation,
        /// The body's size in bytes.
        bytes: u32,
        /// How often.
        #[serde(default)]
        times: Times,
    },
    /// Cuts the answer's JSON in the middle; its `Content-Length` fits what is sent.
    TruncatedJson {
        /// The requests it strikes.
        #[serde(default)]
        on: Operation,
        /// How often.
        #[serde(default)]
        times: Times,
    },
    /// Ends the TLS handshake by a fatal alert.
    TlsAlert {
        /// The server it strikes.
        #[serde(default)]
        at: Server,
        /// How often.
        #[serde(default = "Times::always")]
        times: Times,
    },
    /// Offers no cipher suite that the device has.
    NoCommonSuite {
        /// The server it strikes.
        #[serde(default)]
        at: Server,
    },
    /// Takes the TCP connection and never speaks TLS.
    TlsStall {
        /// The server it strikes.
        #[serde(default)]
        at: Server,
    },
    /// Presents another certificate chain.
    ServerChain {
        /// The server it strikes.
        #[serde(default)]
        at: Server,
        /// The chain.
        chain: ServerChain,
    },
    /// Does something else wrong, or strikes other exchanges than the words above and below.
    Rule(FaultRule),
    /// The hub answers CONNECT with this return code.
    HubRefuse {
        /// CONNACK's return code: 1 to 5.
        #[schemars(range(min = 1, max = 5))]
        return_code: u8,
        /// How often.
        #[serde(default = "Times::always")]
        times: Times,
    },
    /// The hub cuts the connection.
    HubDrop {
        /// When.
        #[serde(default)]
        after: HubMoment,
        /// How often.
        #[serde(default)]
        times: Times,
    },
    /// The hub takes CONNECT or telemetry and never answers.
    HubStall {
        /// From which moment on.
        #[serde(default)]
        after: HubMoment,
    },
}

/// A request of the device API, over HTTPS or MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `PUT .../register`; over MQTT the topic `.../PUT/iotdps-register/`.
    #[default]
    Register,
    /// `GET .../operations/{operationId}`; over MQTT `.../GET/iotdps-get-operationstatus/`.
    Poll,
    /// Both.
    Any,
}

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Server {
    /// The provisioning service.
    #[default]
    Dps,
    /// The hub.
    Hub,
}

/// A moment in a hub connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HubMoment {
    /// The CONNECT packet was read; nothing was answered.
    Connect,
    /// CONNACK was sent.
    #[default]
    Connack,
    /// The first telemetry message was read; no PUBACK was sent.
    Telemetry,
}

/// The value of an HTTP header; numbers may be written without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "crate::Scalar")]
#[schemars(with = "crate::Scalar", inline)]
pub struct HeaderValue(pub Text);

impl TryFrom<crate::Scalar> for HeaderValue {
    type Error = &'static str;

    fn try_from(scalar: crate::Scalar) -> Result<Self, Self::Error> {
        let text = scalar.into_text();
        match text
            .expose()
            .bytes()
            .all(|byte| matches!(byte, 0x20..=0x7E))
        {
            true => Ok(Self(text)),
            false => Err("a header's value is printable ASCII"),
        }
    }
}
