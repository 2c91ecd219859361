//! ECDSA with the DevKit SDK's constant nonce, and what that nonce gives away.

use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{FieldBytes, NonZeroScalar, ProjectivePoint, Scalar};

use super::parse::Presented;
use crate::KeyPair;

/// The SDK's nonce: the little-endian integer of the 32 bytes 32, 31, ..., 1.
fn constant_nonce() -> Scalar {
    let big_endian: [u8; 32] = core::array::from_fn(|index| index as u8 + 1);
    Scalar::reduce(&FieldBytes::from(big_endian))
}

/// The number r of every signature that is made with that nonce: the x coordinate of nonce * G.
fn constant_r() -> Scalar {
    let point = ProjectivePoint::mul_by_generator(&constant_nonce()).to_affine();
    Scalar::reduce(&point.x())
}

fn inverse(scalar: &Scalar) -> Scalar {
    scalar.invert().unwrap_or(Scalar::ZERO)
}

/// Signs `digest` with the constant nonce (FIPS 186-5, section 6.4.1): r and s as big-endian bytes.
pub fn sign_with_constant_nonce(key: &KeyPair, digest: [u8; 32]) -> ([u8; 32], [u8; 32]) {
    let e = Scalar::reduce(&FieldBytes::from(digest));
    let r = constant_r();
    let s = inverse(&constant_nonce()) * (e + r * *key.scalar());
    (r.to_repr().into(), s.to_repr().into())
}

/// The key that signed a certificate, if it was signed with the constant nonce:
/// `d = (s * k - e) / r` for the nonce k or, where s was replaced by its negative, -k.
///
/// The result is proven: it is returned only if it is the key that the certificate names as its
/// DeviceID key.
pub fn recover_device_id_key(certificate: &[u8]) -> Option<KeyPair> {
    let presented = Presented::parse(certificate).ok()?;
    let named = presented.riot.as_ref()?.device_id;
    let (r, s) = presented.signature.as_ref()?.split_scalars();
    if *r != constant_r() {
        return None;
    }
    let e = Scalar::reduce(&FieldBytes::from(presented.digest));
    [constant_nonce(), -constant_nonce()]
        .into_iter()
        .filter_map(|k| {
            let d = (*s * k - e) * inverse(&r);
            KeyPair::from_scalar(NonZeroScalar::new(d).into_option()?)
        })
        .find(|key| *key.public() == named)
}

/// Whether r is the one that the constant nonce makes.
pub fn has_constant_nonce(presented: &Presented<'_>) -> bool {
    presented
        .signature
        .as_ref()
        .is_some_and(|signature| *signature.r() == constant_r())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_is_the_known_one() {
        assert_eq!(
            hex::encode(constant_r().to_repr()),
            "515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f"
        );
    }
}
