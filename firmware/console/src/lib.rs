//! The console: bytes become lines, lines become words, words become commands.
//!
//! Nothing here does I/O or writes to the secure element; what a command does is the caller's.
#![no_std]
#![forbid(unsafe_code)]

mod command;
mod editor;
#[doc(hidden)]
pub mod fuzzing;
mod value;
mod words;

pub use command::{COMMANDS, Command, CommandError, Usage, parse};
pub use editor::{Echo, Editor, INPUT_MAX};
pub use value::{InvalidValue, endpoint, id_scope, mac, registration_id, transport};
pub use words::{SyntaxError, WORDS_MAX, split};
