//! Trouble on the wire and on the bus, on demand.

use core::ops::Range;

/// Trouble that a host must get over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Injection {
    /// The next `count` transfers to the access port, RDBUFF reads included, are answered by WAIT.
    Wait {
        /// How many.
        count: u32,
    },
    /// After `after` more bus accesses, one ends in a bus error.
    BusError {
        /// How many still work.
        after: u32,
    },
    /// Every bus access to these addresses ends in a bus error.
    Blocked {
        /// The addresses.
        addresses: Range<u32>,
    },
    /// The next `count` transfers are not answered at all, as with a loose cable.
    Silence {
        /// How many.
        count: u32,
    },
}

/// The trouble that is still to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Injected {
    waits: u32,
    bus_error_after: Option<u32>,
    blocked: Vec<Range<u32>>,
    silences: u32,
}

impl Injected {
    pub(crate) const NONE: Self = Self {
        waits: 0,
        bus_error_after: None,
        blocked: Vec::new(),
        silences: 0,
    };

    pub(crate) fn add(&mut self, injection: Injection) {
        match injection {
            Injection::Wait { count } => self.waits += count,
            Injection::BusError { after } => self.bus_error_after = Some(after),
            Injection::Blocked { addresses } => self.blocked.push(addresses),
            Injection::Silence { count } => self.silences += count,
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn abort_waits(&mut self) {
        self.waits = 0;
    }

    pub(crate) fn waits(&mut self) -> bool {
        count_down(&mut self.waits)
    }

    pub(crate) fn is_silent(&mut self) -> bool {
        count_down(&mut self.silences)
    }

    /// Whether the bus access to `address` that comes now fails.
    pub(crate) fn breaks(&mut self, address: u32) -> bool {
        let due = match &mut self.bus_error_after {
            Some(0) => {
                self.bus_error_after = None;
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        };
        due || self.blocked.iter().any(|range| range.contains(&address))
    }
}

fn count_down(left: &mut u32) -> bool {
    let due = *left > 0;
    *left = left.saturating_sub(1);
    due
}
