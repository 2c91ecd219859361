//! From one IPv4 link to a registered device.
//!
//! Everything between the packets of a [`Link`] and the lines of a [`Console`]: IP, DNS, SNTP,
//! TLS 1.2 with a client certificate, registration with the Device Provisioning Service and the
//! connection to the assigned IoT Hub. No hardware and no blocking wait is in here: [`Session`]
//! is polled with the time and says when it wants to be polled next.
//!
//! The protocols themselves ([`dns`], [`sntp`], [`http`], [`dps`], [`mqtt`], [`tls`]) take bytes
//! and return bytes; only [`session`] brings them together.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::panic))]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod channel;
pub mod dns;
pub mod dps;
pub mod environment;
mod failure;
pub mod fuzzing;
pub mod http;
pub mod json;
mod messages;
pub mod mqtt;
pub mod session;
pub mod slip;
pub mod sntp;
pub mod stack;
mod text;
pub mod tls;

pub use dps::Transport;
pub use environment::{BytePipe, Console, Link, Random, RandomFailure};
pub use failure::{Failure, FailureKind};
pub use session::{Identity, Progress, Session, Settings};
pub use smoltcp::time::{Duration, Instant};
