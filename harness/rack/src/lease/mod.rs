//! The right to use one board, kept by a file lock.
//!
//! The lock is the kernel's (`flock`): it is gone when its holder is, however that ended. A lock
//! file is never removed, since a removed one could be locked by two. Whoever waits for a board
//! first locks its gate, so that a process which gives a board back does not at once take it again
//! while another waits.
//!
//! A child of the holder inherits the lock with its handle. It uses the board by that right, and
//! excludes its siblings by a lock of their own.

mod file;
mod folder;
mod holder;
mod inherited;
mod wedged;

use core::time::Duration;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::{Board, ProbeSerial};
pub use folder::FolderState;
pub use holder::Holder;
pub use wedged::Wedged;

/// How often a lock is tried while it is waited for.
const TICK: Duration = Duration::from_millis(20);

/// How often somebody who waits hears of it.
const NEWS: Duration = Duration::from_secs(10);

/// How long a look at a lock may keep another from taking it.
const LOOK: Duration = Duration::from_millis(60);

/// How long to wait for a board.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    /// The most wall time.
    pub deadline: Duration,
    /// Set it from anywhere, a signal handler for example, and the wait ends within a moment.
    pub cancel: &'a AtomicBool,
}

/// Whether somebody holds a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occupied {
    /// Nobody.
    Free,
    /// Somebody, who has perhaps said who.
    By(Option<Holder>),
}

/// Why a board is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// the board {board} is held by {holder}; waited {waited} s
    #[error("the board {board} is held by {}; waited {waited} s", who(.holder))]
    Held {
        /// The board's id.
        board: String,
        /// Who holds it, where that is known.
        holder: Option<Box<Holder>>,
        /// How long was waited, in seconds.
        waited: u64,
    },
    /// the board {board} is wedged {wedged}; bring it back with `hil rack recover {board}`, or by hand
    #[error(
        "the board {board} is wedged {wedged}; bring it back with `hil rack recover {board}`, or by hand"
    )]
    Wedged {
        /// The board's id.
        board: String,
        /// Since when and why.
        wedged: Wedged,
    },
    /// the wait for a board was cancelled
    #[error("the wait for a board was cancelled")]
    Cancelled,
    /// there is no folder {0} for leases; install ci/rack/hil.tmpfiles.conf, or name one in HIL_LOCK_DIR
    #[error(
        "there is no folder {0} for leases; install ci/rack/hil.tmpfiles.conf, or name one in HIL_LOCK_DIR"
    )]
    NoFolder(PathBuf),
    /// {what} {path} failed: {source}
    #[error("{what} {path} failed: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

fn who(holder: &Option<Box<Holder>>) -> String {
    match holder {
        Some(holder) => holder.to_string(),
        None => "somebody who has not said who".into(),
    }
}

/// Whether a board that is marked as wedged may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may not.
    Healthy,
    /// It may: to bring it back.
    EvenWedged,
}

/// The folder in which all users of a rack lock its boards.
#[derive(Clone, Debug)]
pub struct LeaseFolder(PathBuf);

impl LeaseFolder {
    /// The folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes `board` for `holder`, waiting for whoever has it. `news` hears who that is, now and
    /// then.
    ///
    /// # Errors
    /// It is not to be had in time, or it is wedged and `admission` does not allow that.
    pub fn acquire(
        &self,
        board: &Board,
        holder: &Holder,
        admission: Admission,
        patience: Patience<'_>,
        news: &mut dyn FnMut(Option<&Holder>),
    ) -> Result<Lease, LeaseError> {
        let started = Instant::now();
        let heir = self.is_heir(&board.probe_serial);
        let mut gate: Option<File> = None;
        let mut told: Option<Instant> = None;
        loop {
            if patience.cancel.load(Ordering::Relaxed) {
                return Err(LeaseError::Cancelled);
            }
            if heir {
                if let Some(file) = self.locked(&board.probe_serial, "heir")? {
                    return self.lease(file, board, holder, admission);
                }
            } else {
                if gate.is_none() {
                    gate = self.locked(&board.probe_serial, "gate")?;
                }
                if gate.is_some()
                    && let Some(file) = self.locked(&board.probe_serial, "lock")?
                {
                    return self.lease(file, board, holder, admission);
                }
            }
            if started.elapsed() >= patience.deadline.max(LOOK) {
                return Err(LeaseError::Held {
                    board: board.id.to_string(),
                    holder: self.holder(&board.probe_serial).map(Box::new),
                    waited: started.elapsed().as_secs(),
                });
            }
            let due = told.is_none_or(|told| told.elapsed() >= NEWS);
            if due && started.elapsed() > LOOK {
                told = Some(Instant::now());
                news(self.holder(&board.probe_serial).as_ref());
            }
            std::thread::sleep(TICK);
        }
    }

