//! Renodes that wait for their next board.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use az3166_stsafe::SecureElement;

use super::Session;

/// Renodes whose board is gone, for the next ones. To start one and to compile the platform's C#
/// takes ten times as long as to make a machine in one that runs.
///
/// The last clone that goes takes them with it.
#[derive(Clone, Default)]
pub struct Spares(Arc<Mutex<Vec<Session>>>);

impl Spares {
    /// One that runs, if there is any.
    pub(crate) fn take(&self) -> Option<Session> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.pop()
    }

    /// Keeps a Renode that is well; ends any other.
    pub(crate) fn give(&self, mut session: Session, model: &mut SecureElement) {
        if session.renew(model).is_ok() {
            let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.push(session);
        }
    }
}

impl fmt::Debug for Spares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spares")
    }
}
