//! Secret bytes that cannot be printed, and the fingerprint that stands for them in reports.

use core::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Secret bytes of a fixed length: a UDS, a CDI, a private key.
///
/// It has no `Debug`, no `Display`, no `Serialize` and no `PartialEq`, and is
/// wiped when dropped:
///
/// ```compile_fail
/// let secret = az3166_event::Secret::new([7u8; 32]);
/// println!("{secret:?}");
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes `bytes` into custody.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves; the caller answers for where they go.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// What may stand for this secret in a report.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }
}

/// The first 8 hex digits of SHA-256 over a fixed tag and the secret.
///
/// Long enough to tell two secrets apart, too short to search for one that has
/// 256 bits of entropy.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    const TAG: &'static [u8] = b"az3166-hil secret fingerprint v1";

    /// The fingerprint of `secret`.
    pub fn of(secret: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(Self::TAG)
            .chain_update(secret)
            .finalize();
        Self(
            digest
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_secrets_apart_and_hold_none_of_them() {
        let (a, b) = (Secret::new([0x19; 32]), Secret::new([0x1a; 32]));
        assert_ne!(a.fingerprint(), b.fingerprint());
        assert_eq!(a.fingerprint().to_string().len(), 8);
        assert!(!a.fingerprint().to_string().contains("1919"));
    }
}
