//! A software USB behind the interface of the crate `nusb`, as far as `probe-rs` uses it.
//!
//! Whoever tests plugs devices in with [`software::plug`]; drivers find and open them as they
//! would find real ones. There is no bus, no timing and no kernel: only what a driver can see.

pub mod descriptors;
mod device;
mod enumeration;
mod error;
mod maybe_future;
pub mod software;
pub mod transfer;

pub use device::{Device, Endpoint, Interface};
pub use enumeration::{DeviceInfo, InterfaceInfo, list_devices};
pub use error::{ActiveConfigurationError, Error, ErrorKind, GetDescriptorError};
pub use maybe_future::MaybeFuture;
