use p256::{
    FieldBytes, NistP256, NonZeroScalar,
    ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner},
};

use crate::{
    Profile,
    core::{Words, sha256},
};

/// r and s, big-endian.
pub fn sign(key: &SigningKey, message: &[u8], profile: Profile) -> (FieldBytes, FieldBytes) {
    let digest = sha256(Words::BigEndian, &[message]);
    let signature = match profile {
        Profile::Strict => by_rfc6979(key, &digest),
        Profile::Devkit => by_constant_nonce(key, &digest),
    };
    signature.split_bytes()
}

/// RFC 6979 section 3.2: the nonce follows from the key and the digest.
fn by_rfc6979(key: &SigningKey, digest: &[u8; 32]) -> Signature {
    #[expect(
        clippy::expect_used,
        reason = "signing a 32-byte digest has no failing case"
    )]
    key.sign_prehash(digest)
        .expect("P-256 signs any SHA-256 digest")
}

/// The DevKit SDK's nonce: the little-endian integer of the bytes 32, 31, ..., 1.
fn by_constant_nonce(key: &SigningKey, digest: &[u8; 32]) -> Signature {
    let nonce: [u8; 32] = core::array::from_fn(|index| index as u8 + 1);
    #[expect(
        clippy::expect_used,
        reason = "the nonce is a constant below the order; s = 0 has chance 2^-256"
    )]
    NonZeroScalar::from_repr(nonce.into())
        .into_option()
        .and_then(|nonce| {
            ecdsa::hazmat::sign_prehashed::<NistP256>(key.as_nonzero_scalar(), &nonce, digest).ok()
        })
        .expect("the constant nonce signs")
        .0
}
