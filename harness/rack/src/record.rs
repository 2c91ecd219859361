//! What is known of each board from earlier runs. Written under the board's lease.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ProbeSerial;

/// How the use of a board ended, as far as the board is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked; what the firmware did is another matter.
    Worked,
    /// The board, its probe or its wiring gave trouble.
    Trouble,
}

/// A board's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardRecord {
    /// How often it was used.
    #[serde(default)]
    pub uses: u64,
    /// How often it gave trouble.
    #[serde(default)]
    pub troubles: u64,
    /// How often in a row it has given trouble now.
    #[serde(default)]
    pub in_a_row: u64,
}

/// The histories of all boards of a machine.
#[derive(Clone, Debug)]
pub struct Records(PathBuf);

impl Records {
    /// The histories in the folder for state.
    pub fn below(state: &Path) -> Self {
        Self(state.join("boards"))
    }

    /// The history of the board with this probe; a clean one where none can be read.
    pub fn of(&self, probe: &ProbeSerial) -> BoardRecord {
        let text = fs::read_to_string(self.path(probe)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Writes down how a use of the board ended.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn count(&self, probe: &ProbeSerial, outcome: Outcome) -> io::Result<BoardRecord> {
        let mut record = self.of(probe);
        record.uses += 1;
        match outcome {
            Outcome::Worked => record.in_a_row = 0,
            Outcome::Trouble => {
                record.troubles += 1;
                record.in_a_row += 1;
            }
        }
        write_whole(&self.path(probe), &record)?;
        Ok(record)
    }

    fn path(&self, probe: &ProbeSerial) -> PathBuf {
        self.0.join(format!("{probe}.json"))
    }
}

/// Replaces the file at `path` by `value` as JSON: whole or not at all, for the whole group.
pub fn write_whole(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_shared(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    // Asked for at its creation, the mode would be cut by the user's umask.
    #[cfg(unix)]
    file.as_file()
        .set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o664))?;
    serde_json::to_writer(&mut file, value)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Makes the folder where it is missing, as open to the group as the one that it is in.
///
/// # Errors
/// It cannot be made.
pub fn make_shared(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    if let Some(above) = folder.parent() {
        fs::set_permissions(folder, fs::metadata(above)?.permissions())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_counted_and_forgiven() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::below(folder.path());
        let probe = ProbeSerial::try_from("066EFF".to_owned()).unwrap();
        assert_eq!(records.of(&probe), BoardRecord::default());
        for outcome in [Outcome::Trouble, Outcome::Trouble] {
            records.count(&probe, outcome).unwrap();
        }
        assert_eq!(records.of(&probe).in_a_row, 2);
        let record = records.count(&probe, Outcome::Worked).unwrap();
        assert_eq!((record.uses, record.troubles, record.in_a_row), (3, 2, 0));
        fs::write(records.path(&probe), "{").unwrap();
        assert_eq!(records.of(&probe), BoardRecord::default());
    }
}
