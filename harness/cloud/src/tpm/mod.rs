//! Keys for a Trusted Platform Module that nobody but that very module can use (TPM 2.0 Library,
//! Part 1, "Credential Protection" and "Duplication").
//!
//! The provisioning service proves that a device holds an endorsement key by sending it a key that
//! only this module can take in: the device then signs a token with it.

mod kdf;
mod public;
mod wrap;

pub(crate) use public::PublicArea;
pub(crate) use wrap::wrap;
