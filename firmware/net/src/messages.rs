//! The lines that the network prints. They are part of the firmware's contract: scenarios
//! expect them. Those with "vendor's text" are what the DevKit SDK prints.

use core::fmt;

use crate::failure::Failure;

/// One line of progress or failure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message<'a> {
    /// The TLS session with DPS is up (vendor's text).
    Connected,
    /// The registration request is sent (vendor's text).
    Registering,
    /// The first answer `assigning` (vendor's text).
    Assigning,
    /// The host name of the hub that the device was assigned to (vendor's text).
    Assigned(&'a str),
    /// The hub accepted the device of this id.
    HubConnected(&'a str),
    /// The hub acknowledged the telemetry message.
    TelemetrySent,
    /// The one line of a failing path.
    Failed(&'a Failure),
    /// Follows a failure before the assignment (vendor's text).
    RegistrationFailed,
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("Registration status: CONNECTED"),
            Self::Registering => f.write_str("Registration status: REGISTERING"),
            Self::Assigning => f.write_str("Registration status: ASSIGNING"),
            Self::Assigned(hub) => {
                write!(f, "Registration Information received from service: {hub}!")
            }
            Self::HubConnected(device_id) => write!(f, "IoT Hub: connected as {device_id}"),
            Self::TelemetrySent => f.write_str("IoT Hub: telemetry sent"),
            Self::Failed(failure) => write!(f, "ERROR: {failure}"),
            Self::RegistrationFailed => f.write_str("registration failed!"),
        }
    }
}
