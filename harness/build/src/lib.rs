//! Builds firmware with a child cargo.
//!
//! The device measures its own image, so the image's bytes are its identity. This crate makes
//! them independent of the checkout's path, of the cargo home and of what the caller's
//! environment says, and brings the target's standard library where it is missing.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//! use az3166_build::{Build, Limits, Programs};
//! use az3166_scenario::FirmwareVariant;
//!
//! let cancel = AtomicBool::new(false);
//! let mut build = Build {
//!     output: Path::new("target/firmware"),
//!     programs: &Programs::default(),
//!     limits: Limits::new(&cancel),
//!     progress: &mut |progress| eprintln!("{progress}"),
//! };
//! let built = build.firmware(Path::new("firmware"), FirmwareVariant::Strict)?;
//! println!("{} has the SHA-256 {}", built.image.bin.display(), built.image.sha256);
//! # Ok::<(), az3166_build::BuildError>(())
//! ```

mod cargo;
mod child;
mod environment;
mod error;
mod image;
mod progress;
mod remap;
mod request;
mod toolchain;

pub use child::{Limits, Stream, run as run_child};
pub use error::BuildError;
pub use image::{BuiltFirmware, BuiltImage};
pub use progress::Progress;
pub use request::{Build, TARGET};
pub use toolchain::{Programs, StandardLibrary, standard_library, version_of};
