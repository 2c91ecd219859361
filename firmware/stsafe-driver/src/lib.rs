//! The secure element STSAFE-A100 as the DevKit uses it: a data store with zones.
//!
//! A command is one I2C write, its answer one I2C read; while the chip works it does not
//! acknowledge its address. This driver bounds every length and every wait, always checks the CRC,
//! and repeats a command that changes nothing by being repeated when its answer came in damaged.
#![no_std]
#![forbid(unsafe_code)]

mod bus;
mod crc;
mod element;
mod error;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod uds;

pub use bus::{Bus, BusError, Timer};
pub use element::{Atomicity, Stsafe, Zone};
pub use error::Error;
pub use uds::{UDS_DIGITS, UDS_ZONE, WriteUdsError};

/// The chip's 7-bit I2C address on the DevKit.
pub const ADDRESS: u8 = 0x20;
