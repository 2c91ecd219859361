use clap::Args;

use crate::exit::{Exit, Failure};
use crate::terminal;

/// Print the JSON schema of scenario files, for editors.
#[derive(Args)]
#[command(after_help = "\
Example:
  hil schema > scenarios/schema.json")]
pub struct Arguments {}

/// Runs the command.
pub fn run(_: &Arguments) -> Result<Exit, Failure> {
    let schema = serde_json::to_string_pretty(&az3166_scenario::schema()).map_err(|error| {
        Failure::infrastructure(format!("the schema cannot be printed: {error}"))
    })?;
    terminal::print(format_args!("{schema}\n"));
    Ok(Exit::Passed)
}
