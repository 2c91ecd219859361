//! The STSAFE-A100 secure element as a model: bytes in, bytes out, on virtual time.
//!
//! [`SecureElement`] is the chip on its I2C bus. It does no I/O, reads no clock and holds
//! its non-volatile memory as a value, [`NvmImage`], that can be saved, exchanged and torn
//! by a loss of power. [`Fault`]s make it, or the bus before it, misbehave.
//!
//! Protocol facts come from ST's public middleware for the STSAFE-A1xx family, from data
//! sheet DS12911, and from bytes of real chips posted in public. What none of these settles
//! is a field of [`Unverified`].

mod bus;
mod command;
mod configuration;
mod element;
mod execute;
mod fault;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod injected;
mod nvm;
mod nvm_write;
mod opcode;
mod query;
mod response;
mod status;

pub use bus::{Acknowledge, Direction, Power, PowerCut};
pub use configuration::{
    AtomicUpdate, BusyTimes, Configuration, ProductData, ReadWithoutResponse, Unverified,
};
pub use element::SecureElement;
pub use fault::{Effect, Fault, Repeat};
pub use frame::crc16;
pub use nvm::{
    AccessCondition, ChangeRight, Condition, Content, EnvelopeKey, HostKey, LifeCycle,
    NvmFileError, NvmImage, ReservedZones, Zone,
};
pub use opcode::Opcode;
pub use status::Status;
