//! Public areas of TPM objects (TPM 2.0 Library, Part 2, section 12.2).

use rsa::{BoxedUint, RsaPublicKey};
use sha2::{Digest as _, Sha256};

/// `TPM_ALG_RSA`.
const RSA: u16 = 0x0001;
/// `TPM_ALG_AES`.
const AES: u16 = 0x0006;
/// `TPM_ALG_SHA256`.
pub(super) const SHA256: u16 = 0x000B;
/// `TPM_ALG_NULL`.
const NULL: u16 = 0x0010;
/// `TPM_ALG_CFB`.
const CFB: u16 = 0x0043;
/// The public exponent that 0 stands for.
const DEFAULT_EXPONENT: u32 = 65537;
/// The size of the keys in the templates of the TCG's EK credential profile.
const KEY_BITS: u16 = 2048;

/// The public area of an RSA-2048 storage key whose names are SHA-256 and that wraps with
/// AES-128-CFB, as the TCG's templates for endorsement and storage root keys have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicArea {
    key: RsaPublicKey,
    name: Vec<u8>,
}

impl PublicArea {
    /// Reads a `TPM2B_PUBLIC`; nothing if it is of another kind.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut sized = Reader(bytes);
        let area = sized.sized()?;
        let mut reader = Reader(area);
        let whole = sized.0.is_empty();
        let storage_key = reader.u16()? == RSA && reader.u16()? == SHA256;
        let _attributes = reader.u32()?;
        let _policy = reader.sized()?;
        let cipher = [reader.u16()?, reader.u16()?, reader.u16()?] == [AES, 128, CFB];
        let scheme = reader.u16()? == NULL;
        let size = reader.u16()? == KEY_BITS;
        let exponent = match reader.u32()? {
            0 => DEFAULT_EXPONENT,
            other => other,
        };
        let modulus = reader.sized()?;
        let right = modulus.len() == usize::from(KEY_BITS / 8) && reader.0.is_empty();
        if !(whole && storage_key && cipher && scheme && size && right) {
            return None;
        }
        let key = RsaPublicKey::new(
            BoxedUint::from_be_slice(modulus, u32::from(KEY_BITS)).ok()?,
            BoxedUint::from_be_slice(&exponent.to_be_bytes(), u32::BITS).ok()?,
        );
        Some(Self {
            key: key.ok()?,
            name: name(area),
        })
    }

    pub(super) fn key(&self) -> &RsaPublicKey {
        &self.key
    }

    /// The object's name: what its public area hashes to.
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }
}

/// The name of an object with this `TPMT_PUBLIC` (Part 1, section 16).
pub(super) fn name(area: &[u8]) -> Vec<u8> {
    [&SHA256.to_be_bytes()[..], &Sha256::digest(area)].concat()
}

/// Bytes with their length before them (`TPM2B`).
pub(super) fn sized(bytes: &[u8]) -> Vec<u8> {
    // Everything here has a few hundred bytes.
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?.try_into().ok()?;
        Some(u16::from_be_bytes(bytes))
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }
}
