//! Whom the device believes.

use alloc::sync::Arc;
use core::fmt;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// The roots of Azure's services, in DER: DigiCert Global Root G2 (DPS and IoT Hub present
/// chains to it) and Microsoft RSA Root Certificate Authority 2017 (announced as its companion
/// in "Azure Certificate Authority details").
pub const AZURE_ROOTS: [&[u8]; 2] = [
    include_bytes!("roots/digicert-global-root-g2.der"),
    include_bytes!("roots/microsoft-rsa-root-2017.der"),
];

/// The certificates to which a server's chain must lead.
#[derive(Clone, Debug)]
pub struct TrustAnchors(pub(super) Arc<RootCertStore>);

/// A trust anchor is no certificate that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorError;

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the trust anchor is not a usable X.509 certificate")
    }
}

impl core::error::Error for AnchorError {}

impl TrustAnchors {
    /// Reads certificates in DER.
    ///
    /// # Errors
    /// [`AnchorError`] when one of them is malformed.
    pub fn new<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, AnchorError> {
        let mut store = RootCertStore::empty();
        for der in certificates {
            store
                .add(CertificateDer::from(der))
                .map_err(|_| AnchorError)?;
        }
        Ok(Self(Arc::new(store)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// The fingerprints that DigiCert and Microsoft publish.
    #[test]
    fn the_azure_roots_are_the_published_ones() {
        let published = [
            "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
            "c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0",
        ];
        for (der, expected) in AZURE_ROOTS.iter().zip(published) {
            let digest = Sha256::digest(der);
            let hex: alloc::string::String = digest
                .iter()
                .map(|byte| alloc::format!("{byte:02x}"))
                .collect();
            assert_eq!(hex, expected);
        }
        assert_eq!(TrustAnchors::new(AZURE_ROOTS).unwrap().0.len(), 2);
    }

    #[test]
    fn a_damaged_anchor_is_refused() {
        let mut der = AZURE_ROOTS[0].to_vec();
        der.truncate(600);
        assert_eq!(
            TrustAnchors::new([der.as_slice()]).unwrap_err(),
            AnchorError
        );
    }
}
