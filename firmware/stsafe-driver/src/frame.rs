//! Frames: `header, payload, CRC` to the chip; `status, length, payload, CRC` from it. All fields
//! are big-endian; the answer's length counts payload and CRC.

use zeroize::Zeroize;

use crate::{Error, crc::crc16};

/// The longest frame in either direction.
pub const FRAME_MAX: usize = 507;
/// Status and length field in front of an answer's payload.
pub const ANSWER_HEADER: usize = 3;
pub const CRC: usize = 2;

/// The status bits of an answer's header; bit 6 tells of a R-MAC.
const STATUS_BITS: u8 = 0x1F;
const STATUS_OK: u8 = 0;

/// A buffer for one frame, wiped when dropped.
#[derive(Clone)]
pub struct Frame {
    bytes: [u8; FRAME_MAX],
    length: usize,
}

impl Frame {
    /// A command: header and payload in pieces, then its CRC. `None` when it is too long.
    pub fn command(pieces: &[&[u8]]) -> Option<Self> {
        let mut frame = Self {
            bytes: [0; FRAME_MAX],
            length: 0,
        };
        for piece in pieces {
            frame.push(piece)?;
        }
        let crc = crc16(frame.as_bytes());
        frame.push(&crc.to_be_bytes())?;
        Some(frame)
    }

    /// Room for an answer with this many bytes of payload, cut to the longest frame.
    pub fn answer(payload: usize) -> Self {
        let length = (ANSWER_HEADER + payload + CRC).min(FRAME_MAX);
        Self {
            bytes: [0; FRAME_MAX],
            length,
        }
    }

    fn push(&mut self, piece: &[u8]) -> Option<()> {
        let end = self.length + piece.len();
        self.bytes.get_mut(self.length..end)?.copy_from_slice(piece);
        self.length = end;
        Some(())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// What the length field of an answer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of the answer is in what was read.
    Whole,
    /// The answer's payload has this many bytes: read again, from the start, with more room.
    Payload(usize),
}

/// Bounds-checks the length field of what was read so far.
pub fn extent(answer: &[u8]) -> Result<Extent, Error> {
    let [_, high, low, ..] = *answer else {
        return Err(Error::Length);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if !(CRC..=FRAME_MAX - ANSWER_HEADER).contains(&length) {
        return Err(Error::Length);
    }
    Ok(if ANSWER_HEADER + length <= answer.len() {
        Extent::Whole
    } else {
        Extent::Payload(length - CRC)
    })
}

/// The payload of a whole answer, once CRC and status are right. The CRC covers the header and the
/// payload but not the length field.
pub fn payload(answer: &[u8]) -> Result<&[u8], Error> {
    if extent(answer)? != Extent::Whole {
        return Err(Error::Length);
    }
    let length = usize::from(u16::from_be_bytes([answer[1], answer[2]]));
    let (payload, crc) = answer[ANSWER_HEADER..ANSWER_HEADER + length].split_at(length - CRC);
    if crc16(answer[..1].iter().chain(payload)).to_be_bytes() != crc {
        return Err(Error::Crc);
    }
    match answer[0] & STATUS_BITS {
        STATUS_OK => Ok(payload),
        status => Err(Error::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_command(pieces: &[&[u8]], expected: &str) {
        let frame = Frame::command(pieces).unwrap();
        assert_eq!(hex::encode_upper(frame.as_bytes()), expected);
    }

    fn check_answer(answer: &str, expected: Result<&str, Error>) {
        let answer = hex::decode(answer).unwrap();
        let expected = expected.map(|text| hex::decode(text).unwrap());
        assert_eq!(
            payload(&answer),
            expected.as_deref().map_err(|error| *error)
        );
    }

    #[test]
    fn commands_are_those_of_the_genuine_driver() {
        check_command(&[&[0x14], &[0x11]], "1411FCBE");
        check_command(&[&[0x05, 0, 6, 0, 0, 0, 0x40]], "05000600000040054F");
        check_command(
            &[&[0x06, 0, 6, 0, 0], &[0xDE, 0xAD, 0xBE, 0xEF]],
            "0600060000DEADBEEF5420",
        );
    }

    #[test]
    fn answers_of_real_chips_are_read() {
        check_answer("000002F078", Ok(""));
        check_answer("000002F078FFFFFFFF", Ok(""));
        check_answer("00000902000100010100FC88", Ok("02000100010100"));
        check_answer("010002E1F1", Err(Error::Status(0x01)));
        check_answer("140002A6DD", Err(Error::Status(0x14)));
    }

    #[test]
    fn damaged_answers_are_refused() {
        check_answer("000002F079", Err(Error::Crc));
        check_answer("000002E1F1", Err(Error::Crc));
        check_answer("010002E1F2", Err(Error::Crc));
        check_answer("00000000000000", Err(Error::Length));
        check_answer("000001F078", Err(Error::Length));
        check_answer("FFFFFFFFFF", Err(Error::Length));
        check_answer("0001F9FFFF", Err(Error::Length));
        check_answer("000003F078", Err(Error::Length));
        check_answer("0000", Err(Error::Length));
        check_answer("", Err(Error::Length));
    }

    #[test]
    fn a_command_longer_than_the_chip_takes_is_none() {
        assert!(Frame::command(&[&[0; FRAME_MAX - CRC]]).is_some());
        assert!(Frame::command(&[&[0; FRAME_MAX - CRC + 1]]).is_none());
    }
}
