//! What is tried on a board that does not answer, in order, gentlest first. No I/O here.
//!
//! Attaching under reset is tried twice and late: after a power-up its first try fails in
//! probe-rs, which sets the reset vector catch while debugging is still disabled; the failed try
//! leaves debugging enabled, so that the second works.

use core::fmt;

use crate::{Attach, Board, Kilohertz};

/// One thing to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// Open the probe again, at the board's own clock.
    Reopen,
    /// Attach at a slower clock.
    Slower(Kilohertz),
    /// Attach under reset, for the first time.
    UnderReset,
    /// Attach under reset, for the second time.
    UnderResetAgain,
    /// Take the board's power away for a while, then attach.
    PowerCycle,
}

impl Rung {
    /// How the chip is attached to on this rung of `board`'s ladder.
    pub fn attach(self, board: &Board) -> Attach {
        let own = board.speed_khz;
        match self {
            Self::Reopen | Self::PowerCycle => Attach::Running(own),
            Self::Slower(clock) => Attach::Running(clock),
            Self::UnderReset | Self::UnderResetAgain => {
                Attach::UnderReset(own.min(Kilohertz::SLOW))
            }
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reopen => f.write_str("re-open"),
            Self::Slower(clock) => write!(f, "slower clock, {clock}"),
            Self::UnderReset => f.write_str("under reset"),
            Self::UnderResetAgain => f.write_str("under reset again"),
            Self::PowerCycle => f.write_str("power cycle"),
        }
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try this, and say what came of it.
    Try(Rung),
    /// The board answers again, by this rung.
    Recovered(Rung),
    /// There is nothing more to try: the board is wedged.
    Exhausted,
}

/// A board's ladder and how far it was climbed.
#[derive(Clone, Debug)]
pub struct Ladder {
    rungs: Vec<Rung>,
    tried: usize,
    recovered: Option<Rung>,
}

impl Ladder {
    /// The ladder of `board`: clocks that are no slower than its own are left out, and the power
    /// cycle where nothing switches its power.
    pub fn of(board: &Board) -> Self {
        let slower = [Kilohertz::DEFAULT, Kilohertz::SLOW]
            .into_iter()
            .filter(|clock| *clock < board.speed_khz)
            .map(Rung::Slower);
        let mut rungs = vec![Rung::Reopen];
        rungs.extend(slower);
        rungs.extend([Rung::UnderReset, Rung::UnderResetAgain]);
        rungs.extend(board.power.iter().map(|_| Rung::PowerCycle));
        Self {
            rungs,
            tried: 0,
            recovered: None,
        }
    }

    /// What to do next.
    pub fn next(&self) -> Next {
        match (self.recovered, self.rungs.get(self.tried)) {
            (Some(rung), _) => Next::Recovered(rung),
            (None, Some(rung)) => Next::Try(*rung),
            (None, None) => Next::Exhausted,
        }
    }

    /// Says that the rung which [`Ladder::next`] named worked.
    pub fn worked(&mut self) {
        if let Next::Try(rung) = self.next() {
            self.recovered = Some(rung);
        }
    }

    /// Says that it did not.
    pub fn failed(&mut self) {
        if let Next::Try(_) = self.next() {
            self.tried += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::board;
    use rstest::rstest;

    /// All rungs that are tried when `working` is the first that works, and the end.
    fn climb(board: &Board, working: Option<Rung>) -> (Vec<String>, Next) {
        let (mut ladder, mut tried) = (Ladder::of(board), Vec::new());
        while let Next::Try(rung) = ladder.next() {
            tried.push(rung.to_string());
            match Some(rung) == working {
                true => ladder.worked(),
                false => ladder.failed(),
            }
            assert!(tried.len() < 20, "it has no end");
        }
        (tried, ladder.next())
    }

    #[test]
    fn the_whole_ladder() {
        let (tried, end) = climb(&board("power: {hub: 1-1, port: 2}"), None);
        assert_eq!(
            tried,
            [
                "re-open",
                "slower clock, 1800 kHz",
                "slower clock, 480 kHz",
                "under reset",
                "under reset again",
                "power cycle"
            ]
        );
        assert_eq!(end, Next::Exhausted);
    }

    #[rstest]
    #[case("speed_khz: 1800", 4)]
    #[case("speed_khz: 480", 3)]
    #[case("speed_khz: 100", 3)]
    #[case("", 5)]
    fn what_a_board_does_not_have_is_left_out(#[case] members: &str, #[case] rungs: usize) {
        assert_eq!(climb(&board(members), None).0.len(), rungs);
    }

    #[rstest]
    #[case(Rung::Reopen, 1)]
    #[case(Rung::UnderResetAgain, 5)]
    #[case(Rung::PowerCycle, 6)]
    fn it_ends_where_a_rung_works(#[case] working: Rung, #[case] tries: usize) {
        let (tried, end) = climb(&board("power: {hub: 1-1, port: 2}"), Some(working));
        assert_eq!((tried.len(), end), (tries, Next::Recovered(working)));
    }

    #[test]
    fn reset_is_held_at_a_clock_that_most_wiring_bears() {
        let attach = Rung::UnderReset.attach(&board(""));
        assert_eq!(attach, Attach::UnderReset(Kilohertz::SLOW));
        let attach = Rung::PowerCycle.attach(&board("speed_khz: 1800"));
        assert_eq!(attach, Attach::Running(Kilohertz::DEFAULT));
    }
}
