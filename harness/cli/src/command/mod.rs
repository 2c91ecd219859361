//! One file for each command.

#[cfg(feature = "board")]
mod board;
pub mod build;
pub mod cert;
pub mod check;
#[cfg(feature = "azure")]
pub mod cloud;
pub mod completions;
pub mod console;
pub mod doctor;
pub mod parity;
pub mod rack;
pub mod renode;
pub mod run;
pub mod schema;
mod selection;
#[cfg(feature = "serve")]
pub mod serve;
pub mod stsafe;
mod target;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};

/// Does what the command line asks.
pub fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Console(arguments) => console::run(arguments),
        Command::Cert(arguments) => cert::run(&arguments),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Stsafe(arguments) => stsafe::run(&arguments),
        Command::Rack(arguments) => rack::run(&arguments),
        Command::RenodeGuard(arguments) => renode::guard(arguments),
        Command::Parity(arguments) => parity::run(&arguments),
        #[cfg(feature = "azure")]
        Command::Cloud(arguments) => cloud::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
