//! From an executable to a Renode that answers.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use az3166_stsafe::SecureElement;

use super::robot::Robot;
use super::wait::{Deadline, Waiting};
use super::{BridgeEnd, Health, Session, Spares};
use crate::guard::{Guard, GuardProgram, Isolation};
use crate::{Program, RenodeError};

/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(20);

/// Its configuration, in its folder.
const CONFIG: &str = "config";

/// A line is in the log before Renode goes on, and stands there as often as it was logged: causes of
/// resets are read there.
const CONFIGURATION: &str = "[general]\nuse-synchronous-logging = true\n";

/// The External Control server's port where no other program can be in the way, for board zero.
const CONTROL_PORT: u16 = 3171;

/// How Renode is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which.
    pub renode: Program,
    /// What guards it.
    pub guard: GuardProgram,
    /// The network that it is in.
    pub isolation: Isolation,
    /// Set it from anywhere, and every wait ends within a moment.
    pub cancel: Arc<AtomicBool>,
    /// How long it is waited for what.
    pub deadlines: Deadlines,
    /// Renodes that earlier boards have left.
    pub spares: Spares,
}

/// How much wall time Renode is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Until it answers for the first time.
    pub start: Duration,
    /// For one Monitor command; compiling C# takes longest.
    pub command: Duration,
    /// For one stretch of virtual time or one access to memory.
    pub stretch: Duration,
}

impl Default for Deadlines {
    /// Five minutes each: enough on a machine that has much else to do.
    fn default() -> Self {
        let long = Duration::from_secs(300);
        Self {
            start: long,
            command: long,
            stretch: long,
        }
    }
}

/// Why a Renode did not answer.
pub struct NoStart {
    /// The trouble.
    pub error: RenodeError,
    /// Its whole output, which is gone with it.
    pub log: Vec<u8>,
}

impl From<RenodeError> for NoStart {
    /// Trouble before Renode could say anything.
    fn from(error: RenodeError) -> Self {
        let log = Vec::new();
        Self { error, log }
    }
}

impl Session {
    /// Starts Renode and waits until it answers.
    ///
    /// # Errors
    /// It cannot be started, ends, or does not answer in time.
    pub fn start(setup: &Setup, model: &mut SecureElement) -> Result<Self, NoStart> {
        let folder = tempfile::Builder::new()
            .prefix("hil-renode-")
            .tempdir()
            .map_err(RenodeError::io("a folder for Renode"))?;
        let command = command_line(&setup.renode.path, folder.path());
        fs::write(folder.path().join(CONFIG), CONFIGURATION)
            .map_err(RenodeError::io("Renode's configuration"))?;
        let (mut guard, listener) =
            Guard::start(&setup.guard, setup.isolation, folder.path(), &command)?;
        let mut bridge = BridgeEnd::new(listener)?;
        let mut waiting = Waiting {
            guard: &mut guard,
            bridge: &mut bridge,
            model,
            cancel: &setup.cancel,
        };
        let robot = answering(&mut waiting, folder.path(), setup.deadlines.start);
        let robot = robot.map_err(|error| NoStart {
            error,
            log: guard.log(),
        })?;
        Ok(Self {
            robot,
            control: None,
            bridge,
            guard,
            folder,
            isolation: setup.isolation,
            cancel: Arc::clone(&setup.cancel),
            deadlines: setup.deadlines,
            health: Health::Well,
            boards: 0,
        })
    }
}

/// Waits until Renode does what it is told.
fn answering(
    waiting: &mut Waiting<'_>,
    folder: &Path,
    after: Duration,
) -> Result<Robot, RenodeError> {
    let deadline = Deadline::new("Renode's Robot Framework server", after);
    let port = loop {
        match robot_port(folder) {
            Some(port) => break port,
            None => waiting.pause(LOOK, deadline)?,
        }
    };
    let mut robot = Robot::new(port);
    // It listens before it can do anything.
    robot.keyword(waiting, "ExecuteCommand", &["version"], after)?;
    Ok(robot)
}

fn command_line(renode: &Path, folder: &Path) -> Vec<OsString> {
    let mut command: Vec<OsString> = vec![renode.into(), "--config".into()];
    command.push(folder.join(CONFIG).into());
    for argument in [
        "--disable-xwt",
        "--plain",
        "--port",
        "-2",
        "--robot-server-port",
        "0",
    ] {
        command.push(argument.into());
    }
    command
}

/// The port that Renode has written down in its temporary folder, which lies in ours.
fn robot_port(folder: &Path) -> Option<u16> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let text = fs::read_to_string(entry.path().join("robot_port")).ok()?;
        text.trim().parse().ok()
    })
}

/// A port that is free: where others may take it meanwhile, Renode's refusal says so.
pub fn control_port(isolation: Isolation, board: u16) -> Result<u16, RenodeError> {
    match isolation {
        Isolation::Namespace => Ok(CONTROL_PORT + board),
        Isolation::None => TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))
            .and_then(|listener| listener.local_addr())
            .map(|address| address.port())
            .map_err(RenodeError::io("a free port")),
    }
}
