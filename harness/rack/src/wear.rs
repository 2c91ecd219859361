//! How often a board's secure element was written, against a budget.
//!
//! Its memory is EEPROM, which wears by writing, and its datasheet's endurance is not public. Writes
//! are counted for each zone and each chip, whatever board and probe the chip is behind today.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ChipUid;
use crate::record::write_whole;

/// Write cycles that a cell is assumed to bear: what ST's data sheets give for data EEPROM over the
/// whole range of temperature (STM8AL31xx, table "data memory": 100 000 cycles from -40 to 125 °C).
/// The STSAFE-A100's own figure is not public; it is hardly lower.
pub const ASSUMED_ENDURANCE: u64 = 100_000;

/// Writes to one zone after which a board is not written any more: a tenth of
/// [`ASSUMED_ENDURANCE`], since the element may write more cells than it is told to.
pub const WRITE_BUDGET: u64 = ASSUMED_ENDURANCE / 10;

/// How often each zone was written, and what the settings among them are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneWrites {
    /// Writes by zone.
    pub zones: BTreeMap<u8, u64>,
    /// What was typed last after each command that sets something which is kept there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// Why a secure element is not written.
#[derive(Debug, thiserror::Error)]
pub enum WearError {
    /// zone {zone} of the secure element beside chip {uid} was written {writes} times, and the budget is {budget}
    #[error(
        "zone {zone} of the secure element beside chip {uid} was written {writes} times, and the budget is {budget}"
    )]
    OverBudget {
        /// The chip's unique id.
        uid: ChipUid,
        /// The zone.
        zone: u8,
        /// The writes so far.
        writes: u64,
        /// The budget.
        budget: u64,
    },
    /// the count of writes in {path} cannot be used: {reason}; repair or remove the file
    #[error("the count of writes in {path} cannot be used: {reason}; repair or remove the file")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The wear of one board's secure element. The caller holds the board's lease.
#[derive(Debug)]
pub struct Wear {
    path: PathBuf,
    uid: ChipUid,
    budget: u64,
    writes: ZoneWrites,
}

impl Wear {
    /// The wear of the element beside the chip `uid`, kept below the folder for state. `budget` is
    /// the most writes to one zone, [`WRITE_BUDGET`] where nobody has another wish.
    ///
    /// # Errors
    /// The count cannot be read; it is not taken for zero then.
    pub fn open(state: &Path, uid: &ChipUid, budget: u64) -> Result<Self, WearError> {
        let path = state.join("wear").join(format!("{uid}.json"));
        let broken = |reason: String| WearError::File {
            path: path.clone(),
            reason,
        };
        let writes = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => ZoneWrites::default(),
            Err(error) => return Err(broken(error.to_string())),
        };
        Ok(Self {
            path,
            uid: uid.clone(),
            budget,
            writes,
        })
    }

    /// How often each zone was written.
    pub const fn writes(&self) -> &ZoneWrites {
        &self.writes
    }

    /// Counts a write to `zone` that is about to be made: one that is counted but then not made
    /// does no harm.
    ///
    /// # Errors
    /// The budget is used up, or the count cannot be kept: the write must not be made then.
    pub fn spend(&mut self, zone: u8) -> Result<(), WearError> {
        let writes = self.writes.zones.get(&zone).copied().unwrap_or_default();
        if writes >= self.budget {
            return Err(WearError::OverBudget {
                uid: self.uid.clone(),
                zone,
                writes,
                budget: self.budget,
            });
        }
        let mut next = self.writes.clone();
        next.zones.insert(zone, writes + 1);
        self.keep(next)
    }

    /// Remembers that `value` is about to be typed after `command`.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn set(&mut self, command: &str, value: &str) -> Result<(), WearError> {
        let mut next = self.writes.clone();
        next.settings.insert(command.to_owned(), value.to_owned());
        self.keep(next)
    }

    fn keep(&mut self, next: ZoneWrites) -> Result<(), WearError> {
        write_whole(&self.path, &next).map_err(|error| WearError::File {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        self.writes = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_counted_up_to_the_budget() {
        let state = tempfile::tempdir().unwrap();
        let uid = ChipUid::from_bytes([0xAB; 12]);
        let open = || Wear::open(state.path(), &uid, 3).unwrap();
        for _ in 0..3 {
            open().spend(6).unwrap();
        }
        open().spend(5).unwrap();
        let refused = open().spend(6).unwrap_err();
        insta::assert_snapshot!(refused, @"zone 6 of the secure element beside chip abababababababababababab was written 3 times, and the budget is 3");
        assert_eq!(open().writes().zones, BTreeMap::from([(5, 1), (6, 3)]));
        open().set("set_mac", "0200deadbeef").unwrap();
        open().set("set_mac", "020000000001").unwrap();
        let kept = BTreeMap::from([("set_mac".to_owned(), "020000000001".to_owned())]);
        assert_eq!(open().writes().settings, kept);
    }

    #[test]
    fn a_broken_count_is_not_zero() {
        let state = tempfile::tempdir().unwrap();
        let uid = ChipUid::from_bytes([1; 12]);
        Wear::open(state.path(), &uid, 3).unwrap().spend(6).unwrap();
        let path = state.path().join("wear").join(format!("{uid}.json"));
        std::fs::write(&path, "{\"zones\":").unwrap();
        assert!(matches!(
            Wear::open(state.path(), &uid, 3),
            Err(WearError::File { .. })
        ));
    }
}
