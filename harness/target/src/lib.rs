//! The trait that every backend implements, and what all backends share: the firmware image,
//! the debug-channel link, the console's lines, the trust anchor record.
//!
//! Invariant: what differs between an emulator, Renode and a board lies behind [`Target`];
//! everything above it is the same code.

mod capability;
mod console;
mod image;
mod link;
mod rtt;
mod slip;
mod target;
mod trust_anchor;

pub use capability::{Capabilities, Capability};
pub use console::{ConsoleItem, ConsoleLines};
pub use image::{Image, ImageError, Segment};
pub use link::{LINK_CHANNEL, LINK_INTERRUPT, Link, LinkError};
pub use rtt::{Rtt, RttError};
pub use slip::{SlipDecoder, slip_encode};
pub use target::{Button, PowerState, Stop, Target, TargetError, TargetMemory};
pub use trust_anchor::{TRUST_ANCHOR_ADDRESS, TRUST_ANCHOR_SIZE, trust_anchor_record};

#[doc(hidden)]
pub mod fuzzing {
    //! Bodies for fuzzing; each must return without a panic for any input.

    /// An ELF file of any bytes.
    pub fn image(data: &[u8]) {
        if let Ok(image) = crate::Image::parse(data) {
            let _ = image.symbol("main");
            let _ = image.function_at(0x0800_C000);
        }
    }

    /// A SLIP stream of any bytes.
    pub fn slip(data: &[u8]) {
        let mut decoder = crate::SlipDecoder::new(1500);
        let _ = decoder.push(data);
    }
}
