//! Steps that judge what the provisioning service and the hub saw.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Count, Interval, RegistrationId, Text};

/// Waits until a registration reaches a state. It looks at what happened since the last reset or power-on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectRegistration {
    /// The state that is waited for.
    pub status: RegistrationStatus,
    /// The registration id, in lower case.
    #[serde(default)]
    pub registration_id: Option<RegistrationId>,
    /// The device id that was assigned.
    #[serde(default)]
    pub device_id: Option<RegistrationId>,
    /// The hub that was assigned.
    #[serde(default)]
    pub hub: Option<Text>,
    /// The sub-status: `initialAssignment`, `deviceDataMigrated` ...
    #[serde(default)]
    pub substatus: Option<Text>,
    /// The DPS error code.
    #[serde(default)]
    pub error_code: Option<u32>,
    /// The status of the answer that brought the state, over HTTPS or MQTT.
    #[serde(default)]
    pub http_status: Option<u16>,
    /// The time limit; 60s where nothing else is said. With `none` it is how long no request may come: 0s.
    #[serde(default)]
    pub within: Option<Interval>,
}

impl ExpectRegistration {
    /// The time limit in force.
    pub fn deadline(&self) -> Interval {
        self.within.unwrap_or(match self.status {
            RegistrationStatus::None => Interval::from_secs(0),
            _ => Interval::from_secs(60),
        })
    }
}

/// The state of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationStatus {
    /// The service works on it.
    Assigning,
    /// The device has a hub and a device id.
    Assigned,
    /// The service gave up.
    Failed,
    /// The enrolment is disabled.
    Disabled,
    /// The service refused the request by a status of 400 and above.
    Refused,
    /// No request came.
    None,
}

impl RegistrationStatus {
    /// The word in the file, which is also the `state` of registration events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigning => "assigning",
            Self::Assigned => "assigned",
            Self::Failed => "failed",
            Self::Disabled => "disabled",
            Self::Refused => "refused",
            Self::None => "none",
        }
    }
}

/// Waits until the hub has seen the device. It looks at what happened since the last reset or power-on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawExpectHub")]
#[schemars(with = "RawExpectHub")]
pub struct ExpectHub {
    /// Whether the device is connected when the step ends.
    pub connected: Option<Connection>,
    /// The device id it connects with.
    pub device_id: Option<RegistrationId>,
    /// CONNACK's return code of the last attempt.
    pub return_code: Option<u8>,
    /// How many telemetry messages came.
    pub telemetry: Option<Count>,
    /// How often it read its twin.
    pub twin_reads: Option<Count>,
    /// The time limit.
    pub within: Interval,
}

/// Whether a device is connected to its hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It is.
    Up,
    /// It is not.
    Down,
}

/// Waits until the hub has seen the device.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawExpectHub {
    /// Whether the device is connected.
    #[serde(default)]
    connected: Option<bool>,
    /// The device id it connects with; `default` is the default registration id.
    #[serde(default)]
    device_id: Option<RegistrationId>,
    /// CONNACK's return code of the last attempt; 0 is accepted, 5 is not authorized.
    #[serde(default)]
    return_code: Option<u8>,
    /// How many telemetry messages came.
    #[serde(default)]
    telemetry: Option<Count>,
    /// How often it read its twin.
    #[serde(default)]
    twin_reads: Option<Count>,
    /// The time limit; 60s where nothing else is said.
    #[serde(default)]
    within: Option<Interval>,
}

impl TryFrom<RawExpectHub> for ExpectHub {
    type Error = &'static str;

    fn try_from(raw: RawExpectHub) -> Result<Self, Self::Error> {
        let connected = raw.connected.map(|connected| match connected {
            true => Connection::Up,
            false => Connection::Down,
        });
        let says_nothing = connected.is_none()
            && raw.device_id.is_none()
            && raw.return_code.is_none()
            && raw.telemetry.is_none()
            && raw.twin_reads.is_none();
        if says_nothing {
            return Err(
                "`expect_hub` needs `connected`, `device_id`, `return_code`, `telemetry` or `twin_reads`",
            );
        }
        Ok(Self {
            connected,
            device_id: raw.device_id,
            return_code: raw.return_code,
            telemetry: raw.telemetry,
            twin_reads: raw.twin_reads,
            within: raw.within.unwrap_or(Interval::from_secs(60)),
        })
    }
}
