//! What a person at the board would want to be told.

use core::fmt;

use az3166_event::{CloudEvent, DisplayEvent, FindingEvent, MachineEvent, Payload};

use crate::bench::Halt;

/// Something that happened beside the console, in one line when displayed. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The local cloud knows the device by its certificate now.
    Enrolled {
        /// Under this registration id.
        registration_id: String,
        /// As this device.
        device_id: String,
        /// SHA-1 thumbprint of the certificate, as portals show it.
        thumbprint: String,
    },
    /// The secure element holds no UDS, so there is nothing to enrol.
    NoUds,
    /// The local cloud does not know the device.
    NotEnrolled {
        /// Why.
        reason: String,
    },
    /// The device is set to an ID scope that the local cloud does not serve.
    OtherScope {
        /// The device's.
        set: String,
        /// The local cloud's.
        served: String,
    },
    /// The display shows these lines.
    Display {
        /// From the top.
        lines: Vec<String>,
    },
    /// What the local cloud saw.
    Cloud(String),
    /// What the harness noticed.
    Finding(String),
    /// The processor can do nothing more before a reset.
    Halted(Halt),
}

impl Notice {
    /// Whether it says more than that the display is dark.
    pub fn is_worth_a_line(&self) -> bool {
        !matches!(self, Self::Display { lines } if lines.iter().all(String::is_empty))
    }

    /// What `payload` tells a person, if anything.
    pub(super) fn of(payload: &Payload) -> Option<Self> {
        match payload {
            Payload::Cloud(event) => cloud(event).map(Self::Cloud),
            Payload::Display(DisplayEvent::Frame { lines, .. }) => Some(Self::Display {
                lines: lines.clone(),
            }),
            Payload::Finding(FindingEvent::Finding { id, text }) => {
                Some(Self::Finding(format!("{id}: {text}")))
            }
            Payload::Machine(MachineEvent::UnmodelledAccess {
                address,
                access,
                pc,
                function,
                ..
            }) => {
                let function = function.as_deref().unwrap_or("an unknown function");
                Some(Self::Finding(format!(
                    "unmodelled-access: {access} of {address:#010x} at {pc:#010x} in {function}"
                )))
            }
            _ => None,
        }
    }
}

fn cloud(event: &CloudEvent) -> Option<String> {
    match event {
        CloudEvent::TlsFailed { reason, .. } => Some(format!("TLS failed: {reason}")),
        CloudEvent::Registration {
            registration_id,
            state,
            device_id,
            assigned_hub,
            error_code,
            ..
        } => {
            let mut text = format!("{registration_id}: {state}");
            if let (Some(device), Some(hub)) = (device_id, assigned_hub) {
                text += &format!(" to {hub} as {device}");
            }
            if let Some(code) = error_code {
                text += &format!(" ({code})");
            }
            Some(text)
        }
        CloudEvent::MqttConnect {
            client_id,
            return_code: 0,
            ..
        } => Some(format!("{client_id} is connected to its hub")),
        CloudEvent::MqttConnect {
            client_id,
            return_code,
            error,
            ..
        } => {
            let reason = error.as_deref().unwrap_or("no reason given");
            Some(format!(
                "the hub refuses {client_id}: CONNACK {return_code}, {reason}"
            ))
        }
        CloudEvent::Telemetry {
            device_id, body, ..
        } => Some(format!("telemetry of {device_id}: {body}")),
        CloudEvent::MqttDisconnect { device_id, reason } => {
            Some(format!("{device_id} left its hub: {reason}"))
        }
        _ => None,
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enrolled { registration_id, device_id, thumbprint } => write!(
                f,
                "enrolled {registration_id} as {device_id}, certificate SHA-1 {thumbprint}"
            ),
            Self::NoUds => f.write_str(
                "not enrolled: the device has no UDS (hold A, reset, type `set_dps_uds <64 hex digits>`, reset)",
            ),
            Self::NotEnrolled { reason } => write!(f, "not enrolled: {reason}"),
            Self::OtherScope { set, served } => write!(
                f,
                "the device's ID scope is {set}, the local cloud's is {served}: it will refuse"
            ),
            Self::Display { lines } => {
                write!(f, "display: {}", lines.join(" | ").trim_end_matches([' ', '|']))
            }
            Self::Cloud(text) => write!(f, "cloud: {text}"),
            Self::Finding(text) => write!(f, "finding: {text}"),
            Self::Halted(halt) => match halt {
                Halt::Lockup(pc) => write!(f, "the processor locked up at {pc:#010x}; reset it"),
                Halt::Breakpoint(pc) => {
                    write!(f, "the processor stopped at a breakpoint at {pc:#010x}; reset it")
                }
                Halt::UnmodelledAccess => {
                    f.write_str("the firmware touched a register that is not modelled")
                }
                Halt::NoPower => f.write_str("the board has lost its power"),
                Halt::AsleepForEver => f.write_str("the processor sleeps and nothing will wake it"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        Notice::Display { lines: vec!["IoT DevKit".into(), "id:0".into(), "".into(), "".into()] },
        "display: IoT DevKit | id:0"
    )]
    #[case(Notice::Display { lines: vec![String::new(); 4] }, "display: ")]
    #[case(
        Notice::Halted(Halt::Lockup(0x0800_0000)),
        "the processor locked up at 0x08000000; reset it"
    )]
    fn reads_as_one_line(#[case] notice: Notice, #[case] text: &str) {
        assert_eq!(notice.to_string(), text);
    }

    #[test]
    fn a_registration_says_what_became_of_it() {
        let event = CloudEvent::Registration {
            registration_id: "az-1".into(),
            state: "assigned".into(),
            operation_id: None,
            device_id: Some("AZ3166".into()),
            assigned_hub: Some("hub".into()),
            substatus: None,
            error_code: None,
        };
        let notice = Notice::of(&Payload::Cloud(event)).unwrap();
        assert_eq!(notice.to_string(), "cloud: az-1: assigned to hub as AZ3166");
    }
}
