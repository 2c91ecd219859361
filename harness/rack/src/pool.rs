//! The boards of one run, handed out one by one.
//!
//! A board is leased for one use at a time, so that several runs share a rack fairly. One that gave
//! trouble has to climb its ladder before it is handed out again; one that does not come back is
//! marked as wedged and replaced by the others.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use time::Date;

use crate::{
    Admission, Board, BoardAccess, Climbed, Holder, Lease, LeaseError, Outcome, Patience, Places,
    PowerSwitch, Records, Rung, Wedged, recover,
};

/// How often boards are looked at while all are held.
const TICK: Duration = Duration::from_millis(50);

/// Whether boards in quarantine are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuarantinedBoards {
    /// They are not.
    Avoid,
    /// They are: the user asked for it.
    Use,
}

/// News of a pool, for people.
#[derive(Clone, Copy, Debug)]
pub enum PoolNews<'a> {
    /// The quarantine of a board is over but still written down; the board is used.
    ExpiredQuarantine(&'a Board),
    /// All boards are held by others; one of these is held by `holder`.
    Waiting {
        /// The board.
        board: &'a Board,
        /// Who has it, where that is known.
        holder: Option<&'a Holder>,
    },
    /// A board that gave trouble climbs its ladder.
    Recovering {
        /// The board.
        board: &'a Board,
        /// What is tried.
        rung: Rung,
    },
    /// A board is out of use.
    Wedged {
        /// The board.
        board: &'a Board,
        /// Why.
        reason: &'a str,
    },
}

/// What a pool needs of its surroundings.
pub struct TakeOptions {
    /// Leases and records.
    pub places: Places,
    /// Who takes boards.
    pub holder: Holder,
    /// The most wall time that one wait for a board may take.
    pub wait: Duration,
    /// Set it from anywhere, and waits and recoveries end within a moment.
    pub cancel: Arc<AtomicBool>,
    /// Makes an access to boards, for a recovery.
    pub access: Box<dyn Fn() -> Box<dyn BoardAccess> + Send + Sync>,
    /// Makes a switch of boards' power, for a recovery.
    pub power: Box<dyn Fn() -> Box<dyn PowerSwitch> + Send + Sync>,
    /// Hears what goes on.
    pub news: Box<dyn Fn(PoolNews<'_>) + Send + Sync>,
}

/// Why a pool has no board to hand out.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// all boards that are asked for are in quarantine: {0}; name one by its id to use it all the same
    #[error(
        "all boards that are asked for are in quarantine: {0}; name one by its id to use it all the same"
    )]
    Quarantined(String),
    /// no board is left: {0}
    #[error("no board is left: {0}")]
    NoneLeft(String),
    /// all boards are held; waited {waited} s, at last for {board}
    #[error("all boards are held; waited {waited} s, at last for {board}")]
    AllHeld {
        /// One of the boards.
        board: String,
        /// How long was waited, in seconds.
        waited: u64,
    },
    /// {0}
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

#[derive(Clone, Debug)]
enum Slot {
    Free,
    Busy,
    /// It gave trouble and has to climb its ladder before its next use.
    Suspect,
    /// It is out of use, for this reason.
    Out(String),
}

/// The boards of one run.
pub struct Pool {
    boards: Vec<Board>,
    slots: Mutex<Vec<Slot>>,
    records: Records,
    options: TakeOptions,
}

impl Pool {
    /// The pool of `boards`, those in quarantine as `quarantined` says. Boards that gave trouble when
    /// they were last used are not trusted.
    ///
    /// # Errors
    /// None may be used.
    pub fn new(
        boards: Vec<Board>,
        quarantined: QuarantinedBoards,
        today: Date,
        options: TakeOptions,
    ) -> Result<Arc<Self>, PoolError> {
        let names: Vec<&str> = boards.iter().map(|board| board.id.as_str()).collect();
        let names = names.join(", ");
        let is_allowed =
            |board: &Board| quarantined == QuarantinedBoards::Use || !board.is_quarantined(today);
        let boards: Vec<Board> = boards.into_iter().filter(is_allowed).collect();
        if boards.is_empty() {
            return Err(PoolError::Quarantined(names));
        }
        for board in &boards {
            if board.has_expired_quarantine(today) {
                (options.news)(PoolNews::ExpiredQuarantine(board));
            }
        }
        let records = Records::below(&options.places.state);
        let slots = boards
            .iter()
            .map(|board| match records.of(&board.probe_serial).in_a_row {
                0 => Slot::Free,
                _ => Slot::Suspect,
            });
        Ok(Arc::new(Self {
            slots: Mutex::new(slots.collect()),
            boards,
            records,
            options,
        }))
    }

    /// How many boards it began with.
    pub fn size(&self) -> usize {
        self.boards.len()
    }

