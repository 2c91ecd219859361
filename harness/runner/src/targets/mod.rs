//! The backends behind [`az3166_target::Target`].

mod emulator;
mod paced;

pub use az3166_emulator::UnmodelledPolicy;
pub use emulator::{EmulatorOptions, EmulatorTarget};
pub use paced::Paced;
