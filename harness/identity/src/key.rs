use core::fmt;

use az3166_event::Secret;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::LineEnding;
use p256::{NonZeroScalar, SecretKey};
use zeroize::Zeroizing;

/// An uncompressed P-256 point: 0x04, x, y (SEC 1, section 2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// Takes an encoding as it stands in a certificate; whether it is a point is not asked here.
    pub fn from_uncompressed(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 65] = bytes.try_into().ok()?;
        (bytes[0] == 4).then_some(Self(bytes))
    }

    /// The encoded point.
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A P-256 key pair whose private half is never shown and wiped on drop.
pub struct KeyPair {
    private: SecretKey,
    public: PublicKey,
}

impl KeyPair {
    /// Reads a scalar as the RIoT code stores it, least significant byte first.
    ///
    /// `None` if it is zero or not below the curve's order.
    pub fn from_little_endian(scalar: &Secret<32>) -> Option<Self> {
        let mut bytes = Zeroizing::new(*scalar.expose());
        bytes.reverse();
        SecretKey::from_slice(&*bytes).ok().and_then(Self::of)
    }

    pub(crate) fn from_scalar(scalar: NonZeroScalar) -> Option<Self> {
        Self::of(SecretKey::from(scalar))
    }

    fn of(private: SecretKey) -> Option<Self> {
        let public =
            PublicKey::from_uncompressed(private.public_key().to_sec1_point(false).as_bytes())?;
        Some(Self { private, public })
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private scalar, most significant byte first.
    pub fn private(&self) -> Secret<32> {
        Secret::new(*Zeroizing::new(self.private.to_bytes().into()))
    }

    /// The key pair as a PEM file `EC PRIVATE KEY` (RFC 5915): named curve in \[0\], public key in \[1\].
    ///
    /// `None` only if the encoder failed, which no valid key makes it do.
    pub fn to_sec1_pem(&self) -> Option<Zeroizing<String>> {
        self.private.to_sec1_pem(LineEnding::LF).ok()
    }

    pub(crate) fn scalar(&self) -> NonZeroScalar {
        self.private.to_nonzero_scalar()
    }

    pub(crate) const fn secret_key(&self) -> &SecretKey {
        &self.private
    }
}
