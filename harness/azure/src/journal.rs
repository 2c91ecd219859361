//! What a run is about to make, written down first, so that another process can remove it.
//!
//! Each run has a file of its own and holds the kernel's lock on it: a file whose lock is free
//! belongs to a run that is over or was killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// The ending of the files' names.
const ENDING: &str = "jsonl";

/// Something that is about to be made: an enrolment, and the registration and the device that follow
/// from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Planned {
    /// Of enrolment and registration.
    pub registration_id: String,
    /// The device id, which names the run.
    pub device_id: String,
    /// The provisioning service's host.
    pub provisioning: String,
    /// The hub's host.
    pub hub: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Line {
    Planned(Planned),
    Removed(Planned),
}

/// {action} {path} failed: {error}
#[derive(Debug, thiserror::Error)]
#[error("{action} {} failed: {error}", path.display())]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    error: io::Error,
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |error| JournalError {
        action,
        path,
        error,
    }
}

/// The journal of one run.
pub struct Journal {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    outstanding: Vec<Planned>,
}

/// The journal of a run, or that somebody uses it.
pub(crate) enum Found {
    /// The run is over or was killed.
    Left(Journal),
    /// It goes on.
    InUse,
}

/// Where journals are kept: `hil/cloud` in the user's state folder (XDG Base Directory
/// Specification); none without a home.
pub fn default_folder(value: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let given = |name: &str| value(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let state = given("XDG_STATE_HOME").or_else(|| Some(given("HOME")?.join(".local/state")));
    Some(state?.join("hil/cloud"))
}

impl Journal {
    /// Begins the journal of `run` in `folder`.
    ///
    /// # Errors
    /// The folder or the file cannot be made.
    pub fn start(folder: &Path, run: &str) -> Result<Self, JournalError> {
        std::fs::create_dir_all(folder).map_err(failed("making", folder))?;
        let path = folder.join(format!("{run}.{ENDING}"));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(failed("making", &path))?;
        file.lock().map_err(failed("locking", &path))?;
        // The name must outlive a power cut as the lines do.
        let is_kept = File::open(folder).and_then(|folder| folder.sync_all());
        is_kept.map_err(failed("writing", folder))?;
        let outstanding = Vec::new();
        Ok(Self {
            path,
            inner: Mutex::new(Inner { file, outstanding }),
        })
    }

    /// All journals in `folder`, by their names.
    pub(crate) fn all(folder: &Path) -> Result<Vec<PathBuf>, JournalError> {
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("reading", folder))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("reading", folder))?.path();
            if path.extension().is_some_and(|it| it == ENDING) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Takes over the journal at `path`, if nobody uses it.
    pub(crate) fn open(path: &Path) -> Result<Found, JournalError> {
        let file = OpenOptions::new().read(true).append(true).open(path);
        let mut file = file.map_err(failed("opening", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Found::InUse),
            Err(TryLockError::Error(error)) => return Err(failed("locking", path)(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(failed("reading", path))?;
        let damaged = |error| failed("reading", path)(io::Error::other(error));
        Ok(Found::Left(Self {
            path: path.to_owned(),
            inner: Mutex::new(Inner {
                outstanding: outstanding(&bytes).map_err(damaged)?,
                file,
            }),
        }))
    }

    /// What was to be made and is not known to be gone.
    pub(crate) fn outstanding(&self) -> Vec<Planned> {
        self.lock().outstanding.clone()
    }

    /// Notes what is about to be made; it is on the disk when this returns.
    pub(crate) fn plan(&self, planned: &Planned) -> Result<(), JournalError> {
        let mut inner = self.lock();
        let line = Line::Planned(planned.clone());
        append(&mut inner.file, &line).map_err(failed("writing", &self.path))?;
        if !inner.outstanding.contains(planned) {
            inner.outstanding.push(planned.clone());
        }
        Ok(())
    }

    /// Notes that it is gone.
    pub(crate) fn removed(&self, planned: &Planned) -> Result<(), JournalError> {
        let mut inner = self.lock();
        let line = Line::Removed(planned.clone());
        append(&mut inner.file, &line).map_err(failed("writing", &self.path))?;
        inner.outstanding.retain(|other| other != planned);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.lock().outstanding.is_empty() {
            // An empty journal that stays does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn append(file: &mut File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// A last line without its end was being written when the process died: what it announces was not
/// made.
fn outstanding(bytes: &[u8]) -> Result<Vec<Planned>, String> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n');
    let whole = &bytes[..whole.map_or(0, |at| at + 1)];
    let mut outstanding = Vec::new();
    for (index, line) in whole.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice(line) {
            Ok(Line::Planned(planned)) => {
                if !outstanding.contains(&planned) {
                    outstanding.push(planned);
                }
            }
            Ok(Line::Removed(removed)) => outstanding.retain(|other| *other != removed),
            Err(error) => return Err(format!("line {}: {error}", index + 1)),
        }
    }
    Ok(outstanding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(id: &str) -> Planned {
        Planned {
            registration_id: id.into(),
            device_id: format!("hil-{id}"),
            provisioning: "dps.example".into(),
            hub: "hub.example".into(),
        }
    }

    #[test]
    fn what_is_planned_is_known_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::start(folder.path(), "run").unwrap();
        for id in ["a", "b", "a"] {
            journal.plan(&planned(id)).unwrap();
        }
        let path = &Journal::all(folder.path()).unwrap()[0];
        assert!(matches!(Journal::open(path), Ok(Found::InUse)));
        assert!(Journal::start(folder.path(), "run").is_err());
        journal.removed(&planned("a")).unwrap();
        drop(journal);
        let Found::Left(journal) = Journal::open(path).unwrap() else {
            panic!("it is in use");
        };
        assert_eq!(journal.outstanding(), [planned("b")]);
        journal.removed(&planned("b")).unwrap();
        drop(journal);
        assert!(Journal::all(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn a_torn_line_is_nothing_and_a_damaged_one_an_error() {
        let line = serde_json::to_string(&Line::Planned(planned("a"))).unwrap();
        let whole = outstanding(format!("{line}\n{}", &line[..20]).as_bytes());
        assert_eq!(whole, Ok(vec![planned("a")]));
        let damaged = outstanding(format!("{line}\n{}\n", &line[..20]).as_bytes());
        assert!(damaged.unwrap_err().starts_with("line 2: "));
        assert_eq!(outstanding(b"{"), Ok(vec![]));
    }

    #[test]
    fn the_folder_follows_the_environment() {
        let folder = |name: &'static str, value: &'static str| {
            default_folder(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(folder("XDG_STATE_HOME", "/s"), Some("/s/hil/cloud".into()));
        let home = Some("/h/.local/state/hil/cloud".into());
        assert_eq!(folder("HOME", "/h"), home);
        assert_eq!(folder("HOME", ""), None);
    }
}
