//! Percent-encoding (RFC 3986 section 2.1).

use std::borrow::Cow;

/// `text` with its percent-encoded bytes decoded. What cannot be decoded stays as it is.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let decoded = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| hex::decode(digits).ok());
        match decoded {
            Some(decoded) => {
                bytes.extend(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(text),
    }
}

/// `text` with every byte percent-encoded but letters, digits and `-._~`.
pub(crate) fn encoded(text: &str) -> String {
    use core::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            // Writing into a string cannot fail.
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("az-1", "az-1")]
    #[case("a%3Ab", "a:b")]
    #[case("a%3ab%", "a:b%")]
    #[case("%zz", "%zz")]
    #[case("%", "%")]
    #[case("%ff", "%ff")]
    #[case("%2e%2E%2f", "../")]
    fn texts(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(decoded(text), expected);
    }
}
