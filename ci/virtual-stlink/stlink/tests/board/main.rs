//! The board's own tests, by the real ST-Link driver over a software USB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at what it does not expect"
)]

#[path = "../../../../../harness/board/tests/board/attaching.rs"]
mod attaching;
#[path = "../../../../../harness/board/tests/board/control_block.rs"]
mod control_block;
#[path = "../../../../../harness/board/tests/board/flashing.rs"]
mod flashing;
#[path = "../../../../../harness/board/tests/board/images.rs"]
mod images;
#[path = "../../../../../harness/board/tests/board/interrupted.rs"]
mod interrupted;
#[path = "../../../../../harness/board/tests/board/link.rs"]
mod link;
#[path = "../../../../../harness/board/tests/board/provisioning.rs"]
mod provisioning;
#[path = "../../../../../harness/board/tests/board/running.rs"]
mod running;
mod seat;
mod stlink;
#[path = "../../../../../harness/board/tests/board/support.rs"]
mod support;
