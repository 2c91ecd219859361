//! A TLS provider whose every byte follows from a seed.
//!
//! The protocol is real: rustls runs it, RustCrypto computes it, signatures and certificates are
//! verified. Only the origin of randomness differs, so that a run on virtual time repeats to the
//! byte: server randoms and ECDHE keys come from the generator that [`random::with`] installs,
//! ECDSA nonces from RFC 6979. Whoever knows the seed can read the traffic; therefore nothing
//! outside this crate can obtain the provider, and [`crate::CloudConfig::virtual_time`] alone
//! uses it.

mod aead;
mod hash;
mod key_exchange;
pub(crate) mod random;
mod sign;
mod suites;
mod verify;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The provider: TLS 1.2, the four ECDHE AES-GCM suites, P-256 and P-384.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: suites::ALL.to_vec(),
        kx_groups: key_exchange::ALL.to_vec(),
        signature_verification_algorithms: verify::SUPPORTED,
        secure_random: &random::Installed,
        key_provider: &sign::Keys,
    })
}

#[cfg(test)]
mod tests;
