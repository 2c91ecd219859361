//! Whether the lease folder is one that all users of a rack can share.

use core::fmt;

use super::LeaseFolder;

/// What the lease folder is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderState {
    /// Its group can write to it, its files take over its group, and nobody can remove another's.
    Shared {
        /// Its mode.
        mode: u32,
        /// Its group's number.
        group: u32,
    },
    /// It is not there.
    Missing,
    /// It is there and works for this user, but not for all.
    Unshared {
        /// Its mode.
        mode: u32,
        /// Which properties it lacks.
        lacks: Vec<&'static str>,
    },
    /// This user cannot write to it.
    Denied {
        /// Its mode.
        mode: u32,
        /// Its group's number.
        group: u32,
    },
}

impl fmt::Display for FolderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared { mode, group } => write!(f, "mode {mode:04o}, group {group}"),
            Self::Missing => f.write_str("not there"),
            Self::Unshared { mode, lacks } => {
                write!(f, "mode {mode:04o}: {}", lacks.join(", "))
            }
            Self::Denied { mode, group } => write!(
                f,
                "mode {mode:04o}, group {group}: this user cannot write to it"
            ),
        }
    }
}

impl LeaseFolder {
    /// Looks at the folder.
    #[cfg(unix)]
    pub fn state(&self) -> FolderState {
        use std::os::unix::fs::MetadataExt as _;
        let Ok(metadata) = std::fs::metadata(self.path()) else {
            return FolderState::Missing;
        };
        if !metadata.is_dir() {
            return FolderState::Missing;
        }
        let (mode, group) = (metadata.mode() & 0o7777, metadata.gid());
        let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        if rustix::fs::access(self.path(), access).is_err() {
            return FolderState::Denied { mode, group };
        }
        match lacks(mode) {
            lacks if lacks.is_empty() => FolderState::Shared { mode, group },
            lacks => FolderState::Unshared { mode, lacks },
        }
    }

    /// Looks at the folder.
    #[cfg(not(unix))]
    pub fn state(&self) -> FolderState {
        match self.path().is_dir() {
            true => FolderState::Shared { mode: 0, group: 0 },
            false => FolderState::Missing,
        }
    }
}

/// What keeps a folder of this mode from being shared.
#[cfg(unix)]
fn lacks(mode: u32) -> Vec<&'static str> {
    [
        (0o070, "its group cannot read, write and enter it"),
        (
            0o1000,
            "it is not sticky, so anybody can remove a lock file",
        ),
        (0o2000, "its files do not take over its group (setgid)"),
    ]
    .into_iter()
    .filter(|(bits, _)| mode & bits != *bits)
    .map(|(_, what)| what)
    .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt as _;

    #[rstest]
    #[case(0o3775, 0)]
    #[case(0o1777, 1)]
    #[case(0o2775, 1)]
    #[case(0o755, 3)]
    fn what_a_mode_lacks(#[case] mode: u32, #[case] lacking: usize) {
        assert_eq!(lacks(mode).len(), lacking);
    }

    #[test]
    fn a_folder_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let leases = LeaseFolder::new(folder.path());
        let set = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path(), mode).unwrap();
        };
        set(0o3775);
        assert!(matches!(
            leases.state(),
            FolderState::Shared { mode: 0o3775, .. }
        ));
        set(0o700);
        assert!(matches!(leases.state(), FolderState::Unshared { .. }));
        let missing = LeaseFolder::new(folder.path().join("none"));
        assert_eq!(missing.state(), FolderState::Missing);
    }
}
