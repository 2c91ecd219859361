//! The marker of a board that could not be brought back.

use core::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::clock;

/// Since when and why a board is out of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wedged {
    /// Since when, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// What went wrong, in one line.
    pub reason: String,
}

impl Wedged {
    /// A board that is out of use from now on.
    pub fn now(reason: impl Into<String>) -> Self {
        Self {
            since: clock::now(),
            reason: reason.into(),
        }
    }

    /// What the marker at `path` says. An empty one is none; one that cannot be read is one, since
    /// a board must not come back into use by accident.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Self::unreadable(&error.to_string())),
        };
        match text.trim() {
            "" => None,
            text => Some(serde_json::from_str(text).unwrap_or_else(|_| Self::unreadable(text))),
        }
    }

    fn unreadable(text: &str) -> Self {
        Self {
            since: OffsetDateTime::UNIX_EPOCH,
            reason: text.chars().take(200).collect(),
        }
    }

    pub(super) fn to_line(&self) -> String {
        // Strings can always be JSON.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

impl fmt::Display for Wedged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.since != OffsetDateTime::UNIX_EPOCH {
            write!(f, "since {} ", self.since.date())?;
        }
        write!(f, "({})", self.reason.escape_debug())
    }
}
