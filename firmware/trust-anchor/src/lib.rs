//! The record in RAM by which a test harness makes the device trust one more root certificate.
//!
//! | offset | content |
//! |---|---|
//! | 0 | `HILTRUST` |
//! | 8 | length of the certificate, u32 little-endian, 1 to 4080 |
//! | 12 | the certificate, DER |
//! | after it | CRC-32 (ISO-HDLC) over length and certificate, u32 little-endian |
//!
//! The record lies in RAM that nobody initialises: it survives a reset but never a power cycle, so
//! the image in flash trusts no test root.
#![no_std]
#![forbid(unsafe_code)]

use settings::crc32;

/// Length of the RAM that the record may fill.
pub const RECORD_BYTES: usize = 4096;

const MAGIC: &[u8; 8] = b"HILTRUST";
const HEADER: usize = MAGIC.len() + 4;
const CRC: usize = 4;

/// There is a record, but its length or CRC is wrong. It must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRecord;

/// The certificate of a record; `None` when there is no record.
///
/// # Errors
/// [`BadRecord`] when the record starts but is not sound.
pub fn parse(memory: &[u8; RECORD_BYTES]) -> Result<Option<&[u8]>, BadRecord> {
    let (magic, rest) = memory.split_at(MAGIC.len());
    if magic != MAGIC {
        return Ok(None);
    }
    let (length_field, rest) = rest.split_first_chunk::<4>().ok_or(BadRecord)?;
    let length = u32::from_le_bytes(*length_field) as usize;
    if !(1..=RECORD_BYTES - HEADER - CRC).contains(&length) {
        return Err(BadRecord);
    }
    let (certificate, rest) = rest.split_at(length);
    let crc = rest.first_chunk::<CRC>().ok_or(BadRecord)?;
    if crc32([&length_field[..], certificate]).to_le_bytes() == *crc {
        Ok(Some(certificate))
    } else {
        Err(BadRecord)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(certificate: &[u8]) -> [u8; RECORD_BYTES] {
        let mut memory = [0xA5; RECORD_BYTES];
        let length = u32::try_from(certificate.len()).unwrap().to_le_bytes();
        let crc = crc32([&length[..], certificate]).to_le_bytes();
        let mut position = 0;
        for piece in [&MAGIC[..], &length, certificate, &crc] {
            memory[position..position + piece.len()].copy_from_slice(piece);
            position += piece.len();
        }
        memory
    }

    #[test]
    fn memory_without_the_magic_holds_no_record() {
        assert_eq!(parse(&[0; RECORD_BYTES]), Ok(None));
        assert_eq!(parse(&[0xFF; RECORD_BYTES]), Ok(None));
    }

    #[test]
    fn the_longest_and_the_shortest_certificate_fit() {
        for length in [1, 4080] {
            let certificate = &[0x30; 4080][..length];
            assert_eq!(parse(&record(certificate)), Ok(Some(certificate)));
        }
    }

    #[test]
    fn lengths_out_of_bounds_are_bad() {
        for length in [0, 4081, u32::MAX] {
            let mut memory = record(b"certificate");
            memory[8..12].copy_from_slice(&length.to_le_bytes());
            assert_eq!(parse(&memory), Err(BadRecord), "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_flipped_bit_after_the_magic_is_noticed(bit in 64_usize..(8 + 4 + 11 + 4) * 8) {
            let mut memory = record(b"certificate");
            memory[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(parse(&memory), Err(BadRecord));
        }
    }
}
