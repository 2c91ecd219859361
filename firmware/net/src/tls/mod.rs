//! TLS 1.2 as a client with a certificate, over rustls and RustCrypto.

mod client;
mod error;
mod provider;
mod trust;

pub use client::{Error, TlsClient, TlsConfig};
pub use provider::Crypto;
pub use trust::{AZURE_ROOTS, AnchorError, TrustAnchors};

pub(crate) use error::failure;
