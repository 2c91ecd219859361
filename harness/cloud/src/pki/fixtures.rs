//! The published test certificates, made by `make-fixtures.sh` beside this file.
//!
//! Their private keys lie in the source tree: a device must trust these roots in a test alone.

use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;

use super::{CertificateFault, Chain, HandshakeSchemes, ServerIdentity};

/// Which of the test chains the server shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerChain {
    /// P-256 throughout, signed with SHA-256.
    #[default]
    EcdsaP256,
    /// An RSA-2048 leaf below RSA-4096, signed with SHA-384 and PKCS#1 v1.5, as Azure's newer
    /// roots do; the key exchange is signed with PKCS#1 v1.5.
    Rsa4096Sha384,
    /// As before, but the leaf and the key exchange are signed with RSASSA-PSS.
    RsaPss,
}

impl ServerChain {
    /// Every chain.
    pub const ALL: [Self; 3] = [Self::EcdsaP256, Self::Rsa4096Sha384, Self::RsaPss];

    /// The root of another authority: a device that trusts it alone accepts none of the chains.
    pub fn unrelated_root() -> &'static [u8] {
        include_bytes!("certificates/ec-stranger-root.der")
    }

    /// The chain with its faulty relatives and its key.
    pub(crate) fn identity(self) -> ServerIdentity {
        let (files, leaf, schemes) = match self {
            Self::EcdsaP256 => (&EC, EC.leaf, HandshakeSchemes::All),
            Self::Rsa4096Sha384 => (&RSA, RSA.leaf, HandshakeSchemes::Pkcs1Only),
            Self::RsaPss => (&RSA, RSA_LEAF_PSS, HandshakeSchemes::PssOnly),
        };
        let with_intermediate = |leaf: &[u8]| Chain(vec![leaf.into(), files.intermediate.into()]);
        let alone = |leaf: &[u8]| Chain(vec![leaf.into()]);
        let faulty = |fault| match fault {
            CertificateFault::Expired => with_intermediate(files.expired),
            CertificateFault::NotYetValid => with_intermediate(files.not_yet_valid),
            CertificateFault::WrongName => with_intermediate(files.wrong_name),
            CertificateFault::UnknownCa => alone(files.stranger_leaf),
            CertificateFault::ImpostorCa => alone(files.impostor_leaf),
            CertificateFault::MissingIntermediate => alone(leaf),
        };
        ServerIdentity {
            root: files.root.into(),
            chain: with_intermediate(leaf),
            faulty: CertificateFault::ALL
                .map(|fault| (fault, faulty(fault)))
                .into(),
            key: Arc::new(PrivatePkcs8KeyDer::from(files.key)),
            schemes,
        }
    }
}

struct Files {
    root: &'static [u8],
    intermediate: &'static [u8],
    leaf: &'static [u8],
    expired: &'static [u8],
    not_yet_valid: &'static [u8],
    wrong_name: &'static [u8],
    stranger_leaf: &'static [u8],
    impostor_leaf: &'static [u8],
    key: &'static [u8],
}

static EC: Files = Files {
    root: include_bytes!("certificates/ec-root.der"),
    intermediate: include_bytes!("certificates/ec-intermediate.der"),
    leaf: include_bytes!("certificates/ec-leaf.der"),
    expired: include_bytes!("certificates/ec-expired.der"),
    not_yet_valid: include_bytes!("certificates/ec-not-yet-valid.der"),
    wrong_name: include_bytes!("certificates/ec-wrong-name.der"),
    stranger_leaf: include_bytes!("certificates/ec-stranger-leaf.der"),
    impostor_leaf: include_bytes!("certificates/ec-impostor-leaf.der"),
    key: include_bytes!("keys/ec-leaf.der"),
};

static RSA: Files = Files {
    root: include_bytes!("certificates/rsa-root.der"),
    intermediate: include_bytes!("certificates/rsa-intermediate.der"),
    leaf: include_bytes!("certificates/rsa-leaf.der"),
    expired: include_bytes!("certificates/rsa-expired.der"),
    not_yet_valid: include_bytes!("certificates/rsa-not-yet-valid.der"),
    wrong_name: include_bytes!("certificates/rsa-wrong-name.der"),
    stranger_leaf: include_bytes!("certificates/rsa-stranger-leaf.der"),
    impostor_leaf: include_bytes!("certificates/rsa-impostor-leaf.der"),
    key: include_bytes!("keys/rsa-leaf.der"),
};

static RSA_LEAF_PSS: &[u8] = include_bytes!("certificates/rsa-leaf-pss.der");
