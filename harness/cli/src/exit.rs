//! How `hil` ends: its exit codes are part of its contract.

use std::fmt;
use std::process::ExitCode;

/// An exit code. The later of two wins: trouble with the infrastructure hides a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: everything passed.
    Passed = 0,
    /// 1: a scenario failed.
    Failed = 1,
    /// 2: the command line, a scenario file or an input is wrong.
    Usage = 2,
    /// 3: the infrastructure failed: a build, a probe, a disk.
    Infrastructure = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub struct Failure {
    /// With which code.
    pub exit: Exit,
    /// What, where, and what to do.
    pub message: String,
}

impl Failure {
    /// Something that the user gave is wrong.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.to_string(),
        }
    }

    /// Something that the user did not choose is wrong.
    pub fn infrastructure(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Infrastructure,
            message: message.to_string(),
        }
    }
}

impl From<az3166_build::BuildError> for Failure {
    fn from(error: az3166_build::BuildError) -> Self {
        match error {
            az3166_build::BuildError::NoManifest(_) => Self::usage(error),
            _ => Self::infrastructure(error),
        }
    }
}

impl From<az3166_runner::project::ProjectError> for Failure {
    fn from(error: az3166_runner::project::ProjectError) -> Self {
        match error {
            az3166_runner::project::ProjectError::Build(error) => error.into(),
            other => Self::infrastructure(other),
        }
    }
}
