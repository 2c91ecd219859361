//! The backends behind [`az3166_target::Target`].

mod emulator;
mod paced;
mod swd;

pub use az3166_emulator::UnmodelledPolicy;
pub use emulator::{EmulatorOptions, EmulatorTarget};
pub use paced::Paced;
pub use swd::{CableError, SwdCable, SwdPins, swd_cable};
