//! The device's gateway on virtual time.
//!
//! The device has a link that carries IPv4 packets. [`Gateway`] is its other end: a router
//! with a DNS server and an SNTP server, where TCP ends and its bytes go to [`Services`].
//! It opens no socket and reads no clock. [`NetworkFault`]s make the network misbehave,
//! and [`Capture`] is what crossed the link, as a pcapng file.

mod capture;
mod configuration;
mod dns;
mod fault;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod impairment;
mod inspect;
mod link;
mod names;
mod services;
mod sntp;

pub use capture::Capture;
pub use configuration::{DEVICE_ADDRESS, GATEWAY_ADDRESS, GatewayConfig, MTU};
pub use fault::NetworkFault;
pub use gateway::Gateway;
pub use services::{Closing, Opening, Services, Then, Transmission};
