//! What is installed, what is missing for which purpose, and how to get it.

mod checks;
mod facts;
mod rack;

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::terminal::{ERROR, GOOD, LABEL, WARNING};
use crate::{signals, terminal};

pub use checks::{Check, State};
pub use rack::{RackFacts, rack_checks};

use az3166_rack::{Rack, find_rack};
use checks::{Purpose, checks};
use facts::Facts;

/// Say what is installed, what is missing for which purpose, and how to get it.
#[derive(Args)]
#[command(after_help = "\
Exit code 0 if `hil run` has all it needs, 3 if not.

Example:
  hil doctor")]
pub struct Arguments {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let cancel = signals::stop_flag()?;
    let mut checks = checks(&Facts::gather(&cancel));
    // A machine without a rack file is no rack; one that has mistakes is shown by `hil rack doctor`.
    let rack = find_rack(None).and_then(|path| Rack::read(&path));
    if let Ok(rack) = rack {
        checks.extend(rack_checks(&RackFacts::gather(rack)));
    }
    match arguments.json {
        true => {
            let text = serde_json::to_string_pretty(&checks).map_err(Failure::infrastructure)?;
            terminal::print(format_args!("{text}\n"));
        }
        false => print_checks(&checks),
    }
    let lacks = |check: &Check| check.purpose.is_required() && check.state == State::Missing;
    Ok(match checks.iter().any(lacks) {
        true => Exit::Infrastructure,
        false => Exit::Passed,
    })
}

/// Prints what was found, by purpose.
pub fn print_checks(checks: &[Check]) {
    for purpose in Purpose::ALL {
        if !checks.iter().any(|check| check.purpose == purpose) {
            continue;
        }
        terminal::print(format_args!("{LABEL}{purpose}{LABEL:#}\n"));
        for check in checks.iter().filter(|check| check.purpose == purpose) {
            let (style, word) = match (check.state, purpose.is_required()) {
                (State::Present, _) => (GOOD, "ok"),
                (State::Missing, true) => (ERROR, "missing"),
                (State::Missing, false) => (WARNING, "missing"),
            };
            terminal::print(format_args!(
                "  {style}{word:<8}{style:#}{}: {}\n",
                check.what, check.found
            ));
            if let Some(remedy) = &check.remedy {
                terminal::print(format_args!("          -> {remedy}\n"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
