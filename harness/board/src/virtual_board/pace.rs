//! How the time of a virtual board follows the wall clock.

use core::num::NonZeroU32;
use core::time::Duration;
use std::time::Instant;

use az3166_event::VirtualTime;

/// How fast a virtual board's time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace(NonZeroU32);

impl Pace {
    /// A second of the board is a second.
    pub const REAL_TIME: Self = Self(NonZeroU32::MIN);

    /// `factor` seconds of the board in a second, as far as this machine can follow.
    pub const fn times(factor: NonZeroU32) -> Self {
        Self(factor)
    }

    /// Seconds of the board in a second.
    pub const fn factor(self) -> u32 {
        self.0.get()
    }
}

/// A board never has more than this much wall time to catch up with: what a busy machine did not
/// give it is lost.
const LARGEST_LAG: Duration = Duration::from_millis(20);

/// Relates the board's time to the wall clock.
#[derive(Debug)]
pub(super) struct Clock {
    pace: Pace,
    wall: Instant,
    board: VirtualTime,
}

impl Clock {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            wall: Instant::now(),
            board: VirtualTime::ZERO,
        }
    }

    /// The instant that the board, now at `board`, should have reached.
    pub(super) fn due(&mut self, board: VirtualTime) -> VirtualTime {
        let wall = Instant::now();
        let due = self.board + (wall - self.wall) * self.pace.factor();
        if due > board + LARGEST_LAG * self.pace.factor() {
            (self.wall, self.board) = (wall - LARGEST_LAG, board);
            return board + LARGEST_LAG * self.pace.factor();
        }
        due
    }
}
