//! The record in RAM that lends the firmware a root certificate until power is cut.

/// Where the record lies.
pub const TRUST_ANCHOR_ADDRESS: u32 = 0x2003_F000;
/// How long it may be, in bytes.
pub const TRUST_ANCHOR_SIZE: usize = 0x1000;

/// The record for the certificate `der`: magic, length, DER, CRC-32 over length and DER.
///
/// `None` where the certificate does not fit.
pub fn trust_anchor_record(der: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(der.len()).ok()?;
    if der.is_empty() || der.len() > TRUST_ANCHOR_SIZE - 16 {
        return None;
    }
    let covered = [&length.to_le_bytes(), der].concat();
    let crc = crc32fast::hash(&covered);
    Some([b"HILTRUST".as_slice(), &covered, &crc.to_le_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_has_its_layout() {
        let record = trust_anchor_record(b"123456789").unwrap();
        assert_eq!(&record[..12], b"HILTRUST\x09\0\0\0");
        assert_eq!(&record[12..21], b"123456789");
        // As Python's zlib.crc32 has it.
        assert_eq!(record[21..], 0xa51c_61e2_u32.to_le_bytes());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(trust_anchor_record(&[]).is_none());
        assert!(trust_anchor_record(&[0; TRUST_ANCHOR_SIZE - 15]).is_none());
        assert_eq!(
            trust_anchor_record(&[0; TRUST_ANCHOR_SIZE - 16])
                .unwrap()
                .len(),
            4096
        );
    }
}
