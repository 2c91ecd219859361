//! The backends behind [`az3166_target::Target`].

mod emulator;

pub use az3166_emulator::UnmodelledPolicy;
pub use emulator::{EmulatorOptions, EmulatorTarget};
