//! The Arm debug port of the emulated DevKit at register level: the serial wire line, the debug
//! port (SW-DP, ADIv5.1, DPIDR 0x2BA01477) and the one access port of an STM32F4 (AHB-AP).
//!
//! One [`Request`] is one transfer on the wire, and its answer is what the wire carries: an
//! access port's reads are posted, a bus error shows at the next transfer, sticky flags refuse
//! everything until they are cleared. Whatever a debug probe does with that is its own matter.
//!
//! Invariant: nothing here reads a clock, starts a thread or does I/O.

mod access_port;
mod bus;
mod debug_port;
mod glasgow;
mod injection;
mod line;

pub use access_port::{AHB_AP_BASE, AHB_AP_CSW, AHB_AP_IDR};
pub use bus::{BusError, SystemBus};
pub use debug_port::{DPIDR, DebugPort, Port, Refusal, Request};
pub use glasgow::{Glasgow, GlasgowError, Swd};
pub use injection::Injection;
