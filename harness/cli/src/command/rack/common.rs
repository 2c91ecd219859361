//! What the commands of a rack share.

use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use az3166_rack::{
    Admission, Board, Holder, Lease, LeaseError, Patience, Places, PoolError, PowerError, Rack,
    RackError, Selector, SelectorError, find_rack, today,
};
use az3166_scenario::{Interval, Style};
use clap::Args;

use crate::exit::Failure;
use crate::{signals, terminal};

/// Reads the rack file; its mistakes are printed.
pub fn read(given: Option<&Path>) -> Result<Rack, Failure> {
    let path = find_rack(given).map_err(Failure::usage)?;
    Rack::read(&path).map_err(|error| {
        let RackError::Wrong(mistakes) = &error else {
            return Failure::usage(error);
        };
        let style = match stderr().is_terminal() {
            true => Style::Coloured,
            false => Style::Plain,
        };
        for mistake in mistakes {
            terminal::note(format_args!("{}\n", mistake.render(style)));
        }
        let count = mistakes.len();
        Failure::usage(format!("{count} mistakes in {}", path.display()))
    })
}

/// A board to take, and how long to wait for it.
#[derive(Args)]
pub struct Wanted {
    /// The board's id
    #[arg(value_name = "ID")]
    pub id: String,
    /// How long to wait while somebody else has the board: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", default_value = "30m")]
    pub wait: Interval,
}

/// A board that is held.
pub struct Held {
    pub board: Board,
    pub lease: Lease,
    pub places: Places,
    /// Set once the user or the system asks `hil` to stop.
    pub stop: Arc<AtomicBool>,
}

impl Wanted {
    /// Takes the board for `purpose`.
    pub fn take(
        &self,
        rack: Option<&Path>,
        purpose: &str,
        admission: Admission,
    ) -> Result<Held, Failure> {
        let rack = read(rack)?;
        let board = Selector::new(&*self.id).board(&rack)?.clone();
        warn_of_quarantine(&board);
        let places = Places::of_this_machine();
        let stop = signals::stop_flag()?;
        let patience = Patience {
            deadline: self.wait.0,
            cancel: &stop,
        };
        let holder = Holder::this_process(purpose);
        let mut news = |holder: Option<&Holder>| tell_who_holds(&board, holder);
        let lease = places
            .leases
            .acquire(&board, &holder, admission, patience, &mut news)?;
        Ok(Held {
            board,
            lease,
            places,
            stop,
        })
    }
}

/// Tells who a board is waited for.
pub fn tell_who_holds(board: &Board, holder: Option<&Holder>) {
    match holder {
        Some(holder) => terminal::note(format_args!(
            "waiting for the board {}, held by {holder}",
            board.id
        )),
        None => terminal::note(format_args!("waiting for the board {}", board.id)),
    }
}

/// A board that is named by its id is used whatever its quarantine says, but not in silence.
fn warn_of_quarantine(board: &Board) {
    let Some(quarantine) = &board.quarantine else {
        return;
    };
    let what = match board.is_quarantined(today()) {
        true => "is in quarantine until",
        false => "should be taken out of the quarantine that ended on",
    };
    terminal::warning(format_args!(
        "the board {} {what} {}: {}",
        board.id, quarantine.until, quarantine.ticket
    ));
}

impl From<LeaseError> for Failure {
    fn from(error: LeaseError) -> Self {
        Self::infrastructure(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self::infrastructure(error)
    }
}

impl From<PowerError> for Failure {
    fn from(error: PowerError) -> Self {
        match error {
            PowerError::NoPort(_) => Self::usage(error),
            _ => Self::infrastructure(error),
        }
    }
}

impl From<SelectorError> for Failure {
    fn from(error: SelectorError) -> Self {
        Self::usage(error)
    }
}
