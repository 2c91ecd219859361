//! The debug port as a debug probe sees it: every trap that a debugger can fall into.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at what it does not expect"
)]

mod core_debug;
mod host;
mod transfers;
