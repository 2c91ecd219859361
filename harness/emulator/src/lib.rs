//! The AZ3166 DevKit as a program: Cortex-M4 engine, STM32F412 peripherals, board wiring.
//!
//! Invariant: nothing here reads a wall clock, starts a thread or does I/O. Time is the
//! number of processor cycles, and input arrives only between two calls of `run`.

pub mod board;
pub mod bus;
pub mod chip;
pub mod clock;
pub mod cpu;
mod devkit;
pub mod memory;
pub mod peripheral;

pub use board::Button;
pub use chip::UnmodelledPolicy;
pub use devkit::{DebugError, DevKit, DevKitConfig, Display, Power, ProgramError, ResetPin, Stop};
