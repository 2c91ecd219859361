//! What a scenario can make the chip or its bus do wrong.

use core::time::Duration;

use crate::{Direction, Opcode, Status};

/// One fault: what goes wrong, on which command, how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub effect: Effect,
    /// The only command that it strikes; any where none is named.
    pub on: Option<Opcode>,
    /// How often it strikes.
    pub repeat: Repeat,
    /// How many commands that it matches pass before it strikes.
    pub skip: u32,
}

/// How often a fault strikes before it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The next command that it matches.
    Once,
    /// Every command that it matches, until the faults are cleared.
    Always,
}

/// What goes wrong.
///
/// A fault of a response changes the response of one command in every read of it:
/// only a repeated command, not a repeated read, gets over a [`Repeat::Once`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The chip answers no address. Strikes always, whatever `on` and `repeat` say.
    Absent,
    /// The chip is busy for this long, where its usual time is shorter.
    Busy(Duration),
    /// The chip is busy until it loses power.
    BusyForever,
    /// The chip refuses its address this often, in one direction or both. Counts
    /// addressings, whatever `on` and `repeat` say.
    Nack {
        /// Number of refusals.
        count: u32,
        /// The direction that is refused; both where none is named.
        direction: Option<Direction>,
    },
    /// The response's CRC has its lowest bit inverted.
    WrongCrc,
    /// The response's length field has this value; nothing else changes.
    Length(u16),
    /// Every byte that is read is 0x00: SDA stuck low.
    AllZeros,
    /// Every byte that is read is 0xFF: SDA stuck high.
    AllOnes,
    /// From this byte of the response on, only 0xFF is read.
    Truncated(u16),
    /// This bit of the response is inverted; bit 0 is the lowest of the first byte.
    BitFlip(u32),
    /// The response of the command before is read again; none where there was none.
    Stale,
    /// Power is lost when this many bytes of a write to the zone are in NVM.
    ///
    /// Writes to other zones, and shorter ones, pass. A write that the chip does
    /// atomically counts too, but leaves all or nothing.
    PowerCut {
        /// The zone.
        zone: u8,
        /// Bytes that are written before: 0 is before the first one.
        after_bytes: u16,
    },
    /// The chip refuses Updates with the atomic bit.
    AtomicRefused,
    /// The chip executes nothing and answers this status.
    Status(Status),
}

impl Fault {
    /// A fault of the next command of any kind.
    pub const fn once(effect: Effect) -> Self {
        Self {
            effect,
            on: None,
            repeat: Repeat::Once,
            skip: 0,
        }
    }

    /// A fault of every command.
    pub const fn always(effect: Effect) -> Self {
        Self {
            effect,
            on: None,
            repeat: Repeat::Always,
            skip: 0,
        }
    }

    /// The same fault, but of this command only.
    pub const fn on(self, command: Opcode) -> Self {
        Self {
            on: Some(command),
            ..self
        }
    }

    /// The same fault, after this many commands that it matches.
    pub const fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }
}

impl Effect {
    /// The effect's name in the scenario language and in events.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Busy(_) => "busy",
            Self::BusyForever => "busy_forever",
            Self::Nack { .. } => "nack",
            Self::WrongCrc => "wrong_crc",
            Self::Length(_) => "length",
            Self::AllZeros => "all_zeros",
            Self::AllOnes => "all_ones",
            Self::Truncated(_) => "truncated",
            Self::BitFlip(_) => "bit_flip",
            Self::Stale => "stale",
            Self::PowerCut { .. } => "power_cut",
            Self::AtomicRefused => "atomic_refused",
            Self::Status(_) => "status",
        }
    }
}
