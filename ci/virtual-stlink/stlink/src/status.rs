//! The status byte that answers most commands.

use az3166_debug_port::{Port, Refusal};

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Well.
    Ok,
    /// Nobody answers on the wire.
    NoDevice,
    /// The access port answered WAIT.
    ApWait,
    /// The access port answered FAULT.
    ApFault,
    /// The debug port answered WAIT.
    DpWait,
    /// The debug port answered FAULT.
    DpFault,
    /// The probe's firmware does not know the command.
    UnknownCommand,
}

impl Status {
    /// Its code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0x80,
            Self::NoDevice => 0x05,
            Self::ApWait => 0x10,
            Self::ApFault => 0x11,
            Self::DpWait => 0x14,
            Self::DpFault => 0x15,
            Self::UnknownCommand => 0x42,
        }
    }

    /// What a refused transfer to `port` means.
    pub(crate) const fn of(refusal: Refusal, port: Port) -> Self {
        match (refusal, port) {
            (Refusal::Silence, _) => Self::NoDevice,
            (Refusal::Wait, Port::Access) => Self::ApWait,
            (Refusal::Wait, Port::Debug) => Self::DpWait,
            (Refusal::Fault, Port::Access) => Self::ApFault,
            (Refusal::Fault, Port::Debug) => Self::DpFault,
        }
    }
}

impl<T> From<Result<T, Self>> for Status {
    fn from(result: Result<T, Self>) -> Self {
        result.err().unwrap_or(Self::Ok)
    }
}
