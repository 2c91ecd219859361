//! What outlives a restart: a journal of changes, written before the answer that tells of them.
//!
//! Each change is one line with a checksum, handed to the system before any byte of the answer
//! leaves: a kill of this process at any moment loses nothing that was answered. To the disk it is
//! synchronised once a second, so that a power cut loses a second at most. The journal is compacted
//! at start and whenever it has outgrown what it stands for.

pub(crate) mod frame;

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use az3166_cloud::state::{Change, StateError};
use zeroize::Zeroizing;

use crate::authority::{Readers, open_private, replace};
use frame::{Damage, HEADER};

/// A journal of fewer bytes is not compacted while the server runs.
const SMALL: u64 = 16 * 1024 * 1024;

/// A journal may be this many times as long as when it was compacted last.
const GROWTH: u64 = 4;

/// The journal.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    file: File,
    length: u64,
    /// The length after the last compaction.
    compact: u64,
    /// Whether something was written that is not synchronised.
    dirty: bool,
    /// Held for as long as the journal is.
    _lock: File,
}

/// What a journal held.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The changes, in order.
    pub(crate) changes: Vec<Change>,
    /// Bytes of an incomplete last line, which were dropped.
    pub(crate) torn: usize,
}

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses the state file {path}.
    #[error(
        "another process uses the state file {}: end it, or name another file with --state",
        path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// {path} is not a state file of `hil serve`.
    #[error("{} is not a state file of `hil serve`: name another one with --state", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// {path} is damaged: line {line} has a wrong checksum.
    #[error(
        "{} is damaged: line {line} has a wrong checksum; remove that line to lose what it says, or the file to begin anew",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// {path}, line {line}: {error}.
    #[error("{}, line {line}: {error}", path.display())]
    Change {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: StateError,
    },
    /// {doing} the state file {path} failed: {error}.
    #[error("{doing} the state file {} failed: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
}

impl Store {
    /// Opens or makes the journal `path`, for this process alone.
    ///
    /// # Errors
    /// Another process uses it, or it is no journal, or a damaged one.
    pub(crate) fn open(path: &Path) -> Result<(Self, Loaded), StoreError> {
        let failed = |doing| move |error| io_error(doing, path, error);
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = open_private(Path::new(&name)).map_err(failed("locking"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Busy {
                path: path.to_owned(),
            },
            TryLockError::Error(error) => io_error("locking", path, error),
        })?;
        let mut file = open_private(path).map_err(failed("opening"))?;
        let mut bytes = Zeroizing::new(Vec::new());
        file.read_to_end(&mut bytes).map_err(failed("reading"))?;
        let lines = frame::split(&bytes).map_err(|damage| match damage {
            Damage::NotOurs => StoreError::NotOurs {
                path: path.to_owned(),
            },
            Damage::Line { number } => StoreError::Damaged {
                path: path.to_owned(),
                line: number,
            },
        })?;
        let change = |(line, text): &(usize, &str)| {
            Change::from_line(text).map_err(|error| StoreError::Change {
                path: path.to_owned(),
                line: *line,
                error,
            })
        };
        let changes = lines.texts.iter().map(change);
        let loaded = Loaded {
            changes: changes.collect::<Result<_, _>>()?,
            torn: lines.torn,
        };
        let store = Self {
            path: path.to_owned(),
            file,
            length: 0,
            compact: 0,
            dirty: false,
            _lock: lock,
        };
        Ok((store, loaded))
    }

    /// Appends changes; they survive the end of this process from now on.
    ///
    /// # Errors
    /// The disk is full, or broken.
    pub(crate) fn append(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut text = Zeroizing::new(String::new());
        for change in changes {
            text.push_str(&frame::line(&change.expose_line()));
        }
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| io_error("writing", &self.path, error))?;
        self.length += text.len() as u64;
        self.dirty = true;
        Ok(())
    }

    /// Whether the journal is much longer than what it stands for.
    pub(crate) fn is_overgrown(&self) -> bool {
        self.length > SMALL && self.length > self.compact.saturating_mul(GROWTH)
    }

    /// Puts `snapshot` in the place of the journal: written beside, synchronised, renamed.
    ///
    /// # Errors
    /// The disk is full, or broken; the old journal is still there then.
    pub(crate) fn compact(
        &mut self,
        snapshot: impl Iterator<Item = Change>,
    ) -> Result<(), StoreError> {
        let mut text = Zeroizing::new(frame::line(HEADER).to_string());
        for change in snapshot {
            text.push_str(&frame::line(&change.expose_line()));
        }
        let failed = |error| io_error("compacting", &self.path, error);
        replace(&self.path, text.as_bytes(), Readers::Owner).map_err(failed)?;
        let mut file = open_private(&self.path).map_err(failed)?;
        self.length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        self.compact = self.length;
        self.file = file;
        self.dirty = false;
        Ok(())
    }

    /// The file, where something in it is not synchronised; the caller does that.
    pub(crate) fn take_dirty(&mut self) -> Option<io::Result<File>> {
        core::mem::take(&mut self.dirty).then(|| self.file.try_clone())
    }

    /// The error that synchronising failed with.
    pub(crate) fn sync_error(&self, error: io::Error) -> StoreError {
        io_error("synchronising", &self.path, error)
    }
}

fn io_error(doing: &'static str, path: &Path, error: io::Error) -> StoreError {
    StoreError::Io {
        doing,
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use az3166_cloud::state::ItemKey;

    use super::*;

    fn deletion(id: &str) -> Change {
        Change::Delete(ItemKey::Enrolment(id.into()))
    }

    #[test]
    fn a_second_process_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = Store::open(&path).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Busy { .. })));
        drop(first);
        Store::open(&path).unwrap();
    }

    #[test]
    fn a_torn_line_is_dropped_and_a_damaged_one_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (mut store, _) = Store::open(&path).unwrap();
        store.compact(std::iter::empty()).unwrap();
        let changes = [deletion("a"), deletion("b"), deletion("c")];
        store.append(&changes).unwrap();
        drop(store);
        let whole = fs::read(&path).unwrap();

        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (mut store, loaded) = Store::open(&path).unwrap();
        assert_eq!(loaded.changes, changes[..2]);
        assert!(loaded.torn > 0);
        store.compact(loaded.changes.into_iter()).unwrap();
        store.append(&changes[2..]).unwrap();
        drop(store);
        assert_eq!(fs::read(&path).unwrap(), whole);

        let mut damaged = whole.clone();
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 20;
        damaged[second] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { line: 2, .. }),
            "{error}"
        );

        fs::write(&path, "something else\n").unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotOurs { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"something else\n");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (mut store, _) = Store::open(&path).unwrap();
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        store.compact(std::iter::empty()).unwrap();
        assert_eq!(mode(), 0o600);
    }
}
