use serde::{Deserialize, Serialize};

/// The scenario's own progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StepEvent {
    /// A step began.
    Begin {
        /// Its number in the file, from 1.
        step: u32,
        /// Its verb.
        verb: String,
    },
    /// A step held.
    Passed {
        /// Its number in the file, from 1.
        step: u32,
    },
    /// A step did not hold.
    Failed {
        /// Its number in the file, from 1.
        step: u32,
        /// What was expected.
        expected: String,
        /// The nearest thing that was seen.
        seen: String,
    },
    /// A step was passed over.
    Skipped {
        /// Its number in the file, from 1.
        step: u32,
        /// Why.
        reason: String,
    },
}
