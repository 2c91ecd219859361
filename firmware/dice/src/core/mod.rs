//! What measures and derives: the content of the region `.riot_core`.

mod derive;
mod hmac;
mod sha256;

pub use derive::{Derived, derive};
pub use hmac::hmac_sha256;
pub use sha256::{Words, sha256};

/// A note without meaning at a known place of the region: whoever flips a bit of it has another
/// core, whose device is another device.
#[used]
#[unsafe(no_mangle)]
#[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.note"))]
pub static RIOT_CORE_NOTE: [u8; 16] = *b"note: riot core.";
