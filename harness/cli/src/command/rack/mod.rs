//! `hil rack`: the boards of a rack.

mod access;
pub(super) mod common;
mod doctor;
mod lease;
mod list;
mod power;
mod recover;
mod restore;
mod scan;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};

/// See and share the boards of a rack.
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
The rack file is FILE of --rack, else $HIL_RACK, else ./rack.yaml, else /etc/hil/rack.yaml.
Leases lie in $HIL_LOCK_DIR or /run/lock/hil, records in $HIL_STATE_DIR or /var/lib/hil.
ci/rack/README.md tells how to wire a rack.

Examples:
  hil rack list                              the boards, and who has which
  hil rack lease lab-1 -- probe-rs info      hold a board while a command runs
  hil rack power lab-1 cycle                 take its power away for a while
  cargo hil-board rack scan > rack.yaml      a draft of the rack file"
)]
pub struct Arguments {
    /// The rack file
    #[arg(long, value_name = "FILE", global = true)]
    pub rack: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Scan(scan::Arguments),
    List(list::Arguments),
    Doctor(doctor::Arguments),
    Power(power::Arguments),
    Recover(recover::Arguments),
    Restore(restore::Arguments),
    Lease(lease::Arguments),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let rack = arguments.rack.as_deref();
    match &arguments.command {
        Command::Scan(arguments) => scan::run(arguments),
        Command::List(arguments) => list::run(rack, arguments),
        Command::Doctor(arguments) => doctor::run(rack, arguments),
        Command::Power(arguments) => power::run(rack, arguments),
        Command::Recover(arguments) => recover::run(rack, arguments),
        Command::Restore(arguments) => restore::run(rack, arguments),
        Command::Lease(arguments) => lease::run(rack, arguments),
    }
}
