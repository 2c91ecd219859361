//! Runs one scenario on one target, and many scenarios side by side.
//!
//! [`bench::Bench`] holds a target and everything around it; [`run::Run`] does a scenario's steps
//! on it; [`suite`] chooses scenarios, spreads them over threads and gathers their results.
//! [`device::Device`] is the same bench under the hands of a `cargo test`.

pub mod bench;
pub mod device;
pub mod firmware;
pub mod interactive;
pub mod oracle;
pub mod outside;
pub mod project;
pub mod retry;
pub mod run;
mod settings_record;
pub mod steps;
pub mod suite;
pub mod targets;

pub use az3166_target::screen;
