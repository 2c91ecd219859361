//! Renode as a target: starts it, drives it, and shares the secure element's model with it.

pub mod bridge;
#[doc(hidden)]
pub mod fuzzing;
pub mod server;
#[allow(dead_code, reason = "what goes over the wire comes before those who send it")]
mod wire;
