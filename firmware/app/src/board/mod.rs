//! The hardware, one peripheral a file. Registers: reference manual RM0402.

pub mod buttons;
pub mod clocks;
pub mod display;
pub mod i2c;
pub mod memory;
pub mod pins;
pub mod random;
pub mod reset;
pub mod rtt;
pub mod serial;
pub mod time;
