//! Proof of possession: the handshake is signed with the alias key.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use rustls::sign::{Signer, SigningKey as TlsSigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

/// The alias private key. It signs deterministically (RFC 6979), is wiped when dropped and has
/// no printable form.
#[derive(Clone)]
pub(crate) struct AliasKey(Arc<SigningKey>);

impl AliasKey {
    /// Reads the 32-byte big-endian scalar; `None` unless it lies in 1..n.
    pub(crate) fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(scalar)
            .ok()
            .map(|key| Self(Arc::new(key)))
    }
}

impl fmt::Debug for AliasKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AliasKey(..)")
    }
}

impl TlsSigningKey for AliasKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP256_SHA256)
            .then(|| {
                let signer: Box<dyn Signer> = Box::new(self.clone());
                signer
            })
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for AliasKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: DerSignature = self
            .0
            .try_sign(message)
            .map_err(|_| Error::General("signing failed".into()))?;
        Ok(signature.as_bytes().into())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}
