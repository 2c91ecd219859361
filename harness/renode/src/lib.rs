//! Renode as a target: starts it, drives it, and shares the secure element's model with it.

pub mod bridge;
#[cfg(unix)]
mod error;
#[doc(hidden)]
pub mod fuzzing;
#[cfg(unix)]
pub mod guard;
mod program;
pub mod server;
#[cfg(unix)]
mod session;
#[cfg(unix)]
mod target;
mod wire;

#[cfg(unix)]
pub use error::RenodeError;
pub use program::{Compilation, INSTALL, NoRenode, Program, Runtime, Version};
#[cfg(unix)]
pub use session::{Deadlines, Setup, Spares};
#[cfg(unix)]
pub use target::{Options, RenodeTarget};
