//! Files that are never half written, and files that hold keys.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::exit::Failure;

/// Reads an input that the user named.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::usage(format!("reading {} failed: {error}", path.display())))
}

/// Replaces `path` by `contents`, written beside and renamed.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    replace_with_mode(path, contents, 0o644)
}

/// Replaces `path` by `contents`, which are for its owner's eyes only.
pub fn replace_private(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    replace_with_mode(path, contents, 0o600)
}

fn replace_with_mode(path: &Path, contents: &[u8], mode: u32) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut beside = tempfile::Builder::new();
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    beside
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .and_then(|mut file| {
            file.write_all(contents)?;
            file.persist(path).map_err(io::Error::from)
        })
        .map(drop)
        .map_err(|error| failed(path, &error))
}

/// Writes a key to a new file that only its owner can read; an existing one is left alone.
pub fn create_private(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(format!(
            "{} exists and a key file is never overwritten; remove it or name another",
            path.display()
        )),
        _ => failed(path, &error),
    })?;
    file.write_all(contents)
        .map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::infrastructure(format!("writing {} failed: {error}", path.display()))
}
