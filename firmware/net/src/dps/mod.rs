//! Registration with the Device Provisioning Service (REST API version 2021-06-01).
//!
//! [`Registration`] decides what to ask next and what an answer means; it knows no transport.
//! [`https`] puts its requests into HTTP as the DevKit's SDK does. Another transport (DPS also
//! speaks MQTT) would sit beside it.

mod answer;
pub mod https;
mod registration;
#[cfg(test)]
mod tests;

pub use answer::{Assignment, Status};
pub use registration::{Registration, Request, Step};

pub(crate) use registration::{closed, malformed};
