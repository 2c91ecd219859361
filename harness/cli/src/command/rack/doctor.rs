use std::path::Path;

use clap::Args;

use super::common;
use crate::command::doctor::{Check, RackFacts, State, print_checks, rack_checks};
use crate::exit::{Exit, Failure};
use crate::terminal;

/// Say what is right and wrong with the rack, its boards and the folders that its users share.
#[derive(Args)]
#[command(after_help = "\
Exit code 0 if all is well, 3 if not.

Example:
  hil rack doctor")]
pub struct Arguments {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(rack: Option<&Path>, arguments: &Arguments) -> Result<Exit, Failure> {
    let rack = common::read(rack)?;
    let checks: Vec<Check> = rack_checks(&RackFacts::gather(rack));
    match arguments.json {
        true => {
            let text = serde_json::to_string_pretty(&checks).map_err(Failure::infrastructure)?;
            terminal::print(format_args!("{text}\n"));
        }
        false => print_checks(&checks),
    }
    let is_well = checks.iter().all(|check| check.state == State::Present);
    Ok(match is_well {
        true => Exit::Passed,
        false => Exit::Infrastructure,
    })
}
