//! Whether Renode can be kept apart from the machine's network.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, thread};

/// How long the attempt may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// What `unshare` of util-linux is asked for: to be root of a new namespace, with a network of its
/// own, and to be the first process there, whose end is the end of all others, whatever ends it.
const UNSHARE: [&str; 6] = [
    "--user",
    "--map-root-user",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
];

/// The network that Renode's listeners are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// One of its own, which nobody else can reach.
    Namespace,
    /// The machine's: while Renode runs, every host that reaches this machine reaches it.
    None,
}

impl Isolation {
    /// The best that this machine allows, found by trying.
    pub fn best() -> Self {
        if cfg!(target_os = "linux") && can_unshare() {
            Self::Namespace
        } else {
            Self::None
        }
    }

    /// What a user must know of it.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Namespace => None,
            Self::None => Some(
                "this system does not let Renode have a network namespace of its own; while it \
                 runs, its ports are open on all interfaces without authentication, so use it \
                 behind a firewall or in a container",
            ),
        }
    }

    /// The beginning of a command that runs `program`.
    pub(super) fn command(self, program: &std::path::Path) -> Command {
        match self {
            Self::None => Command::new(program),
            Self::Namespace => {
                let mut command = Command::new("unshare");
                command.args(UNSHARE).arg("--").arg(program);
                command
            }
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "in a network namespace of its own",
            Self::None => "on the machine's network",
        })
    }
}

fn can_unshare() -> bool {
    let child = Command::new("unshare")
        .args(UNSHARE)
        .args(["--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let started = Instant::now();
    while started.elapsed() < DEADLINE {
        match child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Ok(Some(status)) => return status.success(),
            Err(_) => break,
        }
    }
    // It can only have ended meanwhile.
    let _ = child.kill();
    let _ = child.wait();
    false
}
