use serde::{Deserialize, Serialize};

/// Something the harness noticed that no step asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FindingEvent {
    /// A named finding.
    Finding {
        /// Its stable name: `secret-leak`, `device-id-key-recoverable`, `unmodelled-access` ...
        id: String,
        /// What was seen and where, without the secret itself.
        text: String,
    },
}
