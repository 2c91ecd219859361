//! An ST-Link V2-1 in software: the USB device that the AZ3166's debug driver talks to, with a
//! virtual board behind it.
//!
//! Only what the probe's firmware does is here; the board, its debug port and its console are
//! those of the in-process probe. The commands are those of ST's firmware V2J37, as drivers in
//! public use send them.

mod command;
mod memory;
mod probe;
mod status;
mod usb;

pub use probe::ProbeWire;
pub use usb::{PRODUCT_ID, VENDOR_ID, plug};
