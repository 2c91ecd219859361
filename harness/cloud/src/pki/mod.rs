//! The server's identity: the certificates it shows, and the faulty ones a scenario can ask for.

#[cfg(feature = "deterministic")]
mod fixtures;
mod identity;

#[cfg(feature = "deterministic")]
pub use fixtures::ServerChain;
pub use identity::{CertificateFault, Chain, HandshakeSchemes, ServerIdentity};
