//! `hil console` as a user meets it: in a pipe, and on a terminal.
#![allow(clippy::unwrap_used, reason = "a test helper may panic")]

mod pipe;
#[cfg(unix)]
mod terminal;

/// The tutorial's sample.
const UDS: &str = "19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae";