    /// Takes `board` for `holder` if it is free at this moment and nobody waits for it.
    ///
    /// # Errors
    /// It is wedged, or the folder cannot be used.
    pub fn try_acquire(&self, board: &Board, holder: &Holder) -> Result<Option<Lease>, LeaseError> {
        let probe = &board.probe_serial;
        let (gate, kind) = match self.is_heir(probe) {
            true => (None, "heir"),
            false => match self.locked(probe, "gate")? {
                None => return Ok(None),
                gate => (gate, "lock"),
            },
        };
        let file = self.locked(probe, kind)?;
        drop(gate);
        let Some(file) = file else {
            return Ok(None);
        };
        self.lease(file, board, holder, Admission::Healthy)
            .map(Some)
    }

    /// Whether somebody holds the board with this probe.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn occupied(&self, probe: &ProbeSerial) -> Result<Occupied, LeaseError> {
        let path = self.file(probe, "lock");
        let file = match file::open_existing(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Occupied::Free);
            }
            Err(source) => return Err(failed("opening", &path, source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Occupied::Free),
            Err(TryLockError::WouldBlock) => Ok(Occupied::By(self.holder(probe))),
            Err(TryLockError::Error(source)) => Err(failed("locking", &path, source)),
        }
    }

    /// Why the board with this probe is out of use, if it is marked so.
    pub fn wedged(&self, probe: &ProbeSerial) -> Option<Wedged> {
        Wedged::read(&self.file(probe, "wedged"))
    }

    /// Whether a parent of this process has leased the board for it.
    fn is_heir(&self, probe: &ProbeSerial) -> bool {
        inherited::is_held(&self.file(probe, "lock"))
    }

    fn file(&self, probe: &ProbeSerial, kind: &str) -> PathBuf {
        self.0.join(format!("{probe}.{kind}"))
    }

    fn holder(&self, probe: &ProbeSerial) -> Option<Holder> {
        let line = std::fs::read_to_string(self.file(probe, "lock")).ok()?;
        Holder::from_line(&line)
    }

    /// A file of the probe, locked; `None` if another has it.
    fn locked(&self, probe: &ProbeSerial, kind: &str) -> Result<Option<File>, LeaseError> {
        let path = self.file(probe, kind);
        let file = match file::open_or_create(&path) {
            Ok(file) => file,
            Err(_) if !self.0.is_dir() => return Err(LeaseError::NoFolder(self.0.clone())),
            Err(source) => return Err(failed("opening", &path, source)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed("locking", &path, source)),
        }
    }

    fn lease(
        &self,
        file: File,
        board: &Board,
        holder: &Holder,
        admission: Admission,
    ) -> Result<Lease, LeaseError> {
        if admission == Admission::Healthy
            && let Some(wedged) = self.wedged(&board.probe_serial)
        {
            let board = board.id.to_string();
            return Err(LeaseError::Wedged { board, wedged });
        }
        file::rewrite(&file, &holder.to_line())
            .map_err(|source| failed("writing", &self.file(&board.probe_serial, "lock"), source))?;
        Ok(Lease {
            file,
            wedged: self.file(&board.probe_serial, "wedged"),
        })
    }
}

fn failed(what: &'static str, path: &Path, source: std::io::Error) -> LeaseError {
    LeaseError::File {
        what,
        path: path.into(),
        source,
    }
}

/// The right to use one board, until it is dropped.
#[derive(Debug)]
pub struct Lease {
    file: File,
    wedged: PathBuf,
}

impl Lease {
    /// Marks the board as out of use until [`Lease::clear_wedged`].
    ///
    /// # Errors
    /// The marker cannot be written.
    pub fn mark_wedged(&self, wedged: &Wedged) -> Result<(), LeaseError> {
        file::open_or_create(&self.wedged)
            .and_then(|file| file::rewrite(&file, &wedged.to_line()))
            .map_err(|source| failed("writing", &self.wedged, source))
    }

    /// Takes the marker away: the board is well again.
    ///
    /// # Errors
    /// The marker cannot be emptied.
    pub fn clear_wedged(&self) -> Result<(), LeaseError> {
        match file::open_existing(&self.wedged) {
            // Emptied and not removed: in a sticky folder only its owner could remove it.
            Ok(file) => file::rewrite(&file, ""),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|source| failed("emptying", &self.wedged, source))
    }

    /// A handle that a child process inherits, so that the board stays held while the child runs
    /// even if this process is killed. Drop it once the child is started.
    ///
    /// # Errors
    /// The system is out of handles.
    #[cfg(unix)]
    pub fn inheritable(&self) -> std::io::Result<std::os::fd::OwnedFd> {
        Ok(rustix::io::dup(&self.file)?)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Both only tidy up: closing the file would free the board too, but not where a child
        // has inherited it.
        let _ = file::rewrite(&self.file, "");
        let _ = self.file.unlock();
    }
}
