//! The image as a file: header, body, CRC-32. All fields are big-endian.
//!
//! | bytes | field |
//! |---|---|
//! | 8 | `A100-NVM` |
//! | 2 | version: 1 |
//! | 4 | length of the body |
//! | n | body |
//! | 4 | CRC-32 (ISO-HDLC) of all bytes before |
//!
//! Body: life cycle (1), two envelope key states (1 each: 0 absent, 1 AES-128, 2 AES-256),
//! host key (1: 0 absent, 1 present) and its counter (4), then every zone in ascending
//! order: index (1), type (1), counter (4), read and update condition (a nibble each),
//! writes (4), size (2), bytes.

use zeroize::Zeroizing;

use super::{AccessCondition, Content, EnvelopeKey, HostKey, LifeCycle, NvmImage, Zone};

const MAGIC: [u8; 8] = *b"A100-NVM";
const VERSION: u16 = 1;
const HEADER: usize = 14;
const CRC: usize = 4;
/// The C-MAC counter has 24 bits.
const COUNTER_LIMIT: u32 = 1 << 24;

/// Why bytes are not an NVM image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NvmFileError {
    /// not an NVM image: it does not begin with `A100-NVM`; name a file that `hil` wrote
    #[error("not an NVM image: it does not begin with `A100-NVM`; name a file that `hil` wrote")]
    NotAnImage,
    /// NVM image of version {0}; this program reads version 1
    #[error("NVM image of version {0}; this program reads version 1")]
    Version(u16),
    /// NVM image of {found} bytes where its header announces {announced}; the file is cut or has a tail
    #[error(
        "NVM image of {found} bytes where its header announces {announced}; the file is cut or has a tail"
    )]
    Length {
        /// What the header says.
        announced: u64,
        /// What there is.
        found: u64,
    },
    /// NVM image with a wrong checksum; the file is damaged
    #[error("NVM image with a wrong checksum; the file is damaged")]
    Checksum,
    /// NVM image with an impossible {field} at byte {offset}
    #[error("NVM image with an impossible {field} at byte {offset}")]
    Field {
        /// What was to be read.
        field: &'static str,
        /// Where it ends.
        offset: usize,
    },
}

impl NvmImage {
    /// The image as a file's content. It holds secrets: write it for the owner's eyes only.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let body = self.body();
        let mut file = Zeroizing::new(Vec::with_capacity(HEADER + body.len() + CRC));
        file.extend(MAGIC);
        file.extend(VERSION.to_be_bytes());
        // At most 256 zones of at most 64 KiB.
        file.extend((body.len() as u32).to_be_bytes());
        file.extend_from_slice(&body);
        let crc = crc32(&file);
        file.extend(crc.to_be_bytes());
        file
    }

    fn body(&self) -> Zeroizing<Vec<u8>> {
        let bytes: usize = self.zones().map(|(_, zone)| zone.bytes().len() + 13).sum();
        let mut body = Zeroizing::new(Vec::with_capacity(bytes + 8));
        body.push(self.life_cycle.code());
        body.extend(self.envelope_keys.map(|key| match key {
            EnvelopeKey::Absent => 0,
            EnvelopeKey::Aes128 => 1,
            EnvelopeKey::Aes256 => 2,
        }));
        let (host_key, counter) = match self.host_key {
            HostKey::Absent => (0, 0),
            HostKey::Present { counter } => (1, counter),
        };
        body.push(host_key);
        body.extend(counter.to_be_bytes());
        for (index, zone) in self.zones() {
            let (kind, counter) = match zone.content {
                Content::Data => (0, 0),
                Content::Counter(value) => (1, value),
            };
            body.extend([index, kind]);
            body.extend(counter.to_be_bytes());
            body.push(zone.read.nibble() << 4 | zone.update.nibble());
            body.extend(zone.writes.to_be_bytes());
            body.extend(zone.size().to_be_bytes());
            body.extend_from_slice(zone.bytes());
        }
        body
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`NvmFileError`] names what is wrong with the bytes, never what is in them.
    pub fn from_bytes(file: &[u8]) -> Result<Self, NvmFileError> {
        let mut header = Reader::new(file.get(..HEADER).ok_or(NvmFileError::NotAnImage)?);
        if header.array("magic")? != MAGIC {
            return Err(NvmFileError::NotAnImage);
        }
        let version = u16::from_be_bytes(header.array("version")?);
        if version != VERSION {
            return Err(NvmFileError::Version(version));
        }
        let body = u32::from_be_bytes(header.array("length")?);
        let announced = HEADER as u64 + u64::from(body) + CRC as u64;
        let found = file.len() as u64;
        if found != announced {
            return Err(NvmFileError::Length { announced, found });
        }
        let (covered, crc) = file.split_last_chunk().ok_or(NvmFileError::Checksum)?;
        if u32::from_be_bytes(*crc) != crc32(covered) {
            return Err(NvmFileError::Checksum);
        }
        let mut body = Reader::new(covered);
        body.bytes("header", HEADER)?;
        image(&mut body)
    }
}

