use zeroize::Zeroize;

use super::{Words, sha256};

/// HMAC-SHA256 (RFC 2104) under a key of 32 bytes.
#[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.text"))]
#[inline(never)]
pub fn hmac_sha256(key: &[u8; 32], message: &[&[u8]; 3]) -> [u8; 32] {
    let mut pad = [0x36; 64];
    for (byte, key) in pad.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut inner = sha256(
        Words::BigEndian,
        &[&pad, message[0], message[1], message[2]],
    );
    for byte in &mut pad {
        *byte ^= 0x36 ^ 0x5C;
    }
    let outer = sha256(Words::BigEndian, &[&pad, &inner]);
    pad.zeroize();
    inner.zeroize();
    outer
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_another_implementation(
            key in any::<[u8; 32]>(), message in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut other = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
            other.update(b"a");
            other.update(&message);
            let expected: [u8; 32] = other.finalize().into_bytes().into();
            prop_assert_eq!(hmac_sha256(&key, &[b"a", &message, b""]), expected);
        }
    }
}
