//! Registration ids, device ids and operation ids.

use core::fmt;

use rand_core::Rng;

/// The longest registration id (DPS documentation, "Terminology").
const LONGEST: usize = 128;

/// The longest common name (RFC 5280 appendix A, `ub-common-name`), so the longest id that an
/// X.509 device can have.
pub(super) const LONGEST_COMMON_NAME: usize = 64;

/// A registration id: 1 to 128 of `A-Z a-z 0-9 . _ : -`, the last one a letter, a digit or `-`.
///
/// Two ids that differ in case alone are the same id; [`as_str`](Self::as_str) keeps the spelling.
#[derive(Clone, Debug)]
pub struct RegistrationId(String);

/// What is wrong with a registration id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The registration id is empty.
    #[error("the registration id is empty")]
    Empty,
    /// The registration id has {length} characters; 128 are allowed.
    #[error("the registration id has {length} characters; {LONGEST} are allowed")]
    TooLong {
        /// How many it has.
        length: usize,
    },
    /// The registration id has {character:?} at position {position}.
    #[error(
        "the registration id has {character:?} at position {position}; allowed are letters, digits and `. _ : -`, at the end letters, digits and `-`"
    )]
    BadCharacter {
        /// The character.
        character: char,
        /// Its index, from 0.
        position: usize,
    },
}

impl RegistrationId {
    /// Reads an id.
    ///
    /// # Errors
    /// It is empty, too long, or has a character that ids cannot have.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let length = text.chars().count();
        if length == 0 {
            return Err(IdError::Empty);
        }
        if length > LONGEST {
            return Err(IdError::TooLong { length });
        }
        let allowed = |(position, character): &(usize, char)| {
            character.is_ascii_alphanumeric()
                || *character == '-'
                || ("._:".contains(*character) && position + 1 < length)
        };
        match text.chars().enumerate().find(|item| !allowed(item)) {
            Some((position, character)) => Err(IdError::BadCharacter {
                character,
                position,
            }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The id as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in the one spelling by which records are kept.
    pub(super) fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether `name` is this id, whatever the case of its letters.
    pub(super) fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// Whether it has a letter in upper case.
    pub(super) fn has_upper_case(&self) -> bool {
        self.0.bytes().any(|byte| byte.is_ascii_uppercase())
    }
}

impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` can name a device in a hub: 1 to 128 ASCII letters, digits and certain signs
/// (IoT Hub documentation, "Device identity properties").
pub(crate) fn is_device_id(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.%_*?!(),:=@$'".contains(&byte))
}

/// An operation id in the service's form: `<digit>.<16 hex digits>.<uuid>`.
pub(super) fn operation_id(entropy: &mut impl Rng) -> String {
    let digit = entropy.next_u32() % 10;
    format!("{digit}.{:016x}.{}", entropy.next_u64(), uuid(entropy))
}

/// An etag in the service's form: base64 of a quoted `xxxxxxxx-0000-0300-0000-xxxxxxxxxxxx`.
pub(super) fn etag(entropy: &mut impl Rng) -> String {
    let first = entropy.next_u32();
    etag_from(first, entropy.next_u64() >> 16)
}

/// An etag in the same form, from a hash.
pub(super) fn etag_of(digest: &[u8; 32]) -> String {
    let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let last = [
        0, 0, digest[4], digest[5], digest[6], digest[7], digest[8], digest[9],
    ];
    etag_from(first, u64::from_be_bytes(last))
}

fn etag_from(first: u32, last: u64) -> String {
    use base64::Engine as _;
    let text = format!("\"{first:08x}-0000-0300-0000-{last:012x}\"");
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A random UUID (RFC 9562 version 4).
pub(crate) fn uuid(entropy: &mut impl Rng) -> String {
    let mut bytes = [0; 16];
    entropy.fill_bytes(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("az-c8934641234bv1v6v5", Ok(()))]
    #[case("A.b_c:d-", Ok(()))]
    #[case("", Err(IdError::Empty))]
    #[case("a.", Err(IdError::BadCharacter { character: '.', position: 1 }))]
    #[case("a/b", Err(IdError::BadCharacter { character: '/', position: 1 }))]
    #[case("ä", Err(IdError::BadCharacter { character: 'ä', position: 0 }))]
    #[case(&"a".repeat(128), Ok(()))]
    #[case(&"a".repeat(129), Err(IdError::TooLong { length: 129 }))]
    fn ids(#[case] text: &str, #[case] expected: Result<(), IdError>) {
        assert_eq!(RegistrationId::parse(text).map(|_| ()), expected);
    }

    #[test]
    fn generated_ids_have_the_services_forms() {
        let mut entropy = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
        insta::assert_snapshot!(operation_id(&mut entropy), @"2.1ca66625c476243a.c55c3ca8-75db-44cc-81c0-deb789f8e7bf");
        insta::assert_snapshot!(etag(&mut entropy), @"IjM4MzYxODg4LTAwMDAtMDMwMC0wMDAwLWI4ZTMwZWI2ODYzNiI=");
        insta::assert_snapshot!(uuid(&mut entropy), @"4b6c7d32-1d70-45c0-ae9d-ac63a4d0a79d");
    }
}
