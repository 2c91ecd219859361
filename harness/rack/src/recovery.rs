//! Climbs a board's ladder.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    AccessError, Board, BoardAccess, ChipUid, Ladder, Next, PowerAction, PowerSwitch, Rung,
};

/// One rung that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Climb {
    /// Which.
    pub rung: Rung,
    /// Why it did not help; `None` if it did.
    pub trouble: Option<String>,
}

/// How a climb ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Climbed {
    /// The board answers, and it is the right one.
    Recovered {
        /// The rung that helped.
        rung: Rung,
        /// Its chip's unique id.
        uid: ChipUid,
    },
    /// Nothing helped: the board is wedged. What was tried, and what came of it.
    Exhausted(Vec<Climb>),
    /// Another chip than the rack file's answers at this probe: nothing may be done to it.
    WrongChip {
        /// The id that the rack file names.
        expected: ChipUid,
        /// The id of the chip.
        found: ChipUid,
    },
    /// The user asked to stop.
    Cancelled,
}

impl Climbed {
    /// Why the board is out of use, in one line; `None` if it is not.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Recovered { .. } | Self::Cancelled => None,
            Self::WrongChip { expected, found } => Some(format!(
                "its chip has the unique id {found}, and the rack file names {expected}"
            )),
            Self::Exhausted(climbs) => {
                let tried: Vec<String> = climbs
                    .iter()
                    .map(|climb| {
                        let trouble = climb.trouble.as_deref().unwrap_or("no reason");
                        format!("{}: {trouble}", climb.rung)
                    })
                    .collect();
                Some(format!("nothing helped: {}", tried.join("; ")))
            }
        }
    }
}

/// Tries on `board` what its ladder names until it answers. `news` hears of each rung before it is
/// tried. The caller holds the board's lease.
pub fn recover(
    board: &Board,
    access: &mut dyn BoardAccess,
    power: &mut dyn PowerSwitch,
    cancel: &AtomicBool,
    news: &mut dyn FnMut(Rung),
) -> Climbed {
    let mut ladder = Ladder::of(board);
    let mut climbs = Vec::new();
    let mut found = None;
    loop {
        match ladder.next() {
            _ if cancel.load(Ordering::Relaxed) => return Climbed::Cancelled,
            Next::Exhausted => return Climbed::Exhausted(climbs),
            Next::Recovered(rung) => {
                let Some(found) = found else {
                    return Climbed::Exhausted(climbs);
                };
                return match &board.chip_uid {
                    Some(expected) if *expected != found => Climbed::WrongChip {
                        expected: expected.clone(),
                        found,
                    },
                    _ => Climbed::Recovered { rung, uid: found },
                };
            }
            Next::Try(rung) => {
                news(rung);
                let trouble = match attempt(board, rung, access, power) {
                    Ok(uid) => {
                        found = Some(uid);
                        ladder.worked();
                        None
                    }
                    Err(trouble) => {
                        ladder.failed();
                        Some(trouble)
                    }
                };
                climbs.push(Climb { rung, trouble });
            }
        }
    }
}

fn attempt(
    board: &Board,
    rung: Rung,
    access: &mut dyn BoardAccess,
    power: &mut dyn PowerSwitch,
) -> Result<ChipUid, String> {
    if rung == Rung::PowerCycle {
        let cycled = power.switch(board, PowerAction::Cycle);
        cycled.map_err(|error| error.to_string())?;
    }
    let attached = access.attach(board, rung.attach(board));
    attached.map_err(|error: AccessError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::board;
    use crate::{Attach, PowerError};

    /// A board that answers once its script is over.
    struct Script {
        troubles: Vec<&'static str>,
        calls: Vec<Attach>,
        uid: &'static str,
    }

    impl BoardAccess for Script {
        fn attach(&mut self, _: &Board, how: Attach) -> Result<ChipUid, AccessError> {
            self.calls.push(how);
            match self.troubles.get(self.calls.len() - 1) {
                Some(trouble) => Err(AccessError::Trouble((*trouble).into())),
                None => Ok(ChipUid::try_from(self.uid.to_owned()).unwrap()),
            }
        }

        fn restore(&mut self, _: &Board, _: &ChipUid, _: &[u8]) -> Result<(), AccessError> {
            Err(AccessError::Trouble("a ladder restores nothing".into()))
        }
    }

    struct Cycles(usize);

    impl PowerSwitch for Cycles {
        fn switch(&mut self, _: &Board, action: PowerAction) -> Result<(), PowerError> {
            assert_eq!(action, PowerAction::Cycle);
            self.0 += 1;
            Ok(())
        }
    }

    const UID: &str = "31002f000d51373239363832";

    fn climb(members: &str, troubles: &[&'static str]) -> (Climbed, Script, usize) {
        let mut script = Script {
            troubles: troubles.to_vec(),
            calls: Vec::new(),
            uid: UID,
        };
        let mut cycles = Cycles(0);
        let cancel = AtomicBool::new(false);
        let board = board(members);
        let climbed = recover(&board, &mut script, &mut cycles, &cancel, &mut |_| {});
        (climbed, script, cycles.0)
    }

    #[test]
    fn the_first_attach_under_reset_may_fail() {
        let (climbed, script, cycles) = climb("", &["no ack"; 4]);
        assert!(matches!(
            climbed,
            Climbed::Recovered {
                rung: Rung::UnderResetAgain,
                ..
            }
        ));
        assert_eq!((script.calls.len(), cycles), (5, 0));
    }

    #[test]
    fn power_is_cycled_once_and_last() {
        let (climbed, script, cycles) = climb("power: {hub: 1-1, port: 2}", &["no ack"; 5]);
        assert!(matches!(
            climbed,
            Climbed::Recovered {
                rung: Rung::PowerCycle,
                ..
            }
        ));
        assert_eq!((script.calls.len(), cycles), (6, 1));
    }

    #[test]
    fn a_dead_board_says_what_was_tried() {
        let (climbed, ..) = climb("speed_khz: 480", &["no ack"; 9]);
        insta::assert_snapshot!(climbed.reason().unwrap(), @"nothing helped: re-open: no ack; under reset: no ack; under reset again: no ack");
    }

    #[test]
    fn a_stranger_is_left_alone() {
        let (climbed, script, cycles) = climb("chip_uid: 000000000000000000000001", &[]);
        insta::assert_snapshot!(climbed.reason().unwrap(), @"its chip has the unique id 31002f000d51373239363832, and the rack file names 000000000000000000000001");
        assert_eq!((script.calls.len(), cycles), (1, 0));
    }
}
