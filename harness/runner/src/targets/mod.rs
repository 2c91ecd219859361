//! The backends behind [`az3166_target::Target`].

mod emulator;

pub use emulator::{EmulatorOptions, EmulatorTarget};
