//! The secrets of TLS sessions in a file, with which a capture can be read (SSLKEYLOGFILE format,
//! draft-ietf-tls-keylogfile).

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::authority::open_private;

/// Opens the file, made for its owner alone where it is new; what is in it stays.
///
/// # Errors
/// It cannot be opened, or others may read it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut file = open_private(path)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata()?) & 0o777;
        if mode & 0o077 != 0 {
            let text = format!("it is open to other users (mode {mode:o})");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
    }
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// Appends lines.
///
/// # Errors
/// The disk is full, or broken.
pub(crate) fn append(file: &mut File, lines: &[String]) -> io::Result<()> {
    let text: String = lines
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect();
    file.write_all(zeroize::Zeroizing::new(text).as_bytes())
}
