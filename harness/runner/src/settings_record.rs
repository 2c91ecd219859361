//! The settings record of zone 5 as our firmware writes it: to plant one, and to see what is set.
//!
//! `Key=value;` pairs, then `Check=` and eight hex digits: the CRC-32 (ISO-HDLC) of all pairs,
//! then `;`; zeros fill the record up to its 384 bytes.

/// The record's length in bytes.
const RECORD_BYTES: usize = 384;

/// The record that holds `members`, with a right check word.
pub fn encode(members: &[(&str, &str)]) -> Vec<u8> {
    let body: String = members
        .iter()
        .map(|(key, value)| format!("{key}={value};"))
        .collect();
    let check = crc32fast::hash(body.as_bytes());
    let mut record = format!("{body}Check={check:08x};").into_bytes();
    let length = record.len().max(RECORD_BYTES);
    record.resize(length, 0);
    record
}

/// The pairs of `record`, whether or not its check word fits; none where it is no text.
pub fn members(record: &[u8]) -> Vec<(String, String)> {
    let text = record.split(|byte| *byte == 0).next().unwrap_or_default();
    let pairs = core::str::from_utf8(text)
        .unwrap_or_default()
        .split_terminator(';');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| *key != "Check")
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_back() {
        let pairs = [("RegistrationId", "dev-1"), ("MAC", "0200deadbeef")];
        let owned = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(members(&encode(&pairs)), owned);
        assert_eq!(members(&[0; RECORD_BYTES]), []);
        assert_eq!(members(&[0xFF; RECORD_BYTES]), []);
    }

    #[test]
    fn a_record_ends_with_its_check_word() {
        let record = encode(&[("IdScope", "0ne00000000")]);
        // Python: zlib.crc32(b"IdScope=0ne00000000;")
        assert!(record.starts_with(b"IdScope=0ne00000000;Check=daf2ef1b;"));
        assert_eq!(record.len(), RECORD_BYTES);
    }
}
