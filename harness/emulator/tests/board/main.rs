//! The board: display, STSAFE, buttons, LEDs, console, power and reset, as a host sees them.

#[path = "../script/mod.rs"]
mod script;

mod devices;
mod master;
mod running;
