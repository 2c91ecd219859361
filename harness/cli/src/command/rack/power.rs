use std::path::Path;
use std::sync::Arc;

use az3166_rack::{Admission, PowerAction, PowerSwitch, Uhubctl};
use clap::{Args, ValueEnum};

use super::common::Wanted;
use crate::exit::{Exit, Failure};
use crate::terminal;

/// Switch a board's power at its USB hub.
///
/// The board is held while that goes on. That its power did change is seen by its probe, which
/// leaves USB and comes back.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hil rack power lab-1 cycle     off, 3 seconds, on
  hil rack power lab-1 off       and see whether the hub switches this port at all")]
pub struct Arguments {
    #[command(flatten)]
    pub wanted: Wanted,
    /// What to do
    #[arg(value_enum)]
    pub action: Action,
}

/// What to do with a board's power.
#[derive(Clone, Copy, ValueEnum)]
pub enum Action {
    /// Take it away
    Off,
    /// Give it
    On,
    /// Take it away for a while
    Cycle,
}

impl From<Action> for PowerAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Off => Self::Off,
            Action::On => Self::On,
            Action::Cycle => Self::Cycle,
        }
    }
}

/// Runs the command.
pub fn run(rack: Option<&Path>, arguments: &Arguments) -> Result<Exit, Failure> {
    let held = arguments
        .wanted
        .take(rack, "hil rack power", Admission::EvenWedged)?;
    let action = PowerAction::from(arguments.action);
    Uhubctl::new(Arc::clone(&held.stop)).switch(&held.board, action)?;
    let done = match action {
        PowerAction::Off => "has no power",
        PowerAction::On => "has power",
        PowerAction::Cycle => "had no power for a while",
    };
    terminal::note(format_args!("the board {} {done}", held.board.id));
    Ok(Exit::Passed)
}
