//! Pressing a board's buttons by relays, through a command of the rack file.

use core::fmt;
use core::time::Duration;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use az3166_build::{BuildError, Limits, run_child};

use crate::RelayCommand;

/// How long one call of the command may take.
const CALL: Duration = Duration::from_secs(10);

/// What a relay does to its button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayAction {
    /// It connects the button's pin to ground.
    Press,
    /// It lets go.
    Release,
}

impl fmt::Display for RelayAction {
    /// What stands for `{state}` in the command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Press => "pressed",
            Self::Release => "released",
        })
    }
}

/// {program}: {reason}
#[derive(Debug, thiserror::Error)]
#[error("{program}: {reason}")]
pub struct RelayError {
    /// The program that should have worked the relay.
    pub program: String,
    /// Why it did not.
    pub reason: String,
}

/// The relays across a board's buttons.
#[derive(Clone, Debug)]
pub struct Relay {
    /// What works them.
    pub command: RelayCommand,
    /// How long one call may take.
    pub limit: Duration,
}

impl Relay {
    /// Relays that `command` works.
    pub const fn new(command: RelayCommand) -> Self {
        Self {
            command,
            limit: CALL,
        }
    }

    /// Does `action` to the button on `pin` of GPIOA. What the command prints is only heard where
    /// it fails. It is not ended with the run: a button must not stay pressed.
    ///
    /// # Errors
    /// The command cannot be started, fails or takes too long.
    pub fn work(&self, pin: u32, action: RelayAction) -> Result<(), RelayError> {
        let words = self.command.words(pin, &action.to_string());
        // The rack file's parser lets no empty command in.
        let (program, arguments) = words
            .split_first()
            .map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
        let failed = |reason: String| RelayError {
            program: program.into(),
            reason,
        };
        let mut command = Command::new(program);
        command.args(arguments);
        let never = AtomicBool::new(false);
        let limits = Limits {
            cancel: &never,
            deadline: self.limit,
        };
        let mut said = None;
        let ended = run_child(command, limits, &mut |_, line| {
            let line = line.trim();
            if !line.is_empty() {
                said = Some(line.to_owned());
            }
        });
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(match said {
                Some(line) => format!("{line} ({status})"),
                None => status.to_string(),
            })),
            Err(BuildError::TooLong { after }) => {
                Err(failed(format!("it took more than {after:?}")))
            }
            Err(BuildError::NotStarted { source, .. }) => Err(failed(source.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}
