//! Tests of the processor: instructions, exceptions, time, and random programs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests stop at what is not as expected"
)]

#[path = "../qemu/ending.rs"]
mod ending;
mod exceptions;
mod fuzz;
mod instructions;
mod interrupted;
#[allow(dead_code, reason = "the comparison with QEMU uses more of it")]
#[path = "../qemu/sequences.rs"]
mod sequences;
#[allow(dead_code, reason = "the comparison with QEMU uses more of it")]
#[path = "../support/mod.rs"]
mod support;
#[path = "../qemu/templates.rs"]
mod templates;
mod time;
