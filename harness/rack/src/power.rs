//! Switching a board's power at its USB hub.

use core::fmt;
use core::time::Duration;
use std::ffi::OsString;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use az3166_build::{BuildError, Limits, run_child};

use crate::{Board, PowerPort, UsbTree};

/// How long one call of `uhubctl` may take.
const CALL: Duration = Duration::from_secs(20);
/// How long a board stays without power: its capacitors must be empty.
const DARK: Duration = Duration::from_secs(3);
/// How long a probe may take to vanish from USB after its power is gone.
const VANISH: Duration = Duration::from_secs(5);
/// How long a probe may take to be on USB after its power has come.
const APPEAR: Duration = Duration::from_secs(15);
/// How often USB is looked at.
const TICK: Duration = Duration::from_millis(50);

/// What to do with a board's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerAction {
    /// Take it away.
    Off,
    /// Give it.
    On,
    /// Take it away for a while, and give it again.
    Cycle,
}

impl fmt::Display for PowerAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Cycle => "cycle",
        })
    }
}

/// Something that switches boards' power.
pub trait PowerSwitch {
    /// Does `action` to `board`'s power and sees to it that it came about.
    ///
    /// # Errors
    /// The power did not change, or nothing is known to switch it.
    fn switch(&mut self, board: &Board, action: PowerAction) -> Result<(), PowerError>;
}

/// Why a board's power did not change.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    /// the rack file names no hub that powers the board {0}; add `power: {hub: ..., port: ...}`
    #[error(
        "the rack file names no hub that powers the board {0}; add `power: {{hub: ..., port: ...}}`"
    )]
    NoPort(String),
    /// uhubctl is not there; install it, for example by `sudo apt-get install uhubctl`
    #[error("uhubctl is not there; install it, for example by `sudo apt-get install uhubctl`")]
    NoUhubctl,
    /// uhubctl for hub {hub}, port {port} failed: {reason}
    #[error("uhubctl for hub {hub}, port {port} failed: {reason}")]
    Uhubctl {
        /// The hub's place.
        hub: String,
        /// The port.
        port: u8,
        /// What it said.
        reason: String,
    },
    /// hub {hub} says that port {port} is off, but the probe {serial} is still on USB: the hub does not switch the port's power, or the board hangs on another port
    #[error(
        "hub {hub} says that port {port} is off, but the probe {serial} is still on USB: the hub does not switch the port's power, or the board hangs on another port"
    )]
    StillThere {
        /// The hub's place.
        hub: String,
        /// The port.
        port: u8,
        /// The probe's serial number.
        serial: String,
    },
    /// the probe {serial} did not come back to USB within {seconds} s after hub {hub} switched port {port} on
    #[error(
        "the probe {serial} did not come back to USB within {seconds} s after hub {hub} switched port {port} on"
    )]
    NotBack {
        /// The hub's place.
        hub: String,
        /// The port.
        port: u8,
        /// The probe's serial number.
        serial: String,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// switching power was cancelled
    #[error("switching power was cancelled")]
    Cancelled,
}

/// Hubs that switch their ports one by one, through the program `uhubctl`.
pub struct Uhubctl {
    /// The program.
    pub program: OsString,
    /// Where probes are looked for.
    pub usb: UsbTree,
    /// Set it from anywhere, and what is under way ends within a moment.
    pub cancel: Arc<AtomicBool>,
    /// How long a board stays without power in a cycle.
    pub dark: Duration,
}

impl Uhubctl {
    /// `uhubctl` of the PATH, on this machine's USB.
    pub fn new(cancel: Arc<AtomicBool>) -> Self {
        Self {
            program: "uhubctl".into(),
            usb: UsbTree::of_this_machine(),
            cancel,
            dark: DARK,
        }
    }

