//! Signatures of the server and of its certificate chain.

use core::fmt;
use core::marker::PhantomData;

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPublicKey, pkcs1v15, pss};
use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// RSA keys below 2048 bits are broken or about to be; above 4096 bits nobody uses them and they
/// would cost seconds.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=4096;

/// All signature algorithms that the device accepts.
pub(super) static SUPPORTED: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        P256_SHA256,
        P256_SHA384,
        P384_SHA256,
        P384_SHA384,
        PKCS1_SHA256,
        PKCS1_SHA384,
        PKCS1_SHA512,
        PSS_SHA256,
        PSS_SHA384,
        PSS_SHA512,
    ],
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[P256_SHA256, P384_SHA256],
        ),
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[P384_SHA384, P256_SHA384],
        ),
        (SignatureScheme::RSA_PSS_SHA256, &[PSS_SHA256]),
        (SignatureScheme::RSA_PSS_SHA384, &[PSS_SHA384]),
        (SignatureScheme::RSA_PSS_SHA512, &[PSS_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[PKCS1_SHA256]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[PKCS1_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[PKCS1_SHA512]),
    ],
};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

const P256_SHA256: Algorithm =
    &Verify::<P256, Sha256>::new(alg_id::ECDSA_P256, alg_id::ECDSA_SHA256);
const P256_SHA384: Algorithm =
    &Verify::<P256, Sha384>::new(alg_id::ECDSA_P256, alg_id::ECDSA_SHA384);
const P384_SHA256: Algorithm =
    &Verify::<P384, Sha256>::new(alg_id::ECDSA_P384, alg_id::ECDSA_SHA256);
const P384_SHA384: Algorithm =
    &Verify::<P384, Sha384>::new(alg_id::ECDSA_P384, alg_id::ECDSA_SHA384);
const PKCS1_SHA256: Algorithm =
    &Verify::<Pkcs1, Sha256>::new(alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256);
const PKCS1_SHA384: Algorithm =
    &Verify::<Pkcs1, Sha384>::new(alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA384);
const PKCS1_SHA512: Algorithm =
    &Verify::<Pkcs1, Sha512>::new(alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA512);
const PSS_SHA256: Algorithm =
    &Verify::<Pss, Sha256>::new(alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA256);
const PSS_SHA384: Algorithm =
    &Verify::<Pss, Sha384>::new(alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA384);
const PSS_SHA512: Algorithm =
    &Verify::<Pss, Sha512>::new(alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA512);

/// One signature algorithm `S` over the hash `D`.
struct Verify<S, D> {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    scheme: PhantomData<fn() -> (S, D)>,
}

impl<S, D> Verify<S, D> {
    const fn new(key: AlgorithmIdentifier, signature: AlgorithmIdentifier) -> Self {
        Self {
            key,
            signature,
            scheme: PhantomData,
        }
    }
}

impl<S, D> fmt::Debug for Verify<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verify").field(&self.signature).finish()
    }
}

impl<S: Scheme<D>, D: Digest> SignatureVerificationAlgorithm for Verify<S, D> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        S::verify(public_key, message, signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// Checks one signature; `None` says that it is not valid.
trait Scheme<D> {
    fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()>;
}

/// ECDSA with a DER signature on P-256.
struct P256;

impl<D: Digest> Scheme<D> for P256 {
    fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(public_key).ok()?;
        let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
        key.verify_prehash(&D::digest(message), &signature).ok()
    }
}

/// ECDSA with a DER signature on P-384.
struct P384;

impl<D: Digest> Scheme<D> for P384 {
    fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(public_key).ok()?;
        let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
        key.verify_prehash(&D::digest(message), &signature).ok()
    }
}

/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
struct Pkcs1;

impl<D> Scheme<D> for Pkcs1
where
    D: Digest,
    pkcs1v15::VerifyingKey<D>: From<RsaPublicKey> + Verifier<pkcs1v15::Signature>,
{
    fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
        let key = pkcs1v15::VerifyingKey::<D>::from(rsa_key(public_key)?);
        let signature = pkcs1v15::Signature::try_from(signature).ok()?;
        key.verify(message, &signature).ok()
    }
}

/// RSASSA-PSS (RFC 8017 section 8.1), the salt as long as the hash.
struct Pss;

impl<D> Scheme<D> for Pss
where
    D: Digest,
    pss::VerifyingKey<D>: From<RsaPublicKey> + Verifier<pss::Signature>,
{
    fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
        let key = pss::VerifyingKey::<D>::from(rsa_key(public_key)?);
        let signature = pss::Signature::try_from(signature).ok()?;
        key.verify(message, &signature).ok()
    }
}

fn rsa_key(der: &[u8]) -> Option<RsaPublicKey> {
    let key = RsaPublicKey::from_pkcs1_der(der).ok()?;
    RSA_BITS.contains(&key.n_bits()).then_some(key)
}

trait Bits {
    fn n_bits(&self) -> usize;
}

impl Bits for RsaPublicKey {
    fn n_bits(&self) -> usize {
        self.n().bits() as usize
    }
}
