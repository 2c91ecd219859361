//! A Device Provisioning Service and an IoT Hub on real sockets, for any device or SDK.
//!
//! The services themselves are [`az3166_cloud`]'s: one [`Cloud`](az3166_cloud::Cloud) on the wall
//! clock, shared by all connections. This crate gives it sockets (`listener`, `connection`,
//! `proxy`), certificates (`authority`), limits (`admission`), a journal (`store`), a trace
//! (`trace`) and a web page (`web`).
//!
//! Architecture invariant: only a `Cloud<Wall>` gets a socket, so that the published test keys of
//! virtual time never answer a real client.

mod admission;
mod authority;
mod clock;
mod connection;
mod engine;
mod faults;
#[doc(hidden)]
pub mod fuzzing;
mod key_log;
mod keys;
mod listener;
mod proxy;
mod server;
mod stop;
mod store;
mod trace;
mod web;

pub use admission::Limits;
pub use authority::{AuthorityError, FolderError, Standing};
pub use faults::FaultsError;
pub use server::{Handle, ServeError, Server, Settings};
pub use store::StoreError;
pub use trace::{Happening, Incident, LineFormat, Lines, Ready, Record};
