//! Frames: header, payload, CRC.
//!
//! A command is `header payload CRC`, ended by STOP. A response is `header length payload
//! CRC`, where the length counts payload and CRC but is not covered by the CRC.

use zeroize::Zeroizing;

use crate::Status;

/// Bytes of a response frame that are not payload: header, length and CRC.
pub(crate) const RESPONSE_OVERHEAD: usize = 5;

/// CRC-16/X-25 (ISO/IEC 13239 FCS): reflected polynomial 0x8408, initial value and final
/// XOR 0xFFFF. Frames carry it high byte first.
pub fn crc16<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u16 {
    let register = bytes.into_iter().fold(0xFFFF_u16, |register, byte| {
        (0..8).fold(register ^ u16::from(*byte), |register, _| {
            let feedback = if register & 1 == 0 { 0 } else { 0x8408 };
            register >> 1 ^ feedback
        })
    });
    !register
}

/// A command frame whose CRC is right.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// Command code: header bits 4..0.
    pub code: u8,
    /// Header bits 7..5: C-MAC appended, R-MAC wanted, host channel.
    pub protection: u8,
    /// What follows the header, up to the CRC.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Takes a frame apart.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let (covered, crc) = bytes
            .split_last_chunk::<2>()
            .ok_or(Status::CommunicationError)?;
        if u16::from_be_bytes(*crc) != crc16(covered) {
            return Err(Status::CommunicationError);
        }
        let (header, payload) = covered.split_first().ok_or(Status::CommunicationError)?;
        Ok(Self {
            code: header & 0x1F,
            protection: header & 0xE0,
            payload,
        })
    }
}

/// A whole response frame.
pub(crate) fn response(status: Status, payload: &[u8]) -> Zeroizing<Vec<u8>> {
    // The I/O buffer bounds every payload far below 64 KiB.
    let length = u16::try_from(payload.len() + 2).unwrap_or(u16::MAX);
    let crc = crc16(core::iter::once(&status.code()).chain(payload));
    let mut frame = Zeroizing::new(Vec::with_capacity(payload.len() + RESPONSE_OVERHEAD));
    frame.push(status.code());
    frame.extend(length.to_be_bytes());
    frame.extend_from_slice(payload);
    frame.extend(crc.to_be_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_has_its_catalogued_check_value() {
        assert_eq!(crc16(b"123456789"), 0x906E);
    }

    #[test]
    fn frames_without_room_for_header_and_crc_are_communication_errors() {
        for bytes in [[].as_slice(), &[0x14], &[0, 0], &[0xFF, 0xFF]] {
            assert!(matches!(
                Frame::parse(bytes),
                Err(Status::CommunicationError)
            ));
        }
    }
}
