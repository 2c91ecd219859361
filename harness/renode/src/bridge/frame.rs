//! Requests as they stand on the wire.

use az3166_stsafe::{Direction, Power};
use zeroize::Zeroizing;

/// What every connection begins with.
const MAGIC: &[u8; 8] = b"HILSTSFE";

/// The most data that one *write* or *read* moves, in bytes.
const MOST_DATA: usize = 512;

/// Kind and time.
const HEAD: usize = 9;

/// The longest request after its length field, in bytes.
pub const MAX_REQUEST: usize = HEAD + MOST_DATA;

/// the bridge announced a request of {0} bytes; the longest has 521
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bridge announced a request of {0} bytes; the longest has 521")]
pub struct TooLong(pub usize);

/// Collects the bytes of a connection into requests. They may hold secrets, and are wiped.
#[derive(Default)]
pub struct Frames {
    bytes: Zeroizing<Vec<u8>>,
}

impl Frames {
    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        // Grown by hand: a `Vec` that grows by itself leaves a copy of its bytes behind.
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            let mut larger = Vec::with_capacity(2 * (self.bytes.len() + bytes.len()));
            larger.extend_from_slice(&self.bytes);
            self.bytes = Zeroizing::new(larger);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole request, without its length field.
    ///
    /// # Errors
    /// A length that no request has; the connection cannot be read on.
    pub fn pop(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, TooLong> {
        let Some(length) = self.bytes.first_chunk::<2>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_le_bytes(*length));
        if length > MAX_REQUEST {
            return Err(TooLong(length));
        }
        let Some(request) = self.bytes.get(2..2 + length) else {
            return Ok(None);
        };
        let request = Zeroizing::new(request.to_vec());
        self.bytes.drain(..2 + length);
        Ok(Some(request))
    }
}

/// One request of the bridge.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Request<'a> {
    /// The kind's byte, for the answer.
    pub kind: u8,
    /// Virtual time in nanoseconds since Renode's machine was made.
    pub time: u64,
    pub body: Body<'a>,
}

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body<'a> {
    Hello { version: u16 },
    Power(Power),
    Start { address: u8, direction: Direction },
    Write(&'a [u8]),
    Read(usize),
    Stop,
    Advance,
}

/// Why bytes are no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// a request of {0} bytes; the shortest has 9
    #[error("a request of {0} bytes; the shortest has 9")]
    Short(usize),
    /// there is no request of kind {0:#04x}
    #[error("there is no request of kind {0:#04x}")]
    Kind(u8),
    /// a {name} with a payload of {length} bytes that it cannot have
    #[error("a {name} with a payload of {length} bytes that it cannot have")]
    Payload {
        /// The request's name in the protocol.
        name: &'static str,
        /// The payload's length.
        length: usize,
    },
    /// a power request with the level {0}; there are 0 and 1
    #[error("a power request with the level {0}; there are 0 and 1")]
    Level(u8),
    /// a hello that does not begin with `HILSTSFE`
    #[error("a hello that does not begin with `HILSTSFE`")]
    Magic,
}

impl<'a> Request<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let short = Malformed::Short(bytes.len());
        let (&kind, rest) = bytes.split_first().ok_or(short.clone())?;
        let (time, payload) = rest.split_first_chunk::<8>().ok_or(short)?;
        Ok(Self {
            kind,
            time: u64::from_le_bytes(*time),
            body: Body::parse(kind, payload)?,
        })
    }
}

impl<'a> Body<'a> {
    fn parse(kind: u8, payload: &'a [u8]) -> Result<Self, Malformed> {
        let wrong = |name| Malformed::Payload {
            name,
            length: payload.len(),
        };
        Ok(match (kind, payload) {
            (0x01, [magic @ .., low, high]) if magic.len() == MAGIC.len() => {
                if magic != MAGIC {
                    return Err(Malformed::Magic);
                }
                Self::Hello {
                    version: u16::from_le_bytes([*low, *high]),
                }
            }
            (0x01, _) => return Err(wrong("hello")),
            (0x02, [0]) => Self::Power(Power::Off),
            (0x02, [1]) => Self::Power(Power::On),
            (0x02, [level]) => return Err(Malformed::Level(*level)),
            (0x02, _) => return Err(wrong("power")),
            (0x03, [byte]) => Self::Start {
                address: byte >> 1,
                direction: match byte & 1 {
                    0 => Direction::Write,
                    _ => Direction::Read,
                },
            },
            (0x03, _) => return Err(wrong("start")),
            (0x04, data) if (1..=MOST_DATA).contains(&data.len()) => Self::Write(data),
            (0x04, _) => return Err(wrong("write")),
            (0x05, [low, high]) => match usize::from(u16::from_le_bytes([*low, *high])) {
                count @ 1..=MOST_DATA => Self::Read(count),
                _ => return Err(wrong("read")),
            },
            (0x05, _) => return Err(wrong("read")),
            (0x06, []) => Self::Stop,
            (0x06, _) => return Err(wrong("stop")),
            (0x07, []) => Self::Advance,
            (0x07, _) => return Err(wrong("advance")),
            (kind, _) => return Err(Malformed::Kind(kind)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn request(kind: u8, payload: &[u8]) -> Vec<u8> {
        [&[kind], &[0; 8][..], payload].concat()
    }

    #[rstest]
    #[case(vec![], "a request of 0 bytes; the shortest has 9")]
    #[case(vec![6; 8], "a request of 8 bytes; the shortest has 9")]
    #[case(request(0x08, &[]), "there is no request of kind 0x08")]
    #[case(
        request(0x01, b"HILSTSFE"),
        "a hello with a payload of 8 bytes that it cannot have"
    )]
    #[case(
        request(0x01, b"XILSTSFE\x01\0"),
        "a hello that does not begin with `HILSTSFE`"
    )]
    #[case(request(0x02, &[2]), "a power request with the level 2; there are 0 and 1")]
    #[case(request(0x04, &[]), "a write with a payload of 0 bytes that it cannot have")]
    #[case(request(0x05, &[0, 0]), "a read with a payload of 2 bytes that it cannot have")]
    #[case(request(0x06, &[0]), "a stop with a payload of 1 bytes that it cannot have")]
    fn what_is_malformed_is_named(#[case] bytes: Vec<u8>, #[case] expected: &str) {
        let error = Request::parse(&bytes).err().unwrap();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn requests_come_in_pieces_of_any_size() {
        let wire = [
            &[9, 0][..],
            &request(6, &[]),
            &[10, 0],
            &request(3, &[0x40]),
        ]
        .concat();
        for size in 1..=wire.len() {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for piece in wire.chunks(size) {
                frames.push(piece);
                while let Some(request) = frames.pop().unwrap() {
                    found.push(request.to_vec());
                }
            }
            assert_eq!(found, [request(6, &[]), request(3, &[0x40])]);
        }
    }

    #[test]
    fn a_length_that_no_request_has_ends_the_connection() {
        let mut frames = Frames::default();
        frames.push(&522u16.to_le_bytes());
        assert_eq!(frames.pop().unwrap_err(), TooLong(522));
    }
}
