use core::str::FromStr;

use az3166_event::{Fingerprint, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

/// A Unique Device Secret: the 32 bytes that everything else of a device's identity is made from.
#[derive(Clone)]
pub struct Uds(Secret<32>);

/// Why a text is no UDS. No message holds any part of the text.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UdsError {
    /// the UDS has a character that is not a hex digit, at position {position}; give 64 hex digits
    #[error(
        "the UDS has a character that is not a hex digit, at position {position}; give 64 hex digits"
    )]
    NotHex {
        /// Counted in characters, from 1.
        position: usize,
    },
    /// the UDS has {found} hex digits; give 64
    #[error("the UDS has {found} hex digits; give 64")]
    Length {
        /// How many there were.
        found: usize,
    },
}

impl Uds {
    /// The number of hex digits of a UDS.
    pub const DIGITS: usize = 64;

    /// Takes the raw bytes.
    pub const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// What may stand for this UDS in a report.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint()
    }
}

impl FromStr for Uds {
    type Err = UdsError;

    /// Reads 64 hex digits in either case.
    fn from_str(text: &str) -> Result<Self, UdsError> {
        let mut digits = Zeroizing::new([0u8; Self::DIGITS]);
        let mut found = 0;
        for (index, character) in text.chars().enumerate() {
            let digit = character.to_digit(16).ok_or(UdsError::NotHex {
                position: index + 1,
            })?;
            if let Some(place) = digits.get_mut(index) {
                *place = digit as u8;
            }
            found = index + 1;
        }
        if found != Self::DIGITS {
            return Err(UdsError::Length { found });
        }
        let mut bytes = Zeroizing::new([0u8; 32]);
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(Secret::new(*bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const SAMPLE: &str = "19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae";

    #[test]
    fn reads_either_case() {
        let lower: Uds = SAMPLE.parse().unwrap();
        let upper: Uds = SAMPLE.to_uppercase().parse().unwrap();
        assert_eq!(hex::encode(lower.secret().expose()), SAMPLE);
        assert_eq!(lower.secret().expose(), upper.secret().expose());
    }

    #[rstest]
    #[case::empty("", UdsError::Length { found: 0 })]
    #[case::one_short(&SAMPLE[1..], UdsError::Length { found: 63 })]
    #[case::one_long(&format!("{SAMPLE}0"), UdsError::Length { found: 65 })]
    #[case::prefix(&format!("0x{SAMPLE}"), UdsError::NotHex { position: 2 })]
    #[case::last(&format!("{}g", &SAMPLE[1..]), UdsError::NotHex { position: 64 })]
    #[case::newline(&format!("{SAMPLE}\n"), UdsError::NotHex { position: 65 })]
    #[case::wide_character(&format!("ä{}", &SAMPLE[1..]), UdsError::NotHex { position: 1 })]
    fn names_the_wrong_character(#[case] text: &str, #[case] expected: UdsError) {
        let error = text.parse::<Uds>().err().unwrap();
        assert_eq!(error, expected);
        assert!(text.is_empty() || !error.to_string().contains(&text[text.len() / 2..]));
    }

    proptest! {
        #[test]
        fn round_trips(bytes in any::<[u8; 32]>()) {
            let uds: Uds = hex::encode(bytes).parse().unwrap();
            prop_assert_eq!(uds.secret().expose(), &bytes);
        }
    }
}
