mod directive;
mod keys;
mod layout;
mod live;
mod pace;
mod picture;
mod plain;
mod probe;
mod terminal;
mod transcript;

use std::collections::BTreeSet;
use std::io::{IsTerminal, stdin, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use az3166_runner::bench::Cancel;
use az3166_runner::firmware::{FirmwareSource, default_mac};
use az3166_runner::interactive::{DEFAULT_PROBE_ADDRESS, Debugging, Session};
use az3166_runner::steps::StepError;
use az3166_runner::targets::{EmulatorOptions, EmulatorTarget, UnmodelledPolicy, swd_cable};
use az3166_scenario::FirmwareVariant;
use clap::{Args, ValueEnum};

use crate::exit::{Exit, Failure};
use crate::{firmware, signals};
use probe::Probe;

/// The seed of everything random on the board and in the local cloud.
const SEED: u64 = 0;

/// Use the emulated DevKit by hand: console, display and buttons in the terminal.
///
/// The board's time passes as yours does. A local cloud enrols the device, by its UDS and its
/// settings, at every start.
#[derive(Args)]
#[command(after_help = "\
Keys: F2 reset, F3 and F4 hold buttons A and B or let them go, F5 power, F1 all keys, Ctrl-C quit;
every other key goes to the device.

Where standard input or output is no terminal, each line of standard input is typed at the prompt,
time passes as fast as it can, and the console ends when the input has ended and the device is idle.
A line that begins with ~ is for the board: ~reset, ~power, ~power on, ~power off, ~hold A|B,
~release A|B, ~wait SECONDS.

With --probe, the board has a debug probe that an unmodified probe-rs 0.32 of another process
attaches to, one at a time: as if it were a Glasgow Interface Explorer, by
  probe-rs attach --chip STM32F412RG --protocol swd --probe 20b7:9db1:tcp:127.0.0.1:9412 IMAGE.elf
and likewise `info`, `read`, `write`, `reset`, `download`, `run` and `gdb`. Time then passes as yours
does, and in a pipe the console stays until Ctrl-C. The local cloud goes on expecting the firmware
that the console was started with.

Examples:
  hil console              boot the firmware as it comes from the factory
  hil console --hold A     enter configuration mode, then type `help`
  printf 'help\\nversion\\n' | hil console --hold A
  hil console --probe      let a debugger attach")]
pub struct Arguments {
    /// Hold a button while the device starts: A is configuration mode
    #[arg(long, value_enum, ignore_case = true)]
    pub hold: Option<Button>,
    /// The firmware: an ELF file, or the folder of a crate to build [default: this project's]
    #[arg(long, value_name = "ELF|CRATE_DIR")]
    pub firmware: Option<PathBuf>,
    /// Put the board's debug probe on a socket of this machine, for probe-rs; port 0 is any
    #[arg(long, value_name = "ADDR:PORT", num_args = 0..=1,
          default_missing_value = DEFAULT_PROBE_ADDRESS)]
    pub probe: Option<SocketAddr>,
}

/// A button of the DevKit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Button {
    /// Configuration mode
    #[value(name = "A")]
    A,
    /// Access-point mode
    #[value(name = "B")]
    B,
}

impl From<Button> for az3166_target::Button {
    fn from(button: Button) -> Self {
        match button {
            Button::A => Self::A,
            Button::B => Self::B,
        }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let cancel = signals::stop_flag()?;
    let options = EmulatorOptions {
        unmodelled: UnmodelledPolicy::Record,
        ..EmulatorOptions::seeded(SEED)
    };
    let variant = FirmwareVariant::Strict;
    let (path, mac) = (arguments.firmware.as_deref(), default_mac(&options.uid));
    let set = firmware::load(path, &BTreeSet::from([variant]), &mac, &cancel)?;
    let firmware = set.get(variant)?;
    let mut target = EmulatorTarget::new(&options);
    let mut debugging = Debugging::Never;
    let mut probe = None;
    if let Some(address) = arguments.probe {
        let (cable, pins) = swd_cable();
        target = target.with_debugger(pins);
        debugging = Debugging::Possible;
        probe = Some(Probe::start(address, cable)?);
    }
    let target = Box::new(target);
    let stop = Cancel::from_flag(Arc::clone(&cancel));
    let mut session = Session::new(target, &firmware, SEED, stop, debugging)?;
    let hold = arguments.hold.map(Into::into);
    match stdin().is_terminal() && stdout().is_terminal() {
        true => live::run(&mut session, hold, probe.as_ref()),
        false => plain::run(&mut session, hold, probe.as_ref(), &cancel),
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self::infrastructure(error)
    }
}
