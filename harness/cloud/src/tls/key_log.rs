//! Session secrets in the NSS key log format, for reading a capture.

use std::sync::{Mutex, PoisonError};

use rustls::KeyLog;

/// Keeps each session's line until it is taken.
#[derive(Default)]
pub(super) struct Lines(Mutex<Vec<String>>);

impl core::fmt::Debug for Lines {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("key log")
    }
}

impl Lines {
    pub(super) fn take(&self) -> Vec<String> {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyLog for Lines {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!(
            "{label} {} {}",
            hex::encode(client_random),
            hex::encode(secret)
        );
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}
