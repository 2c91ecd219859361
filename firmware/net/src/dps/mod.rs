//! Registration with the Device Provisioning Service.
//!
//! [`Registration`] decides what to ask next and what an answer means; it knows no transport.
//! [`https`] and [`mqtt`] put its requests into packets as Azure's SDKs do; [`Carrier`] is one of
//! them.

mod answer;
mod carrier;
pub mod https;
pub mod mqtt;
mod registration;
#[cfg(test)]
mod tests;

pub use answer::{Assignment, Status};
pub use carrier::{Carrier, Transport};
pub use registration::{Registration, Request, Step};
