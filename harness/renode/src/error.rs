//! What keeps Renode from doing what it was asked.

use std::io;
use std::time::Duration;

use az3166_target::TargetError;

/// Trouble with Renode; never the firmware's fault.
#[derive(Debug, thiserror::Error)]
pub enum RenodeError {
    /// {what}: {source}
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Renode was not started: {0}
    #[error("Renode was not started: {0}")]
    NotStarted(String),
    /// Renode ended by itself ({status}); {log}
    #[error("Renode ended by itself ({status}); {log}")]
    Ended {
        /// How.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// {what} did not come within {} s; {log}
    #[error("{what} did not come within {} s; {log}", .after.as_secs())]
    TooLate {
        /// What was waited for.
        what: String,
        /// The deadline.
        after: Duration,
        /// The last lines of its log.
        log: String,
    },
    /// Renode refused `{command}`: {text}
    #[error("Renode refused `{command}`: {text}")]
    Refused {
        /// The Monitor command, or what it was for.
        command: String,
        /// Renode's words.
        text: String,
    },
    /// {what}: {why}
    #[error("{what}: {why}")]
    Protocol {
        /// Which of Renode's interfaces.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Renode's bridge to the secure element gave up: {0}
    #[error("Renode's bridge to the secure element gave up: {0}")]
    SecureElementLost(String),
    /// the run was interrupted
    #[error("the run was interrupted")]
    Interrupted,
}

impl RenodeError {
    /// For `map_err`: what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn protocol(what: &'static str, why: impl ToString) -> Self {
        let why = why.to_string();
        Self::Protocol { what, why }
    }

    fn todo(&self) -> &'static str {
        match self {
            Self::Io { .. } => "see whether the disk is full or processes are limited",
            Self::NotStarted(_) => "see `hil doctor`",
            Self::Ended { .. } | Self::TooLate { .. } => {
                "the whole log is attached; more memory or fewer --jobs may help"
            }
            Self::Refused { .. } => {
                "see the scripts in renode/, and Renode's version in `hil doctor`"
            }
            Self::Protocol { .. } => "use a Renode of version 1.16",
            Self::SecureElementLost(_) => {
                "the firmware was not judged; run again, with fewer --jobs if the machine is slow"
            }
            Self::Interrupted => "run again",
        }
    }
}

impl From<RenodeError> for TargetError {
    fn from(error: RenodeError) -> Self {
        Self::Infrastructure {
            what: error.to_string(),
            todo: error.todo().into(),
        }
    }
}
