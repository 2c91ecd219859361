//! What is installed, what is missing for which purpose, and how to get it.

mod checks;
mod facts;
mod usb;

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::terminal::{ERROR, GOOD, LABEL, WARNING};
use crate::{signals, terminal};

use checks::{Check, Purpose, State, checks};
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
    let checks = checks(&Facts::gather(&cancel));
    match arguments.json {
        true => {
            let text = serde_json::to_string_pretty(&checks).map_err(Failure::infrastructure)?;
            terminal::print(format_args!("{text}\n"));
        }
        false => print(&checks),
    }
    let lacks = |check: &Check| check.purpose.is_required() && check.state == State::Missing;
    Ok(match checks.iter().any(lacks) {
        true => Exit::Infrastructure,
        false => Exit::Passed,
    })
}

fn print(checks: &[Check]) {
    for purpose in Purpose::ALL {
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
