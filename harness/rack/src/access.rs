//! What the crate that owns the debug probe does for a rack.

use crate::{Board, ChipUid, Kilohertz};

/// How a debugger gets hold of the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// While it runs, at this SWD clock.
    Running(Kilohertz),
    /// While its reset pin is held low, at this SWD clock.
    UnderReset(Kilohertz),
}

/// Reaches boards through their debug probes.
///
/// Each call opens the probe and closes it again: nothing is held between calls. Implementations
/// bound every wait themselves.
pub trait BoardAccess {
    /// Attaches to `board`'s chip, reads its unique id (RM0402, section 30.1) and lets it run on.
    ///
    /// # Errors
    /// The probe or the chip does not answer.
    fn attach(&mut self, board: &Board, how: Attach) -> Result<ChipUid, AccessError>;

    /// Programs all of `board`'s flash with `image`, as it was read before the board was taken over,
    /// and verifies it; only if its chip has the unique id `uid`.
    ///
    /// # Errors
    /// The probe or the chip does not answer or is another one, or the flash does not hold the image
    /// afterwards.
    fn restore(&mut self, board: &Board, uid: &ChipUid, image: &[u8]) -> Result<(), AccessError>;
}

/// Why a board cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// no probe with the serial number {serial} is connected
    #[error("no probe with the serial number {serial} is connected")]
    NoProbe {
        /// The probe's serial number.
        serial: String,
    },
    /// no permission to use the probe {serial}; install the udev rules of ci/rack and join their group
    #[error(
        "no permission to use the probe {serial}; install the udev rules of ci/rack and join their group"
    )]
    Denied {
        /// The probe's serial number.
        serial: String,
    },
    /// {0}
    #[error("{0}")]
    Trouble(String),
}
