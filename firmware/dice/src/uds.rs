use ::core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Length of a typed or stored UDS in characters.
pub const UDS_DIGITS: usize = 64;

/// A Unique Device Secret. It has no `Debug` and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Uds([u8; UDS_DIGITS / 2]);

/// Why some text is not a UDS. It names no digit, since most of them may be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdsError {
    /// The text does not have 64 characters, but this number.
    Length(usize),
    /// The character at this position, counted from 1, is no hex digit.
    Digit(usize),
}

impl fmt::Display for UdsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => {
                write!(
                    f,
                    "a UDS has {UDS_DIGITS} hex digits, this has {length} characters"
                )
            }
            Self::Digit(position) => write!(f, "character {position} of the UDS is no hex digit"),
        }
    }
}

impl Uds {
    /// Reads 64 hex digits of either case.
    ///
    /// # Errors
    /// [`UdsError`] for any other text.
    pub fn from_hex(text: &[u8]) -> Result<Self, UdsError> {
        if text.len() != UDS_DIGITS {
            return Err(UdsError::Length(text.len()));
        }
        let mut uds = Self([0; UDS_DIGITS / 2]);
        for (position, &character) in text.iter().enumerate() {
            let digit = char::from(character)
                .to_digit(16)
                .ok_or(UdsError::Digit(position + 1))? as u8;
            uds.0[position / 2] = uds.0[position / 2] << 4 | digit;
        }
        Ok(uds)
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8; UDS_DIGITS / 2] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: Option<UdsError>) {
        assert_eq!(Uds::from_hex(text).err(), expected);
    }

    #[test]
    fn only_64_hex_digits_are_a_uds() {
        check(&[b'a'; 64], None);
        check(&[b'A'; 64], None);
        check(&[b'a'; 63], Some(UdsError::Length(63)));
        check(&[b'a'; 65], Some(UdsError::Length(65)));
        check(b"", Some(UdsError::Length(0)));
        let mut text = [b'0'; 64];
        text[17] = b'g';
        check(&text, Some(UdsError::Digit(18)));
    }

    #[test]
    fn digits_become_bytes_in_order() {
        let mut text = [b'0'; 64];
        text[0] = b'1';
        text[1] = b'9';
        text[63] = b'E';
        let uds = Uds::from_hex(&text).ok().unwrap();
        assert_eq!(uds.expose()[0], 0x19);
        assert_eq!(uds.expose()[31], 0x0E);
    }
}
