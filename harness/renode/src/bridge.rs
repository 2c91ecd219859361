//! The bridge: what Renode's I2C bus does to the secure element, and what the model answers.
//!
//! The protocol is described in `renode/README.md`; this is its server without sockets.

mod frame;
mod serve;

pub use frame::{Frames, MAX_REQUEST, TooLong};
pub use serve::{Answer, Bridge, Then};
