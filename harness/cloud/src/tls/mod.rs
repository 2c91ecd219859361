//! The TLS server side of one connection, fed from memory.

mod client_certificate;
#[cfg(feature = "deterministic")]
mod deterministic;
mod endpoint;
mod key_log;
mod session;

pub use endpoint::TlsVersions;
pub(crate) use endpoint::{Endpoint, Randomness};
pub(crate) use session::{Established, Session, Status};

#[cfg(feature = "deterministic")]
pub(crate) use deterministic::provider as deterministic_provider;
