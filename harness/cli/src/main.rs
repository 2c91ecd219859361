//! `hil`: runs scenario files against AZ3166 firmware, makes enrolment certificates, builds
//! firmware.

mod cli;
mod command;
mod exit;
mod file;
mod firmware;
mod progress;
mod signals;
mod terminal;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => command::dispatch(cli).unwrap_or_else(|failure| {
            terminal::error(&failure.message);
            failure.exit
        }),
        Err(error) => terminal::clap_error(&error),
    };
    exit.into()
}
