//! Verification of the client's handshake signature.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Every algorithm, and the TLS schemes that stand for it.
///
/// In TLS 1.2 an ECDSA scheme names the hash only: OpenSSL signs with a P-256 key under
/// `ecdsa_secp384r1_sha384`.
pub(super) static SUPPORTED: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        &P256_SHA256,
        &P256_SHA384,
        &P384_SHA256,
        &P384_SHA384,
        &PKCS1_SHA256,
        &PKCS1_SHA384,
        &PKCS1_SHA512,
        &PSS_SHA256,
        &PSS_SHA384,
        &PSS_SHA512,
    ],
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[&P384_SHA384, &P256_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[&P256_SHA256, &P384_SHA256],
        ),
        (SignatureScheme::RSA_PSS_SHA512, &[&PSS_SHA512]),
        (SignatureScheme::RSA_PSS_SHA384, &[&PSS_SHA384]),
        (SignatureScheme::RSA_PSS_SHA256, &[&PSS_SHA256]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[&PKCS1_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[&PKCS1_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[&PKCS1_SHA256]),
    ],
};

static P256_SHA256: Algorithm = Algorithm {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA256,
    verify: |key, message, signature| p256(key, &Sha256::digest(message), signature),
};
static P256_SHA384: Algorithm = Algorithm {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA384,
    verify: |key, message, signature| p256(key, &Sha384::digest(message), signature),
};
static P384_SHA256: Algorithm = Algorithm {
    key: alg_id::ECDSA_P384,
    signature: alg_id::ECDSA_SHA256,
    verify: |key, message, signature| p384(key, &Sha256::digest(message), signature),
};
static P384_SHA384: Algorithm = Algorithm {
    key: alg_id::ECDSA_P384,
    signature: alg_id::ECDSA_SHA384,
    verify: |key, message, signature| p384(key, &Sha384::digest(message), signature),
};
static PKCS1_SHA256: Algorithm = Algorithm {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA256,
    verify: |key, message, signature| pkcs1::<Sha256>(key, message, signature),
};
static PKCS1_SHA384: Algorithm = Algorithm {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA384,
    verify: |key, message, signature| pkcs1::<Sha384>(key, message, signature),
};
static PKCS1_SHA512: Algorithm = Algorithm {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA512,
    verify: |key, message, signature| pkcs1::<Sha512>(key, message, signature),
};
static PSS_SHA256: Algorithm = Algorithm {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PSS_SHA256,
    verify: |key, message, signature| pss::<Sha256>(key, message, signature),
};
static PSS_SHA384: Algorithm = Algorithm {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PSS_SHA384,
    verify: |key, message, signature| pss::<Sha384>(key, message, signature),
};
static PSS_SHA512: Algorithm = Algorithm {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PSS_SHA512,
    verify: |key, message, signature| pss::<Sha512>(key, message, signature),
};

/// Public key, message, signature: something when they fit.
type Verify = fn(&[u8], &[u8], &[u8]) -> Option<()>;

#[derive(Debug)]
struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    verify: Verify,
}

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        (self.verify)(public_key, message, signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

fn p256(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
    key.verify_prehash(digest, &signature).ok()
}

fn p384(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
    key.verify_prehash(digest, &signature).ok()
}

fn rsa_key(key: &[u8]) -> Option<RsaPublicKey> {
    RsaPublicKey::from_pkcs1_der(key).ok()
}

fn pkcs1<D>(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()>
where
    rsa::pkcs1v15::VerifyingKey<D>: From<RsaPublicKey> + Verifier<rsa::pkcs1v15::Signature>,
    D: sha2::Digest,
{
    let signature = rsa::pkcs1v15::Signature::try_from(signature).ok()?;
    rsa::pkcs1v15::VerifyingKey::<D>::from(rsa_key(key)?)
        .verify(message, &signature)
        .ok()
}

/// PSS with a salt as long as the digest, as TLS demands (RFC 8446 section 4.2.3).
fn pss<D>(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()>
where
    rsa::pss::VerifyingKey<D>: From<RsaPublicKey> + Verifier<rsa::pss::Signature>,
    D: sha2::Digest,
{
    let signature = rsa::pss::Signature::try_from(signature).ok()?;
    rsa::pss::VerifyingKey::<D>::from(rsa_key(key)?)
        .verify(message, &signature)
        .ok()
}
