//! A physical AZ3166 behind a debug probe: `probe-rs` for the chip, `serialport` for its console.
//!
//! Invariant: whatever goes wrong between host and board is a [`BoardError`], never a verdict on
//! the firmware. Invariant: nothing is erased before the chip's unique ID was compared, and the
//! bootloader's sectors only when [`BootloaderPolicy::Replace`] says so.

mod access;
mod attach;
mod board;
mod chip;
mod console;
mod error;
mod flash;
mod pooled;
mod probe;
mod reset_flags;
mod takeover;
mod target;
#[cfg(all(feature = "virtual", unix))]
pub mod virtual_board;

pub use access::{ProbeAccess, address_of};
pub use attach::{Approach, BoardAddress};
pub use board::{BoardConfig, PowerSwitch, WriteCounter, read_uid, restore};
pub use chip::ChipUid;
pub use console::ConsoleAddress;
pub use error::BoardError;
pub use flash::BootloaderPolicy;
pub use pooled::{Permits, PooledTarget};
pub use probe::{Access, ProbeFound, VIRTUAL_PROBES, list_probes};
pub use takeover::{Restored, TakeOver};
pub use target::{BoardTarget, Relay};
