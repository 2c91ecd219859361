//! Files that are never half written: beside and renamed.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// writing {path} failed: {error}
    #[error("writing {} failed: {error}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// making {what} failed: {reason}
    #[error("making {what} failed: {reason}")]
    Make {
        /// The kind of report.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl ReportError {
    fn write(path: &Path, error: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            error,
        }
    }
}

/// Makes the folder `path` and those above it.
pub fn make_folder(path: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(path).map_err(|error| ReportError::write(path, error))
}

/// Replaces the file `path` by `contents` at once: a reader sees the old or the new file.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), ReportError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || -> io::Result<()> {
        let mut beside = tempfile::Builder::new();
        beside.prefix(".hil-");
        // Temporary files are private; reports are for everybody whom the folder is for.
        #[cfg(unix)]
        beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = beside.tempfile_in(folder)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| ReportError::write(path, error))
}

/// Removes the file `path`, if it is there.
pub fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ReportError::write(path, error))
        }
        _ => Ok(()),
    }
}

/// Removes the folder `path` with all that is in it, if it is there.
pub fn remove_folder(path: &Path) -> Result<(), ReportError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ReportError::write(path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn the_error_names_the_file() {
        let error = replace(Path::new("/nowhere/at/all.txt"), b"").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("writing /nowhere/at/all.txt failed: ")
        );
    }
}
