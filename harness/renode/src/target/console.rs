//! The console: Renode writes what the device prints into a file, before time goes on.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::RenodeError;
use crate::session::path_word;

/// What the device prints.
pub struct ConsoleFile {
    path: PathBuf,
    file: Option<File>,
}

impl ConsoleFile {
    /// The console in `folder`; an earlier board's is removed.
    ///
    /// # Errors
    /// The earlier one cannot be removed.
    pub fn in_folder(folder: &Path) -> Result<Self, RenodeError> {
        let path = folder.join("console");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(RenodeError::io("an earlier board's console")(error))
            }
            _ => Ok(Self { path, file: None }),
        }
    }

    /// The command that makes Renode write there.
    pub fn command(&self) -> String {
        let path = path_word(&self.path);
        format!("sysbus.usart6 CreateFileBackend {path} true")
    }

    /// What was printed since the last call.
    pub fn take(&mut self) -> Result<Vec<u8>, RenodeError> {
        let failed = || RenodeError::io("the console's file");
        let file = match &mut self.file {
            Some(file) => file,
            None => match File::open(&self.path) {
                Ok(file) => self.file.insert(file),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(failed()(error)),
            },
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed())?;
        Ok(bytes)
    }
}

/// The commands that type `bytes`, in lines that the Monitor takes.
pub fn typing(bytes: &[u8]) -> Vec<String> {
    const IN_ONE: usize = 32;
    bytes
        .chunks(IN_ONE)
        .map(|chunk| {
            let commands: Vec<String> = chunk
                .iter()
                .map(|byte| format!("sysbus.usart6 WriteChar {byte:#04x}"))
                .collect();
            commands.join("; ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_typed_in_pieces() {
        assert_eq!(
            typing(b"a\r"),
            ["sysbus.usart6 WriteChar 0x61; sysbus.usart6 WriteChar 0x0d"]
        );
        assert_eq!(typing(&[b'x'; 65]).len(), 3);
        assert!(typing(b"").is_empty());
    }

    #[test]
    fn bytes_are_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut console = ConsoleFile::in_folder(folder.path()).unwrap();
        assert!(console.take().unwrap().is_empty());
        let path = folder.path().join("console");
        std::fs::write(&path, "one").unwrap();
        assert_eq!(console.take().unwrap(), b"one");
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        std::io::Write::write_all(&mut file, b"two").unwrap();
        assert_eq!(console.take().unwrap(), b"two");
        assert!(console.take().unwrap().is_empty());
        let mut next = ConsoleFile::in_folder(folder.path()).unwrap();
        assert!(next.take().unwrap().is_empty());
    }
}
