use serde::{Deserialize, Serialize};

/// What the OLED shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DisplayEvent {
    /// The picture changed and then stayed for at least one refresh.
    Frame {
        /// The four rows of text that the harness could read from the picture, right-trimmed.
        lines: Vec<String>,
        /// SHA-256 over the 128x64 picture, one bit a pixel, as 64 hex digits.
        sha256: String,
    },
}
