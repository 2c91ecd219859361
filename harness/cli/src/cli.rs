//! The command line.

use clap::{Parser, Subcommand};

#[cfg(feature = "azure")]
use crate::command::cloud;
#[cfg(feature = "serve")]
use crate::command::serve;
use crate::command::{
    build, cert, check, completions, console, doctor, parity, rack, renode, run, schema, stsafe,
};

/// Runs scenario files against AZ3166 DevKit firmware and judges its identity and registration.
#[derive(Parser)]
#[command(
    name = "hil",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit codes: 0 all passed, 1 a scenario failed, 2 wrong usage, scenario file or input,
3 infrastructure failed; the highest wins.

Examples:
  hil run                        build the firmware, run every scenario on the emulator
  hil run scenarios/faults --filter 'no UDS*'
  hil console --hold A           follow the tutorial by hand, in configuration mode
  hil serve                      a local DPS and IoT Hub for any device or SDK
  hil doctor                     what is installed and what is missing"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, made once")]
pub enum Command {
    Run(run::Arguments),
    Console(console::Arguments),
    Cert(cert::Arguments),
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    Build(build::Arguments),
    Check(check::Arguments),
    Schema(schema::Arguments),
    Stsafe(stsafe::Arguments),
    Rack(rack::Arguments),
    #[command(hide = true)]
    RenodeGuard(renode::GuardArguments),
    Parity(parity::Arguments),
    #[cfg(feature = "azure")]
    Cloud(cloud::Arguments),
    Doctor(doctor::Arguments),
    Completions(completions::Arguments),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