    fn call(&self, port: &PowerPort, action: PowerAction) -> Result<(), PowerError> {
        let number = u8::from(port.port);
        let failed = |reason: String| PowerError::Uhubctl {
            hub: port.hub.as_str().into(),
            port: number,
            reason,
        };
        let mut command = Command::new(&self.program);
        command.args(["-l", port.hub.as_str(), "-p", &number.to_string()]);
        // Linux may switch a port on again by itself, so `off` is asked for several times.
        command.args(["-a", &action.to_string(), "-r", "3"]);
        let limits = Limits {
            cancel: &self.cancel,
            deadline: CALL,
        };
        let mut said: Vec<String> = Vec::new();
        let ended = run_child(command, limits, &mut |_, line| {
            said.push(line.trim().into())
        });
        match ended {
            Ok(status) if status.success() => confirm(&said, number, action).map_err(failed),
            Ok(status) => Err(failed(match said.last() {
                Some(line) => format!("{line} ({status})"),
                None => status.to_string(),
            })),
            Err(BuildError::Cancelled) => Err(PowerError::Cancelled),
            Err(BuildError::TooLong { after }) => {
                Err(failed(format!("it took longer than {} s", after.as_secs())))
            }
            Err(BuildError::NotStarted { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Err(PowerError::NoUhubctl)
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Waits until the board's probe is on USB, or is not.
    fn settles(&self, board: &Board, wanted: bool, limit: Duration) -> Result<bool, PowerError> {
        let started = Instant::now();
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(PowerError::Cancelled);
            }
            if self.usb.has(&board.probe_serial) == wanted {
                return Ok(true);
            }
            if started.elapsed() >= limit {
                return Ok(false);
            }
            std::thread::sleep(TICK);
        }
    }

    fn off(&self, board: &Board, port: &PowerPort) -> Result<(), PowerError> {
        self.call(port, PowerAction::Off)?;
        match self.settles(board, false, VANISH)? {
            true => Ok(()),
            false => Err(PowerError::StillThere {
                hub: port.hub.as_str().into(),
                port: port.port.into(),
                serial: board.probe_serial.to_string(),
            }),
        }
    }

    fn on(&self, board: &Board, port: &PowerPort) -> Result<(), PowerError> {
        self.call(port, PowerAction::On)?;
        match self.settles(board, true, APPEAR)? {
            true => Ok(()),
            false => Err(PowerError::NotBack {
                hub: port.hub.as_str().into(),
                port: port.port.into(),
                serial: board.probe_serial.to_string(),
                seconds: APPEAR.as_secs(),
            }),
        }
    }

    fn wait(&self, time: Duration) -> Result<(), PowerError> {
        let started = Instant::now();
        while started.elapsed() < time {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(PowerError::Cancelled);
            }
            std::thread::sleep(TICK.min(time));
        }
        Ok(())
    }
}

impl PowerSwitch for Uhubctl {
    fn switch(&mut self, board: &Board, action: PowerAction) -> Result<(), PowerError> {
        let port = board.power.as_ref();
        let port = port.ok_or_else(|| PowerError::NoPort(board.id.to_string()))?;
        match action {
            PowerAction::Off => self.off(board, port),
            PowerAction::On => self.on(board, port),
            PowerAction::Cycle => {
                // Whatever becomes of the first half, the board is not left dark.
                let dark = self.off(board, port).and_then(|()| self.wait(self.dark));
                let lit = self.on(board, port);
                dark.and(lit)
            }
        }
    }
}

/// Looks for the port's new state: `Port 2: 0000 off`, or `Port 2: 0100 power` and more words.
fn confirm(said: &[String], port: u8, action: PowerAction) -> Result<(), String> {
    let start = format!("Port {port}: ");
    let mut states = said
        .iter()
        .rev()
        .filter_map(|line| line.strip_prefix(&start));
    let Some(state) = states.next() else {
        return Err("it says nothing of this port".into());
    };
    let is_off = state.split_whitespace().any(|word| word == "off");
    match is_off == (action == PowerAction::Off) {
        true => Ok(()),
        false => Err(format!("the port is `{state}` afterwards")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Port 2: 0000 off", PowerAction::Off, true)]
    #[case("Port 2: 0100 power", PowerAction::Off, false)]
    #[case(
        "Port 2: 0503 power highspeed enable connect [0483:374b]",
        PowerAction::On,
        true
    )]
    #[case("Port 2: 0000 off", PowerAction::On, false)]
    #[case("Port 3: 0000 off", PowerAction::Off, false)]
    fn the_last_word_counts(#[case] line: &str, #[case] action: PowerAction, #[case] good: bool) {
        let said = ["Port 2: 0100 powered before", line].map(str::to_owned);
        let said = match line.starts_with("Port 2") {
            true => said.to_vec(),
            false => vec![line.to_owned()],
        };
        assert_eq!(confirm(&said, 2, action).is_ok(), good);
    }
}
