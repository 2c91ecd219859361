//! MQTT over WebSocket (RFC 6455; MQTT 3.1.1 section 6): the opening handshake and the frames.

mod frames;
mod handshake;

pub(crate) use frames::{Ended, Frames};
pub(crate) use handshake::{accept, is_requested};
