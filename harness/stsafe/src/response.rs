//! A latched response, as the bus shows it.

use zeroize::Zeroizing;

use crate::{Effect, Status, frame};

/// What reads return until the next command: some bytes, then a filler for ever.
#[derive(Clone)]
pub(crate) struct Response {
    bytes: Zeroizing<Vec<u8>>,
    filler: u8,
}

impl Response {
    pub fn new(status: Status, payload: &[u8]) -> Self {
        Self {
            bytes: frame::response(status, payload),
            filler: 0xFF,
        }
    }

    /// The byte that is read after `position` others in the same read.
    pub fn byte(&self, position: usize) -> u8 {
        self.bytes.get(position).copied().unwrap_or(self.filler)
    }

    /// The response as `effect` spoils it; effects that are no response's leave it alone.
    pub fn spoil(&mut self, effect: Effect) {
        match effect {
            Effect::WrongCrc => {
                if let Some(last) = self.bytes.last_mut() {
                    *last ^= 1;
                }
            }
            Effect::Length(value) => {
                if let Some(field) = self.bytes.get_mut(1..3) {
                    field.copy_from_slice(&value.to_be_bytes());
                }
            }
            Effect::AllZeros => self.stuck_at(0x00),
            Effect::AllOnes => self.stuck_at(0xFF),
            Effect::Truncated(length) => self.bytes.truncate(usize::from(length)),
            Effect::BitFlip(bit) => {
                if let Some(byte) = self.bytes.get_mut(bit as usize / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Effect::Absent
            | Effect::Busy(_)
            | Effect::BusyForever
            | Effect::Nack { .. }
            | Effect::Stale
            | Effect::PowerCut { .. }
            | Effect::AtomicRefused
            | Effect::Status(_) => {}
        }
    }

    fn stuck_at(&mut self, level: u8) {
        self.bytes.clear();
        self.filler = level;
    }
}
