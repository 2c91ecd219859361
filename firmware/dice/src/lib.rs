//! The identity of the device: DICE measures the image, RIoT derives keys from the measurements,
//! and the Alias certificate carries them to the provisioning service.
//!
//! [`mod@core`] measures and derives. On the device all of it lies in the region `.riot_core`, so
//! whoever changes it changes the DeviceID key; it takes the regions as arguments and calls nothing
//! of ours outside, so a new firmware around the same core keeps it. [`certificate`] works with the
//! derived keys and belongs to the measured firmware.
#![no_std]

pub mod certificate;
pub mod core;
mod identity;
mod uds;

pub use certificate::{Certificate, CertificateError, Profile};
pub use identity::{Identity, KeyOutOfRange};
pub use uds::{UDS_DIGITS, Uds, UdsError};
