//! The trait that every backend implements, and what all backends share: the firmware image,
//! the debug-channel link, the console's lines, the trust anchor record.
//!
//! Invariant: what differs between an emulator, Renode and a board lies behind [`Target`];
//! everything above it is the same code.

mod capability;
mod console;
mod display;
#[doc(hidden)]
pub mod fuzzing;
mod image;
mod link;
mod rtt;
pub mod screen;
mod slip;
mod target;
mod trust_anchor;

pub use capability::{Capabilities, Capability};
pub use console::{ConsoleItem, ConsoleLines};
pub use display::DisplayWatch;
pub use image::{Image, ImageError, Segment};
pub use link::{LINK_CHANNEL, LINK_INTERRUPT, Link, LinkError};
pub use rtt::{Rtt, RttError};
pub use slip::{SlipDecoder, slip_encode};
pub use target::{Button, PowerState, Stop, Target, TargetError, TargetMemory, Wear};
pub use trust_anchor::{TRUST_ANCHOR_ADDRESS, TRUST_ANCHOR_SIZE, trust_anchor_record};
