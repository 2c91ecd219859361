//! Symmetric keys.

use core::fmt;

use az3166_event::Fingerprint;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_core::Rng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The lengths that the service takes, in bytes (DPS documentation, "Symmetric key attestation").
const LENGTHS: core::ops::RangeInclusive<usize> = 16..=64;

/// A symmetric key of 16 to 64 bytes.
///
/// It has no `Display` and no `Serialize`, its `Debug` shows a fingerprint, and it is wiped when
/// dropped.
#[derive(Clone)]
pub struct SymmetricKey(Zeroizing<Vec<u8>>);

/// A key and another one that is as good, so that keys can be changed without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymmetricKeys {
    /// The key.
    pub primary: SymmetricKey,
    /// The other one.
    pub secondary: SymmetricKey,
}

/// Why a text is not a symmetric key. The text itself is kept out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is not base64.
    #[error("the key is not base64")]
    NotBase64,
    /// The key has {length} bytes; 16 to 64 are allowed.
    #[error("the key has {length} bytes; 16 to 64 are allowed")]
    Length {
        /// How many it has.
        length: usize,
    },
}

impl SymmetricKey {
    /// Takes the bytes of a key into custody.
    ///
    /// # Errors
    /// They are too few or too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes);
        if LENGTHS.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(KeyError::Length {
                length: bytes.len(),
            })
        }
    }

    /// Reads a key in base64, as the services have it.
    ///
    /// # Errors
    /// The text is not base64 of 16 to 64 bytes.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::NotBase64)?;
        Self::new(bytes)
    }

    /// A new key of 64 bytes, as long as those that the service makes.
    pub fn generate(entropy: &mut impl Rng) -> Self {
        Self::random::<64>(entropy)
    }

    /// A new key of so many bytes.
    pub(crate) fn random<const LENGTH: usize>(entropy: &mut impl Rng) -> Self {
        const { assert!(16 <= LENGTH && LENGTH <= 64, "a key's length") };
        let mut bytes = Zeroizing::new(vec![0; LENGTH]);
        entropy.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The key in base64; the caller answers for where it goes.
    pub fn expose_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.expose()))
    }

    /// The key's bytes; the caller answers for where they go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The key of one device in a group with this key: HMAC-SHA256 over its registration id (DPS
    /// documentation, "Group enrollments").
    #[must_use]
    pub fn derive(&self, registration_id: &str) -> Self {
        let code = self.code(registration_id.as_bytes());
        Self(Zeroizing::new(code.finalize().into_bytes().to_vec()))
    }

    /// Whether `signature` is HMAC-SHA256 over `message` with this key, in constant time.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.code(message).verify_slice(signature).is_ok()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    fn code(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut code = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key");
        code.update(message);
        code
    }
}

impl SymmetricKeys {
    /// Two new keys.
    pub fn generate(entropy: &mut impl Rng) -> Self {
        Self {
            primary: SymmetricKey::generate(entropy),
            secondary: SymmetricKey::generate(entropy),
        }
    }

    /// The keys of one device in a group with these keys.
    #[must_use]
    pub fn derive(&self, registration_id: &str) -> Self {
        Self {
            primary: self.primary.derive(registration_id),
            secondary: self.secondary.derive(registration_id),
        }
    }
}

impl PartialEq for SymmetricKey {
    /// Takes as long for keys that differ early as for those that differ late.
    fn eq(&self, other: &Self) -> bool {
        let difference = self.0.iter().zip(other.0.iter());
        let difference = difference.fold(0, |sum, (own, other)| sum | (own ^ other));
        self.0.len() == other.0.len() && difference == 0
    }
}

impl Eq for SymmetricKey {}

impl fmt::Debug for SymmetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SymmetricKey({})", Fingerprint::of(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The example of the DPS documentation, which azure-iot-sdk-c derives too.
    #[test]
    fn a_group_key_gives_the_documented_device_key() {
        let group = SymmetricKey::from_base64(
            "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==",
        );
        let device = group
            .unwrap()
            .derive("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6");
        let expected = "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=";
        assert_eq!(*device.expose_base64(), expected);
    }

    #[rstest]
    #[case("AAAAAAAAAAAAAAAAAAAAAA==", None)]
    #[case("AAAA", Some(KeyError::Length { length: 3 }))]
    #[case("", Some(KeyError::Length { length: 0 }))]
    #[case("not base64!", Some(KeyError::NotBase64))]
    fn texts(#[case] text: &str, #[case] expected: Option<KeyError>) {
        assert_eq!(SymmetricKey::from_base64(text).err(), expected);
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        let key = SymmetricKey::from_base64("AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
        let shown = format!("{key:?}");
        assert!(shown.len() < 30 && !shown.contains("AAAA"), "{shown}");
    }
}
