//! A fault of the services by rule: which exchanges, and what happens in them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{HeaderValue, Operation};
use crate::{Interval, RegistrationId, ServerChain, Text, Times};

/// Which exchanges, and what happens in them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawFaultRule")]
#[schemars(with = "RawFaultRule")]
pub struct FaultRule {
    /// The exchanges.
    pub exchanges: Exchanges,
    /// The host name; `*` stands for any run of characters.
    pub host: Option<Text>,
    /// The registration id or device id that the device sends.
    pub device: Option<RegistrationId>,
    /// The first of the matching exchanges in which it happens, from 1.
    pub nth: u32,
    /// How many there are from then on.
    pub times: Times,
    /// What happens.
    pub effect: FaultEffect,
}

/// Exchanges by what they mean, or by their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchanges {
    /// Requests to the provisioning service, over whatever carries them.
    Operation(Operation),
    /// HTTP requests, MQTT packets or TLS handshakes.
    Words {
        /// `PUT`, `CONNECT`, `TLS` ...
        method: Option<Text>,
        /// A path, a topic or a client id.
        path: Option<Text>,
    },
}

/// Which exchanges, and what happens in them.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawFaultRule {
    /// Requests to the provisioning service, whether HTTPS or MQTT carries them.
    #[serde(default)]
    on: Option<Operation>,
    /// The host name; `*` stands for any run of characters, here and in `path`.
    #[serde(default)]
    host: Option<Text>,
    /// The registration id or device id that the device sends: in an HTTP path, as MQTT's client id.
    #[serde(default)]
    device: Option<RegistrationId>,
    /// An HTTP method, `CONNECT`, `SUBSCRIBE`, `UNSUBSCRIBE`, `PUBLISH`, `PINGREQ`, or `TLS` for the handshake.
    #[serde(default)]
    method: Option<Text>,
    /// An HTTP path, a PUBLISH's topic, a SUBSCRIBE's first filter, a CONNECT's client id.
    #[serde(default)]
    path: Option<Text>,
    /// The first of the matching exchanges in which it happens.
    #[serde(default = "first")]
    #[schemars(range(min = 1))]
    nth: u32,
    /// How many there are from then on.
    #[serde(default)]
    times: Times,
    /// What happens.
    effect: FaultEffect,
}

const fn first() -> u32 {
    1
}

impl TryFrom<RawFaultRule> for FaultRule {
    type Error = &'static str;

    fn try_from(raw: RawFaultRule) -> Result<Self, Self::Error> {
        let exchanges = match (raw.on, raw.method, raw.path) {
            (Some(on), None, None) => Exchanges::Operation(on),
            (Some(_), _, _) => return Err("`on` cannot stand beside `method` or `path`"),
            (None, method, path) => Exchanges::Words { method, path },
        };
        if raw.nth == 0 {
            return Err("`nth` counts from 1");
        }
        Ok(Self {
            exchanges,
            host: raw.host,
            device: raw.device,
            nth: raw.nth,
            times: raw.times,
            effect: raw.effect,
        })
    }
}

/// What a fault by rule does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum FaultEffect {
    /// The service answers so instead.
    Answer {
        /// The status: 200 to 599.
        #[schemars(range(min = 200, max = 599))]
        status: u16,
        /// The body's `errorCode`; a thousand times the status where none is given.
        #[serde(default)]
        error_code: Option<u32>,
        /// The pause that is asked for, as it is sent.
        #[serde(default)]
        retry_after: Option<HeaderValue>,
    },
    /// A registration stays `assigning`: for ever at `register`, for one answer at `poll`.
    Assigning,
    /// The registration ends as `failed`.
    Failed {
        /// The result's `errorCode`.
        error_code: u32,
    },
    /// The pause that is asked for, as it is sent, in place of the answer's own.
    RetryAfter(HeaderValue),
    /// The `Content-Type` in place of the answer's own; HTTP.
    ContentType(HeaderValue),
    /// The topic in place of the answer's own; the provisioning service over MQTT.
    AnswerTopic(HeaderValue),
    /// The body ends after this many bytes; over HTTP the connection closes there.
    Truncated {
        /// Bytes of the body that are sent.
        keep: u32,
    },
    /// The body is cut in half; what says its length fits.
    TruncatedJson,
    /// The body is this much longer, and still right.
    Oversized {
        /// Bytes that are added.
        bytes: u32,
    },
    /// Nothing is answered; the connection stays.
    Stall,
    /// The connection is closed by FIN instead of an answer.
    Close,
    /// The connection is closed by RST instead of an answer.
    Reset,
    /// The answer comes, then the connection is closed.
    CloseAfter,
    /// CONNACK has this return code, and the connection is closed.
    Connack(u8),
    /// What the server sends leaves this much later.
    Delay(Interval),
    /// The answer comes in TLS records of so many bytes of plain text.
    Records {
        /// Bytes in each.
        bytes: u32,
    },
    /// What the server sends is given to TCP in pieces.
    Segments {
        /// Bytes in each.
        bytes: u32,
        /// The time from one to the next.
        every: Interval,
    },
    /// The server shows another certificate chain; method `TLS`.
    ServerChain(ServerChain),
    /// This fatal alert ends the handshake; method `TLS`.
    Alert(u8),
    /// The server knows none of the device's cipher suites; method `TLS`.
    NoCommonSuite,
}
