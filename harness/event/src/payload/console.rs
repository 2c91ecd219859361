use serde::{Deserialize, Serialize};

/// What passed over the serial console.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsoleEvent {
    /// One line that the device printed, without its line end, secrets masked.
    Line {
        /// The line's text; bytes that are not UTF-8 are replaced.
        text: String,
    },
    /// The device printed its prompt and waits for a command.
    Prompt,
    /// One line that the harness typed, secrets masked.
    Typed {
        /// The line's text without its carriage return.
        text: String,
    },
}
