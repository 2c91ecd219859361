//! A process between the harness and Renode that lets nothing of Renode survive the harness.
//!
//! Renode's launcher is a shell script that does not hand its process over, Renode's listeners
//! are open to every interface without authentication, and a harness can be killed at any
//! instant. So the harness starts this program once more as a guard, in a network namespace of
//! its own where the system allows, and the guard starts Renode in a process group of its own. The
//! guard reads a socket whose other end only the harness holds: when that end is closed, by
//! whatever cause, the guard kills the group and removes Renode's folder. Where the system allows,
//! the guard is also the first process of a process namespace: no signal reaches it but SIGKILL,
//! with which the kernel ends everything in there.
//!
//! A socket belongs to the namespace in which it was made, whoever uses it, so the guard makes the
//! sockets by which the harness reaches Renode and hands them over.

mod isolation;
#[cfg(target_os = "linux")]
mod loopback;
mod message;
mod owner;
mod process;

pub use isolation::Isolation;
pub use owner::{Guard, GuardProgram};
pub use process::run;
