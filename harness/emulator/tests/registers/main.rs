//! The peripherals, register by register: their tables against ST's own descriptions, and their
//! behaviour by scripts of reads, writes and waits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../script/mod.rs"]
mod script;

mod against_st;
mod clock;
mod counters;
mod flash;
mod i2c;
mod pins;
mod reset_values;
mod robust;
mod serial;
