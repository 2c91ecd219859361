//! The server's own signatures: ECDSA with RFC 6979 nonces, RSA PKCS#1 v1.5 and PSS.

use core::fmt;
use std::sync::Arc;

use p256::pkcs8::DecodePrivateKey as _;
use rsa::RsaPrivateKey;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _};
use rustls::crypto::KeyProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use sha2::{Sha256, Sha384};

use super::random::Installed;

/// Loads P-256 and RSA keys in PKCS#8.
#[derive(Debug)]
pub(super) struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        let der = key.secret_der();
        if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_der(der) {
            return Ok(Arc::new(Key::P256(key)));
        }
        match RsaPrivateKey::from_pkcs8_der(der) {
            Ok(key) => Ok(Arc::new(Key::Rsa(Box::new(key)))),
            Err(_) => Err(Error::General(
                "the key is neither P-256 nor RSA in PKCS#8".into(),
            )),
        }
    }
}

#[derive(Clone)]
enum Key {
    P256(p256::ecdsa::SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.algorithm().fmt(f)
    }
}

impl Key {
    fn schemes(&self) -> &'static [SignatureScheme] {
        match self {
            Self::P256(_) => &[SignatureScheme::ECDSA_NISTP256_SHA256],
            Self::Rsa(_) => &[
                SignatureScheme::RSA_PSS_SHA384,
                SignatureScheme::RSA_PSS_SHA256,
                SignatureScheme::RSA_PKCS1_SHA384,
                SignatureScheme::RSA_PKCS1_SHA256,
            ],
        }
    }
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = *self.schemes().iter().find(|own| offered.contains(own))?;
        Some(Box::new(SchemeSigner {
            key: self.clone(),
            scheme,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::P256(_) => SignatureAlgorithm::ECDSA,
            Self::Rsa(_) => SignatureAlgorithm::RSA,
        }
    }
}

#[derive(Debug)]
struct SchemeSigner {
    key: Key,
    scheme: SignatureScheme,
}

impl Signer for SchemeSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = match (&self.key, self.scheme) {
            (Key::P256(key), SignatureScheme::ECDSA_NISTP256_SHA256) => key
                .try_sign(message)
                .map(|signature: p256::ecdsa::DerSignature| signature.to_vec()),
            (Key::Rsa(key), SignatureScheme::RSA_PKCS1_SHA256) => {
                rsa::pkcs1v15::SigningKey::<Sha256>::new(*key.clone())
                    .try_sign_with_rng(&mut Installed, message)
                    .map(|signature| signature.to_vec())
            }
            (Key::Rsa(key), SignatureScheme::RSA_PKCS1_SHA384) => {
                rsa::pkcs1v15::SigningKey::<Sha384>::new(*key.clone())
                    .try_sign_with_rng(&mut Installed, message)
                    .map(|signature| signature.to_vec())
            }
            (Key::Rsa(key), SignatureScheme::RSA_PSS_SHA256) => {
                rsa::pss::SigningKey::<Sha256>::new(*key.clone())
                    .try_sign_with_rng(&mut Installed, message)
                    .map(|signature| signature.to_vec())
            }
            (Key::Rsa(key), SignatureScheme::RSA_PSS_SHA384) => {
                rsa::pss::SigningKey::<Sha384>::new(*key.clone())
                    .try_sign_with_rng(&mut Installed, message)
                    .map(|signature| signature.to_vec())
            }
            _ => return Err(Error::General("the key has no such scheme".into())),
        };
        signature.map_err(|error| Error::General(format!("signing failed: {error}")))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}