    /// Hands out a board, waiting until one is free: of those that are, the one that has given the
    /// least trouble.
    ///
    /// # Errors
    /// None is left or none is to be had in time.
    pub fn take(self: &Arc<Self>) -> Result<Pooled, PoolError> {
        let started = Instant::now();
        let mut told = false;
        loop {
            if self.options.cancel.load(Ordering::Relaxed) {
                return Err(LeaseError::Cancelled.into());
            }
            for index in self.candidates()? {
                if let Some(pooled) = self.try_take(index)? {
                    return Ok(pooled);
                }
            }
            let waited = started.elapsed();
            if waited >= self.options.wait {
                return Err(PoolError::AllHeld {
                    board: self.boards[0].id.to_string(),
                    waited: waited.as_secs(),
                });
            }
            if !told && waited > Duration::from_millis(500) {
                told = self.tell_who_holds();
            }
            std::thread::sleep(TICK);
        }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The boards that this run does not use now, best first.
    fn candidates(&self) -> Result<Vec<usize>, PoolError> {
        let slots = self.slots();
        let out: Vec<String> = slots
            .iter()
            .zip(&self.boards)
            .filter_map(|(slot, board)| match slot {
                Slot::Out(reason) => Some(format!("{}: {reason}", board.id)),
                _ => None,
            })
            .collect();
        if out.len() == slots.len() {
            return Err(PoolError::NoneLeft(out.join("; ")));
        }
        let mut free: Vec<(bool, u64, u64, usize)> = slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| matches!(slot, Slot::Free | Slot::Suspect))
            .map(|(index, slot)| {
                let record = self.records.of(&self.boards[index].probe_serial);
                let suspect = matches!(slot, Slot::Suspect);
                (suspect, record.troubles, record.uses, index)
            })
            .collect();
        free.sort_unstable();
        Ok(free.into_iter().map(|(.., index)| index).collect())
    }

    /// Takes one board if nobody else has it and it is, or becomes, well.
    fn try_take(self: &Arc<Self>, index: usize) -> Result<Option<Pooled>, PoolError> {
        let before = {
            let mut slots = self.slots();
            match &slots[index] {
                Slot::Free | Slot::Suspect => core::mem::replace(&mut slots[index], Slot::Busy),
                Slot::Busy | Slot::Out(_) => return Ok(None),
            }
        };
        let lease = match self.lease(&self.boards[index]) {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                self.slots()[index] = before;
                return Ok(None);
            }
            Err(LeaseError::Wedged { wedged, .. }) => {
                self.put_out(index, &format!("wedged {wedged}"));
                return Ok(None);
            }
            Err(error) => {
                self.slots()[index] = before;
                return Err(error.into());
            }
        };
        if matches!(before, Slot::Suspect) && !self.brought_back(index, &lease)? {
            return Ok(None);
        }
        Ok(Some(Pooled {
            pool: Arc::clone(self),
            index,
            outcome: Outcome::Worked,
            _lease: lease,
        }))
    }

    /// With one board there is nothing else to look at, so it is waited for in the queue.
    fn lease(&self, board: &Board) -> Result<Option<Lease>, LeaseError> {
        let Self {
            boards, options, ..
        } = self;
        let leases = &options.places.leases;
        if boards.len() > 1 {
            return leases.try_acquire(board, &options.holder);
        }
        let patience = Patience {
            deadline: options.wait,
            cancel: &options.cancel,
        };
        let mut news =
            |holder: Option<&Holder>| (options.news)(PoolNews::Waiting { board, holder });
        leases
            .acquire(
                board,
                &options.holder,
                Admission::Healthy,
                patience,
                &mut news,
            )
            .map(Some)
    }

    fn brought_back(&self, index: usize, lease: &Lease) -> Result<bool, PoolError> {
        let (board, options) = (&self.boards[index], &self.options);
        let (mut access, mut power) = ((options.access)(), (options.power)());
        let mut news = |rung| (options.news)(PoolNews::Recovering { board, rung });
        let climbed = recover(board, &mut *access, &mut *power, &options.cancel, &mut news);
        match (climbed.reason(), climbed) {
            (Some(reason), _) => {
                lease.mark_wedged(&Wedged::now(reason.as_str()))?;
                self.put_out(index, &reason);
                Ok(false)
            }
            (None, Climbed::Cancelled) => {
                self.slots()[index] = Slot::Suspect;
                Err(LeaseError::Cancelled.into())
            }
            (None, _) => Ok(true),
        }
    }

    fn put_out(&self, index: usize, reason: &str) {
        self.slots()[index] = Slot::Out(reason.to_owned());
        let board = &self.boards[index];
        (self.options.news)(PoolNews::Wedged { board, reason });
    }

    /// Tells who holds a board; false if nobody outside of this run does.
    fn tell_who_holds(&self) -> bool {
        let slots = self.slots().clone();
        for (slot, board) in slots.iter().zip(&self.boards) {
            let leases = &self.options.places.leases;
            if let Slot::Free | Slot::Suspect = slot
                && let Ok(crate::Occupied::By(holder)) = leases.occupied(&board.probe_serial)
            {
                let holder = holder.as_ref();
                (self.options.news)(PoolNews::Waiting { board, holder });
                return true;
            }
        }
        false
    }
}

/// A board in use; it goes back to its pool when this is dropped.
pub struct Pooled {
    pool: Arc<Pool>,
    index: usize,
    outcome: Outcome,
    _lease: Lease,
}

impl Pooled {
    /// The board.
    pub fn board(&self) -> &Board {
        &self.pool.boards[self.index]
    }

    /// Where its wear is counted.
    pub fn places(&self) -> &Places {
        &self.pool.options.places
    }

    /// Says that the board, its probe or its wiring gives trouble: it climbs its ladder before its
    /// next use.
    pub fn trouble(&mut self) {
        self.outcome = Outcome::Trouble;
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let probe = &self.board().probe_serial;
        // A record that cannot be written costs only the preference for the better board.
        let _ = self.pool.records.count(probe, self.outcome);
        self.pool.slots()[self.index] = match self.outcome {
            Outcome::Worked => Slot::Free,
            Outcome::Trouble => Slot::Suspect,
        };
    }
}
