//! Where a rack's files are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use az3166_yaml::{Diagnostic, Source};

use crate::{ChipUid, LeaseFolder, Rack, parse};

/// The variable that names the rack file.
const RACK: &str = "HIL_RACK";
/// The variable that names the folder of leases.
const LOCKS: &str = "HIL_LOCK_DIR";
/// The variable that names the folder of records.
const STATE: &str = "HIL_STATE_DIR";

/// Where `ci/rack/hil.tmpfiles.conf` makes the folder of leases.
const SHARED_LOCKS: &str = "/run/lock/hil";
/// Where it makes the folder of records.
const SHARED_STATE: &str = "/var/lib/hil";
/// Where a machine's rack file is.
const SHARED_RACK: &str = "/etc/hil/rack.yaml";

/// What keeps a rack file from being used.
#[derive(Debug, thiserror::Error)]
pub enum RackError {
    /// there is no rack file: neither --rack nor HIL_RACK is given, and neither ./rack.yaml nor /etc/hil/rack.yaml exists; `hil rack scan` writes a draft
    #[error(
        "there is no rack file: neither --rack nor HIL_RACK is given, and neither ./rack.yaml nor /etc/hil/rack.yaml exists; `hil rack scan` writes a draft"
    )]
    None,
    /// reading {path} failed: {source}
    #[error("reading {path} failed: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// the rack file has mistakes
    #[error("the rack file has mistakes")]
    Wrong(Vec<Diagnostic>),
}

/// The rack file: `given`, else `$HIL_RACK`, else `./rack.yaml`, else `/etc/hil/rack.yaml`.
///
/// # Errors
/// There is none.
pub fn find_rack(given: Option<&Path>) -> Result<PathBuf, RackError> {
    let named = variable(RACK);
    if let Some(path) = given.map(Path::to_owned).or(named) {
        return Ok(path);
    }
    let usual = ["rack.yaml", SHARED_RACK].map(PathBuf::from);
    let mut there = usual.into_iter().filter(|path| path.is_file());
    there.next().ok_or(RackError::None)
}

impl Rack {
    /// Reads the rack file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or it has mistakes.
    pub fn read(path: &Path) -> Result<Self, RackError> {
        let bytes = fs::read(path).map_err(|source| RackError::Unreadable {
            path: path.into(),
            source,
        })?;
        let name = path.display().to_string();
        let source =
            Source::from_bytes(name, &bytes).map_err(|wrong| RackError::Wrong(vec![wrong]))?;
        parse(&source).map_err(RackError::Wrong)
    }
}

/// The folders that all users of a rack share.
#[derive(Clone, Debug)]
pub struct Places {
    /// Leases and markers.
    pub leases: LeaseFolder,
    /// Records of boards and the wear of their secure elements.
    pub state: PathBuf,
}

impl Places {
    /// `$HIL_LOCK_DIR` or `/run/lock/hil`; `$HIL_STATE_DIR`, or `/var/lib/hil` where that exists,
    /// or `hil` in the user's own folder for state.
    pub fn of_this_machine() -> Self {
        let leases = variable(LOCKS).unwrap_or_else(|| SHARED_LOCKS.into());
        Self {
            leases: LeaseFolder::new(leases),
            state: variable(STATE).unwrap_or_else(state),
        }
    }

    /// Where the flash of the chip `uid` is kept as it was before the board was taken over.
    pub fn backup(&self, uid: &ChipUid) -> PathBuf {
        self.state.join("backup").join(format!("{uid}.bin"))
    }
}

fn state() -> PathBuf {
    let shared = PathBuf::from(SHARED_STATE);
    if shared.is_dir() {
        return shared;
    }
    let own = variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    own.map_or(shared, |own| own.join("hil"))
}

fn variable(name: &str) -> Option<PathBuf> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}
