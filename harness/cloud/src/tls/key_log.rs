//! Session secrets in the NSS key log format, for reading a capture.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::KeyLog;

/// Keeps each session's line until it is taken, but not more than `limit`.
pub(super) struct Lines {
    lines: Mutex<VecDeque<String>>,
    limit: usize,
}

impl core::fmt::Debug for Lines {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("key log")
    }
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            lines: Mutex::default(),
            limit,
        }
    }

    pub(super) fn take(&self) -> Vec<String> {
        core::mem::take(&mut *self.lines()).into()
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyLog for Lines {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!(
            "{label} {} {}",
            hex::encode(client_random),
            hex::encode(secret)
        );
        let mut lines = self.lines();
        if lines.len() >= self.limit {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}
