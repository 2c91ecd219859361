//! The board: display, STSAFE, buttons, LEDs, console, power and reset, as a host sees them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../script/mod.rs"]
mod script;

mod devices;
mod master;
mod running;
