//! Real probe-rs and serialport code on a virtual board.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at what it does not expect"
)]

mod attaching;
mod console_probe;
mod control_block;
mod flashing;
mod images;
mod interrupted;
mod link;
mod provisioning;
mod running;
mod seat;
mod support;
