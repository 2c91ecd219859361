//! `hil run --cloud azure` and `hil cloud sweep`: services that run elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use az3166_azure::{Azure, Services, Settings, Swept, default_folder, sweep};
use az3166_runner::outside::OutsideError;
use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};
use crate::terminal;

/// Remove what runs left in a cloud.
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  hil run --cloud azure --target board:lab-1 scenarios/outside
  hil cloud sweep                            after a run that was killed"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Sweep(SweepArguments),
}

/// Remove enrolments, registrations and devices of runs that were killed.
///
/// Each `hil run --cloud azure` writes down what it is about to make, and removes it at its end. What
/// a killed run left is removed here; runs that still go on are left alone.
#[derive(Args)]
#[command(after_help = "\
HIL_DPS_CONNECTION_STRING and HIL_HUB_CONNECTION_STRING must be set. Exit code 0: nothing is left.

Examples:
  hil cloud sweep
  hil cloud sweep --journal /var/lib/ci/hil-cloud")]
pub struct SweepArguments {
    /// The folder of the journals [default: hil/cloud in the user's state folder]
    #[arg(long, value_name = "DIR")]
    pub journal: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let Command::Sweep(arguments) = &arguments.command;
    let services = Services::read(variable).map_err(Failure::usage)?;
    let folder = folder(arguments.journal.as_ref())?;
    let swept = sweep(&services, &folder).map_err(infrastructure)?;
    let mut exit = Exit::Passed;
    for one in &swept {
        match one {
            Swept::Removed {
                registration_id,
                device_id,
            } => terminal::line("removed", format_args!("{registration_id} {device_id}")),
            Swept::Elsewhere {
                device_id,
                provisioning,
                hub,
            } => {
                exit = Exit::Infrastructure;
                terminal::warning(format_args!(
                    "{device_id} is in {provisioning} and {hub}: sweep with their connection strings"
                ));
            }
            Swept::InUse { run } => terminal::note(format_args!("{run} still goes on: left alone")),
        }
    }
    if swept.is_empty() {
        terminal::note("nothing was left over");
    }
    Ok(exit)
}

/// Begins a run with the services that the environment names.
pub fn start(journal: Option<&PathBuf>) -> Result<Arc<Azure>, Failure> {
    let settings = Settings::read(variable)
        .map_err(|error| Failure::usage(format!("{error}; --cloud azure needs it")))?;
    Azure::start(settings, &folder(journal)?).map_err(infrastructure)
}

/// What scenarios may say `${...}` for.
pub fn variables() -> BTreeMap<String, String> {
    let value = |name: &str| variable(name).unwrap_or_default().trim().to_owned();
    BTreeMap::from([
        ("dps_endpoint".to_owned(), value("HIL_DPS_ENDPOINT")),
        ("id_scope".to_owned(), value("HIL_DPS_ID_SCOPE")),
    ])
}

fn folder(given: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    let folder = given.cloned().or_else(|| default_folder(variable));
    folder.ok_or_else(|| Failure::usage("HOME is not set: give a folder with --journal"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn infrastructure(error: OutsideError) -> Failure {
    Failure::infrastructure(error)
}
