use serde::{Deserialize, Serialize};

/// What the STSAFE saw and answered; payload bytes of zones that hold secrets are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecureElementEvent {
    /// The chip got a whole command frame.
    Command {
        /// The command's name in the data sheet: `Read`, `Update`, `Query` ...
        name: String,
        /// The zone, for commands that name one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<u8>,
        /// The offset in the zone, for commands that name one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<u16>,
        /// Bytes of data that the frame carries or asks for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        length: Option<u16>,
        /// The status code that the response will carry; 0 is success.
        status: u8,
    },
    /// How often the chip refused its address in a row before it answered again.
    Refused {
        /// The number of refusals.
        count: u32,
    },
    /// The chip's power pin changed.
    Power {
        /// Whether it has power now.
        on: bool,
    },
    /// A fault that the scenario asked for took effect.
    Fault {
        /// The fault's name in the scenario language.
        fault: String,
    },
}
