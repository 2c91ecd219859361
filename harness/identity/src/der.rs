//! The little of DER (X.690) that the certificates need: single-byte tags and definite lengths.

/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// UTF8String.
pub const UTF8_STRING: u8 = 0x0C;
/// UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// SET.
pub const SET: u8 = 0x31;

/// The tag of a constructed element `[number]` of class context-specific.
pub const fn context(number: u8) -> u8 {
    0xA0 | number
}

/// One element: tag, length, and the parts of its content one after another.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    if length < 0x80 {
        bytes.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        bytes.push(0x80 | digits.len() as u8);
        bytes.extend(digits);
    }
    bytes.extend(parts.iter().copied().flatten());
    bytes
}

/// A non-negative INTEGER in its shortest form from big-endian bytes.
pub fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
    let digits = &magnitude[zeros..];
    match digits.first() {
        Some(first) if *first < 0x80 => element(INTEGER, &[digits]),
        _ => element(INTEGER, &[&[0], digits]),
    }
}

/// A BIT STRING of whole bytes.
pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes])
}

/// Splits the first element off: its tag, its content, and what follows.
pub fn split(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = input.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The content of the first element if it has the tag `tag`, and what follows it.
pub fn expect(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = split(input)?;
    (found == tag).then_some((content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], &[2, 1, 0])]
    #[case(&[0, 0], &[2, 1, 0])]
    #[case(&[0, 0x7F], &[2, 1, 0x7F])]
    #[case(&[0x80], &[2, 2, 0, 0x80])]
    #[case(&[1, 0], &[2, 2, 1, 0])]
    fn integers_are_minimal(#[case] magnitude: &[u8], #[case] expected: &[u8]) {
        assert_eq!(unsigned(magnitude), expected);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            tag in any::<u8>(),
            content in prop::collection::vec(any::<u8>(), 0..700),
            tail in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let input = [element(tag, &[&content]), tail.clone()].concat();
            prop_assert_eq!(split(&input), Some((tag, content.as_slice(), tail.as_slice())));
        }
    }
}
