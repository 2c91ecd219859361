//! Certificate chains with their keys, in whatever way the caller came by them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use serde::{Deserialize, Serialize};

/// What is wrong with the certificate that the server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateFault {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is for another host.
    WrongName,
    /// Its root is one that the client does not know.
    UnknownCa,
    /// Its root has the trusted root's name and another key.
    ImpostorCa,
    /// The server leaves the intermediate certificate out.
    MissingIntermediate,
}

impl CertificateFault {
    /// Every fault.
    pub const ALL: [Self; 6] = [
        Self::Expired,
        Self::NotYetValid,
        Self::WrongName,
        Self::UnknownCa,
        Self::ImpostorCa,
        Self::MissingIntermediate,
    ];
}

/// Certificates in DER, the leaf first, without the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(pub Vec<Vec<u8>>);

/// With which schemes the server signs its key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeSchemes {
    /// Every scheme of the key.
    All,
    /// RSA PKCS#1 v1.5 alone.
    Pkcs1Only,
    /// RSASSA-PSS alone.
    PssOnly,
}

/// The certificates and the key of the server.
#[derive(Clone)]
pub struct ServerIdentity {
    /// The root that clients must trust, in DER.
    pub root: Vec<u8>,
    /// What the server shows.
    pub chain: Chain,
    /// What it shows for each fault; all leaves have the same key.
    pub faulty: BTreeMap<CertificateFault, Chain>,
    /// The leaf's private key, PKCS#8 in DER.
    pub key: Arc<PrivatePkcs8KeyDer<'static>>,
    /// With which schemes it signs.
    pub schemes: HandshakeSchemes,
}

impl core::fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ServerIdentity").finish_non_exhaustive()
    }
}

impl ServerIdentity {
    /// The root that clients must trust, in DER.
    pub(crate) fn trust_anchor(&self) -> &[u8] {
        &self.root
    }

    /// What the server shows when nothing is wrong, and for each fault.
    pub(crate) fn certified_keys(
        &self,
        provider: &CryptoProvider,
    ) -> Result<(CertifiedKey, Vec<(CertificateFault, CertifiedKey)>), rustls::Error> {
        let key = self.signing_key(provider)?;
        let faulty = self.faulty.iter();
        let faulty = faulty
            .map(|(fault, chain)| (*fault, certified(chain, key.clone())))
            .collect();
        Ok((certified(&self.chain, key), faulty))
    }

    fn signing_key(&self, provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        let der = PrivateKeyDer::Pkcs8(self.key.clone_key());
        let key = provider.key_provider.load_private_key(der)?;
        Ok(match self.schemes {
            HandshakeSchemes::All => key,
            HandshakeSchemes::Pkcs1Only => Arc::new(Restricted {
                key,
                allowed: PKCS1,
            }),
            HandshakeSchemes::PssOnly => Arc::new(Restricted { key, allowed: PSS }),
        })
    }
}

fn certified(chain: &Chain, key: Arc<dyn SigningKey>) -> CertifiedKey {
    let certificates = chain.0.iter().cloned().map(CertificateDer::from).collect();
    CertifiedKey::new(certificates, key)
}

const PKCS1: &[SignatureScheme] = &[
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
];
const PSS: &[SignatureScheme] = &[
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
];

/// A key that signs with some of its schemes only.
#[derive(Debug)]
struct Restricted {
    key: Arc<dyn SigningKey>,
    allowed: &'static [SignatureScheme],
}

impl SigningKey for Restricted {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.allowed
            .iter()
            .filter(|scheme| offered.contains(scheme))
            .find_map(|scheme| self.key.choose_scheme(&[*scheme]))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}
