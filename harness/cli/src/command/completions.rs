use std::io::stdout;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};

/// Print a completion script for a shell.
#[derive(Args)]
#[command(after_help = "\
Example:
  hil completions bash > ~/.local/share/bash-completion/completions/hil")]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "hil", &mut stdout());
    Ok(Exit::Passed)
}
