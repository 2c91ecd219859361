//! Control packets, read from a stream in pieces of any size.

use super::{DecodeError, Packet, decode};

/// The largest packet that a hub takes: 256 KiB and a header (IoT Hub documentation, "Quotas").
const LIMIT: usize = 260 * 1024;

/// Cuts a stream into control packets.
#[derive(Debug, Default)]
pub(crate) struct PacketReader {
    buffer: Vec<u8>,
}

impl PacketReader {
    /// Takes the stream's next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet, if there is one.
    ///
    /// # Errors
    /// The stream holds no packet at this place; nothing after it can be read.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let Some((&first, rest)) = self.buffer.split_first() else {
            return Ok(None);
        };
        let Some((length, taken)) = remaining_length(rest)? else {
            return Ok(None);
        };
        if length > LIMIT {
            return Err(DecodeError::TooLarge { limit: LIMIT });
        }
        let Some(body) = rest.get(taken..taken + length) else {
            return Ok(None);
        };
        let packet = decode::packet(first, body)?;
        self.buffer.drain(..1 + taken + length);
        Ok(Some(packet))
    }
}

/// The remaining length and the bytes that it takes (section 2.2.3).
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, DecodeError> {
    let mut length = 0;
    for index in 0..4 {
        let Some(byte) = bytes.get(index) else {
            return Ok(None);
        };
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((length, index + 1)));
        }
    }
    Err(DecodeError::RemainingLength)
}
