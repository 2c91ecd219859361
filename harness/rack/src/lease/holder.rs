//! Who holds a board, as one line for others to read.

use core::fmt;
use std::env;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::clock;

/// Who holds a board and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The user's name.
    pub user: String,
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
    /// What it is for: a CI job, or the command.
    pub job: String,
    /// Since when, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// Variables in which CI systems name a job: ours first, then GitHub, GitLab and Jenkins.
const JOBS: [&str; 4] = ["HIL_JOB", "GITHUB_RUN_ID", "CI_JOB_URL", "BUILD_TAG"];

impl Holder {
    /// This process, as of now. `purpose` is its job where the environment names none.
    pub fn this_process(purpose: &str) -> Self {
        let named = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| env::var(name).ok());
            values.find(|value| !value.is_empty())
        };
        Self {
            user: named(&["USER", "LOGNAME"]).unwrap_or_else(user_number),
            pid: std::process::id(),
            host: host(),
            job: named(&JOBS).unwrap_or_else(|| purpose.to_owned()),
            since: clock::now(),
        }
    }

    /// The line of a lock file, if it says who holds it.
    pub fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str(line.lines().next()?).ok()
    }

    /// The line for a lock file.
    pub fn to_line(&self) -> String {
        // Strings and numbers can always be JSON.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

impl fmt::Display for Holder {
    /// `ada on rack-1, pid 4711, for job 12 since 2026-01-01 00:00:00`; the file may hold anything,
    /// so control characters are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.since.date(), self.since.time());
        let (hour, minute, second) = time.as_hms();
        write!(
            f,
            "{} on {}, pid {}, for {} since {date} {hour:02}:{minute:02}:{second:02} UTC",
            self.user.escape_debug(),
            self.host.escape_debug(),
            self.pid,
            self.job.escape_debug(),
        )
    }
}

#[cfg(unix)]
fn user_number() -> String {
    format!("user {}", rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn user_number() -> String {
    env::var("USERNAME").unwrap_or_else(|_| "unknown".into())
}

#[cfg(unix)]
fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".into())
}
