//! `hil` on boards: another process holds the virtual boards, and `hil` reaches them by sockets and
//! pseudo-terminals as it reaches real ones by USB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(all(unix, feature = "virtual-board"))]

mod one;
mod pool;
mod rack;
mod relay;
#[path = "../support/served.rs"]
mod served;
#[path = "../support/mod.rs"]
mod support;
mod worn;
