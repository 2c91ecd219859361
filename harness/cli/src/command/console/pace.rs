//! How the board's time follows the user's.

use std::time::{Duration, Instant};

use az3166_event::VirtualTime;

/// How far the board runs at a time.
pub const TICK: Duration = Duration::from_millis(20);
/// How far the board may fall behind before its clock is let go slower than the user's.
const LAG: Duration = Duration::from_millis(200);

/// Keeps the board's clock beside the wall clock.
pub struct Pace {
    board: VirtualTime,
    wall: Instant,
}

impl Pace {
    /// In step from now on, the board standing at `board`.
    pub fn new(board: VirtualTime) -> Self {
        Self {
            board,
            wall: Instant::now(),
        }
    }

    /// Until when the board should run next, and whether it will be behind even then.
    pub fn next(&mut self, board: VirtualTime, wall: Instant) -> (VirtualTime, bool) {
        let due = self.board + wall.saturating_duration_since(self.wall);
        if due.saturating_since(board) > LAG {
            // A slow host, or one that slept: what was missed is not caught up.
            *self = Self { board, wall };
            return (board + TICK, true);
        }
        let until = due.min(board + TICK);
        (until, until < due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_follows_the_wall_clock_but_never_chases_it() {
        let at = VirtualTime::from_millis;
        let mut pace = Pace::new(VirtualTime::ZERO);
        let start = pace.wall;
        let wall = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.next(at(0), wall(10)), (at(10), false));
        assert_eq!(pace.next(at(10), wall(100)), (at(30), true));
        assert_eq!(pace.next(at(30), wall(5_000)), (at(50), true));
        assert_eq!(pace.next(at(50), wall(5_010)), (at(40), false));
        assert_eq!(pace.next(at(50), wall(5_030)), (at(60), false));
    }
}
