use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use az3166_rack::{Admission, Board, Console, Lease, UsbTree};
use clap::Args;

use super::common::{Held, Wanted};
use crate::exit::{Exit, Failure};
use crate::terminal;

/// Hold a board while a command runs.
///
/// The command hears which board it is by its environment: HIL_BOARD_ID, HIL_PROBE_SERIAL, HIL_CHIP,
/// HIL_SPEED_KHZ, HIL_CONSOLE, HIL_CHIP_UID and HIL_BOARD_TAGS, as far as they are known. SIGINT,
/// SIGTERM and SIGHUP go on to it; its exit code is this command's.
#[derive(Args)]
#[command(after_help = "\
A `hil run --target board:ID` that the command starts uses the board by this lease. The board is
free again when the command has ended. If hil itself is killed, it stays held until
the command, too, has ended.

Examples:
  hil rack lease lab-1 -- sh -c 'probe-rs info --probe 0483:374b:$HIL_PROBE_SERIAL'
  hil rack lease lab-1 --wait 2h -- ./my-test
  hil rack lease lab-1 -- cargo hil-board run --target board:lab-1")]
pub struct Arguments {
    #[command(flatten)]
    pub wanted: Wanted,
    /// The command and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<OsString>,
}

/// How often the command and the signals are looked at.
const TICK: Duration = Duration::from_millis(10);

/// Runs the command.
pub fn run(rack: Option<&Path>, arguments: &Arguments) -> Result<Exit, Failure> {
    let purpose = arguments.command[0].to_string_lossy();
    let signals = Signals::listen()?;
    let held = arguments.wanted.take(rack, &purpose, Admission::Healthy)?;
    let child = start(arguments, &held.board, &held.lease)?;
    let status = wait(child, &signals)?;
    let Held { board, lease, .. } = held;
    drop(lease);
    if let Some(signal) = signal(status) {
        terminal::note(format_args!(
            "the command on {} was ended by signal {signal}",
            board.id
        ));
    }
    // The command's own code, which need not be one of ours.
    std::process::exit(code(status));
}

fn start(arguments: &Arguments, board: &Board, lease: &Lease) -> Result<Child, Failure> {
    let program = &arguments.command[0];
    let mut command = Command::new(program);
    command.args(&arguments.command[1..]).envs(facts(board));
    // Inherited by the command alone: this handle is closed once it runs.
    #[cfg(unix)]
    let _inherited = lease.inheritable().map_err(Failure::infrastructure)?;
    #[cfg(not(unix))]
    let _ = lease;
    command.spawn().map_err(|error| {
        Failure::usage(format!(
            "starting {} failed: {error}",
            program.to_string_lossy()
        ))
    })
}

/// What the command hears of the board.
fn facts(board: &Board) -> Vec<(&'static str, OsString)> {
    let tags: Vec<&str> = board.tags.iter().map(|tag| tag.as_str()).collect();
    let mut facts: Vec<(&'static str, OsString)> = vec![
        ("HIL_BOARD_ID", board.id.as_str().into()),
        ("HIL_PROBE_SERIAL", board.probe_serial.as_str().into()),
        ("HIL_CHIP", (&board.chip).into()),
        ("HIL_SPEED_KHZ", board.speed_khz.get().to_string().into()),
        ("HIL_BOARD_TAGS", tags.join(" ").into()),
    ];
    let console = match &board.console {
        Console::Path(path) => Some(path.clone()),
        Console::Auto => UsbTree::of_this_machine().console(&board.probe_serial),
    };
    facts.extend(console.map(|path| ("HIL_CONSOLE", path.into_os_string())));
    let uid = board.chip_uid.as_ref();
    facts.extend(uid.map(|uid| ("HIL_CHIP_UID", uid.as_str().into())));
    facts
}

fn wait(mut child: Child, signals: &Signals) -> Result<ExitStatus, Failure> {
    loop {
        let ended = child.try_wait().map_err(Failure::infrastructure)?;
        if let Some(status) = ended {
            return Ok(status);
        }
        signals.forward(&child);
        std::thread::sleep(TICK);
    }
}

fn code(status: ExitStatus) -> i32 {
    // As a shell has it.
    let killed = signal(status).map(|signal| 128 + signal);
    status.code().or(killed).unwrap_or(1)
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// The signals that ask to stop, one flag each.
#[cfg(unix)]
struct Signals(Vec<(i32, std::sync::Arc<std::sync::atomic::AtomicBool>)>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self, Failure> {
        use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
        let mut flags = Vec::new();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let flag = std::sync::Arc::default();
            signal_hook::flag::register(signal, std::sync::Arc::clone(&flag))
                .map_err(Failure::infrastructure)?;
            flags.push((signal, flag));
        }
        Ok(Self(flags))
    }

    /// Hands on what has come. A SIGINT of the terminal went to the command as well as to us.
    fn forward(&self, child: &Child) {
        use rustix::process::{Pid, Signal, kill_process};
        use std::io::IsTerminal as _;
        for (number, flag) in &self.0 {
            let has_come = flag.swap(false, std::sync::atomic::Ordering::Relaxed);
            let is_from_terminal =
                *number == signal_hook::consts::signal::SIGINT && std::io::stdin().is_terminal();
            if has_come
                && !is_from_terminal
                && let Some(signal) = Signal::from_named_raw(*number)
            {
                // It fails only if the command has ended.
                let _ = kill_process(Pid::from_child(child), signal);
            }
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Result<Self, Failure> {
        Ok(Self)
    }

    fn forward(&self, _: &Child) {}
}
