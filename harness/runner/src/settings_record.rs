//! The settings record of zone 5 as our firmware writes it, for scenarios that plant one.
//!
//! `Key=value;` pairs, then `Check=` and eight hex digits: the CRC-32 (ISO-HDLC) of all pairs,
//! then `;`; zeros fill the record up to its 384 bytes.

/// The record's length in bytes.
const RECORD_BYTES: usize = 384;

/// The record that holds `members`, with a right check word.
pub fn encode(members: &[(&str, &str)]) -> Vec<u8> {
    let body: String = members.iter().map(|(key, value)| format!("{key}={value};")).collect();
    let check = crc32fast::hash(body.as_bytes());
    let mut record = format!("{body}Check={check:08x};").into_bytes();
    let length = record.len().max(RECORD_BYTES);
    record.resize(length, 0);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_ends_with_its_check_word() {
        let record = encode(&[("IdScope", "0ne00000000")]);
        // Python: zlib.crc32(b"IdScope=0ne00000000;")
        assert!(record.starts_with(b"IdScope=0ne00000000;Check=daf2ef1b;"));
        assert_eq!(record.len(), RECORD_BYTES);
    }
}