fn image(body: &mut Reader<'_>) -> Result<NvmImage, NvmFileError> {
    let life_cycle = body.decode("life cycle", |code| {
        LifeCycle::ALL
            .into_iter()
            .find(|state| state.code() == code)
    })?;
    let mut image = NvmImage {
        life_cycle,
        ..NvmImage::empty()
    };
    for key in &mut image.envelope_keys {
        *key = body.decode("envelope key", |code| match code {
            0 => Some(EnvelopeKey::Absent),
            1 => Some(EnvelopeKey::Aes128),
            2 => Some(EnvelopeKey::Aes256),
            _ => None,
        })?;
    }
    let [host_key, counter @ ..] = body.array::<5>("host key")?;
    image.host_key = match (host_key, u32::from_be_bytes(counter)) {
        (0, 0) => HostKey::Absent,
        (1, counter) if counter < COUNTER_LIMIT => HostKey::Present { counter },
        _ => return Err(body.impossible("host key")),
    };
    let mut next = 0_u16;
    while !body.is_empty() {
        let index = body.decode("zone index", |index| {
            (u16::from(index) >= next).then_some(index)
        })?;
        next = u16::from(index) + 1;
        image.insert(index, zone(body)?);
    }
    Ok(image)
}

fn zone(body: &mut Reader<'_>) -> Result<Zone, NvmFileError> {
    let [kind, counter @ ..] = body.array::<5>("zone type")?;
    let content = match (kind, u32::from_be_bytes(counter)) {
        (0, 0) => Content::Data,
        (1, value) => Content::Counter(value),
        _ => return Err(body.impossible("zone type")),
    };
    let [access] = body.array("access conditions")?;
    let writes = u32::from_be_bytes(body.array("wear counter")?);
    let size = u16::from_be_bytes(body.array("zone size")?);
    let bytes = body.bytes("zone content", usize::from(size))?.to_vec();
    let mut zone = Zone::with_bytes(content, Zeroizing::new(bytes));
    zone.read = AccessCondition::from_nibble(access >> 4);
    zone.update = AccessCondition::from_nibble(access);
    zone.writes = writes;
    Ok(zone)
}

/// Takes fields off the front.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn is_empty(&self) -> bool {
        self.position == self.bytes.len()
    }

    fn impossible(&self, field: &'static str) -> NvmFileError {
        NvmFileError::Field {
            field,
            offset: self.position,
        }
    }

    fn bytes(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], NvmFileError> {
        let taken = self.bytes.get(self.position..self.position + length);
        let taken = taken.ok_or(self.impossible(field))?;
        self.position += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], NvmFileError> {
        let impossible = self.impossible(field);
        self.bytes(field, N)?.try_into().map_err(|_| impossible)
    }

    fn decode<T>(
        &mut self,
        field: &'static str,
        meaning: impl FnOnce(u8) -> Option<T>,
    ) -> Result<T, NvmFileError> {
        let [code] = self.array(field)?;
        meaning(code).ok_or(self.impossible(field))
    }
}

/// CRC-32/ISO-HDLC: reflected polynomial 0xEDB88320, initial value and final XOR all ones.
fn crc32(bytes: &[u8]) -> u32 {
    let register = bytes.iter().fold(u32::MAX, |register, byte| {
        (0..8).fold(register ^ u32::from(*byte), |register, _| {
            let feedback = if register & 1 == 0 { 0 } else { 0xEDB8_8320 };
            register >> 1 ^ feedback
        })
    });
    !register
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_has_its_catalogued_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
