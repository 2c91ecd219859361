/// CRC-32 as in ISO-HDLC (IEEE 802.3, zlib): reflected polynomial 0xEDB88320, initial value and
/// final exclusive-or 0xFFFFFFFF. The bytes may come in several pieces.
pub fn crc32<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut crc = u32::MAX;
    for byte in pieces.into_iter().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn check_value_of_the_catalogue() {
        assert_eq!(crc32([&b"123456789"[..]]), 0xCBF4_3926);
        assert_eq!(crc32([&b"1234"[..], b"56789"]), 0xCBF4_3926);
    }
}
