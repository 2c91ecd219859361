//! A folder that only its owner can look into, and files in it that are never half written.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder for keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateFolder(PathBuf);

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone.
    Owner,
    /// Everybody who may look into the folder.
    All,
}

/// Why a folder for keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// {path} is open to other users (mode {mode:o}): `chmod 700` it, or name another folder.
    #[error(
        "{} is open to other users (mode {mode:o}): `chmod 700` it, or name another folder",
        path.display()
    )]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// {doing} {path} failed: {error}.
    #[error("{doing} {} failed: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// Another process has held {path} for {seconds} s.
    #[error("another process has held {} for {seconds} s", path.display())]
    Busy {
        /// The lock's file.
        path: PathBuf,
        /// For how long it was tried.
        seconds: u64,
    },
}

/// How long another process may take to make a folder's keys.
const LOCK_TIME: Duration = Duration::from_secs(60);

impl PrivateFolder {
    /// Makes the folder, or says that it is there and closed to others.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(path)
            .map_err(|error| failed("making", path, error))?;
        #[cfg(unix)]
        {
            let metadata = fs::metadata(path).map_err(|error| failed("reading", path, error))?;
            let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
            if mode & 0o077 != 0 {
                let path = path.to_owned();
                return Err(FolderError::Open { path, mode });
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What stands in a file; `None` when it is not there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("reading", &path, error)),
        }
    }

    /// Replaces a file: written beside, synchronised, renamed.
    pub(crate) fn replace(
        &self,
        name: &str,
        contents: &[u8],
        readers: Readers,
    ) -> Result<(), FolderError> {
        let path = self.path(name);
        replace(&path, contents, readers).map_err(|error| failed("writing", &path, error))
    }

    /// Waits until no other process changes the folder; the lock ends with the value.
    pub(crate) fn lock(&self) -> Result<File, FolderError> {
        let path = self.path("lock");
        let file = open_private(&path).map_err(|error| failed("opening", &path, error))?;
        let started = Instant::now();
        while let Err(error) = file.try_lock() {
            match error {
                fs::TryLockError::WouldBlock if started.elapsed() < LOCK_TIME => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                fs::TryLockError::WouldBlock => {
                    let seconds = LOCK_TIME.as_secs();
                    return Err(FolderError::Busy { path, seconds });
                }
                fs::TryLockError::Error(error) => return Err(failed("locking", &path, error)),
            }
        }
        Ok(file)
    }
}

/// Opens a file for reading and writing, made for its owner alone where it is new.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Replaces the file `path`: written beside, synchronised, renamed, the folder synchronised.
pub(crate) fn replace(path: &Path, contents: &[u8], readers: Readers) -> io::Result<()> {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new();
    #[cfg(unix)]
    {
        let mode = match readers {
            Readers::Owner => 0o600,
            Readers::All => 0o644,
        };
        beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = beside.tempfile_in(parent)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(io::Error::from)?;
    // A folder can be opened for reading on Unix alone.
    #[cfg(unix)]
    File::open(parent)?.sync_all()?;
    Ok(())
}

fn failed(doing: &'static str, path: &Path, error: io::Error) -> FolderError {
    FolderError::Io {
        doing,
        path: path.to_owned(),
        error,
    }
}
