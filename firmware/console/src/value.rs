//! What the values of the settings may be.

use heapless::String;
use settings::{ENDPOINT_MAX, ID_SCOPE_MAX, REGISTRATION_ID_MAX, Transport};

/// The value cannot be used; the text says what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidValue(pub &'static str);

fn checked<const N: usize>(
    text: &str,
    allowed: fn(u8) -> bool,
    rule: &'static str,
) -> Result<String<N>, InvalidValue> {
    if text.is_empty() || !text.bytes().all(allowed) {
        return Err(InvalidValue(rule));
    }
    String::try_from(text).map_err(|_| InvalidValue(rule))
}

/// A registration id, which is also the subject of the Alias certificate.
///
/// # Errors
/// [`InvalidValue`] unless it is 1 to 128 characters of `a-z 0-9 -`.
pub fn registration_id(text: &str) -> Result<String<REGISTRATION_ID_MAX>, InvalidValue> {
    checked(
        text,
        |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'),
        "A registration id is 1 to 128 characters of a-z, 0-9 and -.",
    )
}

/// The ID scope of a provisioning service instance, such as `0ne00000000`.
///
/// # Errors
/// [`InvalidValue`] unless it is 1 to 32 letters and digits.
pub fn id_scope(text: &str) -> Result<String<ID_SCOPE_MAX>, InvalidValue> {
    checked(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        "An ID scope is 1 to 32 letters and digits.",
    )
}

/// The host name of a provisioning service (RFC 1123 section 2.1).
///
/// # Errors
/// [`InvalidValue`] unless it is labels of letters, digits and inner hyphens, joined by dots.
pub fn endpoint(text: &str) -> Result<String<ENDPOINT_MAX>, InvalidValue> {
    const RULE: &str = "An endpoint is a host name of up to 128 characters.";
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    if !text.split('.').all(label) {
        return Err(InvalidValue(RULE));
    }
    checked(
        text,
        |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'),
        RULE,
    )
}

/// What carries the registration.
///
/// # Errors
/// [`InvalidValue`] unless it is `https` or `mqtt`.
pub fn transport(text: &str) -> Result<Transport, InvalidValue> {
    Transport::from_name(text).ok_or(InvalidValue("A DPS transport is https or mqtt."))
}

/// A MAC address as 12 hex digits.
///
/// # Errors
/// [`InvalidValue`] for other text, a group address, and zero.
pub fn mac(text: &str) -> Result<[u8; 6], InvalidValue> {
    const RULE: InvalidValue =
        InvalidValue("A MAC address is 12 hex digits, not zero and not a group address.");
    if text.len() != 12 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(RULE);
    }
    let value = u64::from_str_radix(text, 16).map_err(|_| RULE)?;
    let [_, _, mac @ ..] = value.to_be_bytes();
    if value == 0 || mac[0] & 1 == 1 {
        Err(RULE)
    } else {
        Ok(mac)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String as StdString;

    use super::*;

    #[track_caller]
    fn check<T>(parse: fn(&str) -> Result<T, InvalidValue>, valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in invalid {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    fn repeat(count: usize) -> StdString {
        "a".repeat(count)
    }

    #[test]
    fn registration_ids() {
        check(
            registration_id,
            &["a", "az-c8934641234bv1v6v5", &repeat(128)],
            &["", "A", "a_b", "a.b", "a b", "é", &repeat(129)],
        );
    }

    #[test]
    fn id_scopes() {
        check(
            id_scope,
            &["0ne00000000", &repeat(32)],
            &["", "0ne-1", "0ne;", &repeat(33)],
        );
    }

    #[test]
    fn endpoints() {
        check(
            endpoint,
            &[
                "global.azure-devices-provisioning.net",
                "localhost",
                "10.64.1.1",
            ],
            &[
                "",
                ".",
                "a..b",
                "a.",
                "-a.b",
                "a-.b",
                "a;b",
                "https://a",
                "a:443",
                &repeat(64),
            ],
        );
    }

    #[test]
    fn macs() {
        check(
            mac,
            &["c8934641234b", "C8934641234B", "020000000001"],
            &[
                "",
                "c8934641234",
                "c8934641234bb",
                "c8:93:46:41:23:4b",
                "g8934641234b",
                "+8934641234b",
                "000000000000",
                "010000000000",
                "ffffffffffff",
            ],
        );
        assert_eq!(
            mac("c8934641234b"),
            Ok([0xC8, 0x93, 0x46, 0x41, 0x23, 0x4B])
        );
    }
}
