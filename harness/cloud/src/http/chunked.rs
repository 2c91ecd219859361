//! The chunked transfer coding (RFC 9112 section 7.1), decoded as it comes in.

use super::RequestError;

/// The longest line with a chunk's size and extensions.
const SIZE_LINE_LIMIT: usize = 1024;
/// The longest trailer section.
const TRAILER_LIMIT: usize = 4096;
/// The most trailer fields.
const TRAILER_FIELDS: usize = 16;

/// A body of which some chunks have come.
#[derive(Debug)]
pub(super) struct Decoder {
    body: Vec<u8>,
    limit: usize,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Size,
    Data { left: usize },
    DataEnd,
    Trailer,
}

/// How far the bytes went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// More bytes are needed.
    Partial,
    /// The body is whole.
    Complete(Vec<u8>),
}

impl Decoder {
    /// A body of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            body: Vec::new(),
            limit,
            next: Next::Size,
        }
    }

    /// Reads on in `bytes` from `at`, which moves to the first byte that it did not take. The
    /// trailer is ignored.
    pub(super) fn read(&mut self, bytes: &[u8], at: &mut usize) -> Result<Decoded, RequestError> {
        loop {
            let rest = bytes.get(*at..).unwrap_or_default();
            match self.next {
                Next::Size => {
                    let Some((taken, size)) = size(rest)? else {
                        return Ok(Decoded::Partial);
                    };
                    *at += taken;
                    if size > u64::try_from(self.limit - self.body.len()).unwrap_or(u64::MAX) {
                        return Err(RequestError::BodyTooLarge { limit: self.limit });
                    }
                    self.next = match usize::try_from(size).unwrap_or(usize::MAX) {
                        0 => Next::Trailer,
                        left => Next::Data { left },
                    };
                }
                Next::Data { left } => {
                    let taken = left.min(rest.len());
                    self.body.extend_from_slice(&rest[..taken]);
                    *at += taken;
                    if taken < left {
                        self.next = Next::Data { left: left - taken };
                        return Ok(Decoded::Partial);
                    }
                    self.next = Next::DataEnd;
                }
                Next::DataEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        *at += 2;
                        self.next = Next::Size;
                    }
                    [] | [b'\r'] => return Ok(Decoded::Partial),
                    _ => return Err(RequestError::Malformed("chunk end")),
                },
                Next::Trailer => {
                    return Ok(match trailer(rest)? {
                        Some(length) => {
                            *at += length;
                            Decoded::Complete(core::mem::take(&mut self.body))
                        }
                        None => Decoded::Partial,
                    });
                }
            }
        }
    }
}

/// A chunk's size and the length of its line.
fn size(bytes: &[u8]) -> Result<Option<(usize, u64)>, RequestError> {
    match httparse::parse_chunk_size(bytes) {
        Ok(httparse::Status::Complete(found)) => Ok(Some(found)),
        Ok(httparse::Status::Partial) if bytes.len() <= SIZE_LINE_LIMIT => Ok(None),
        _ => Err(RequestError::Malformed("chunk size")),
    }
}

/// The length of the trailer section with the empty line that ends it.
fn trailer(bytes: &[u8]) -> Result<Option<usize>, RequestError> {
    let mut fields = [httparse::EMPTY_HEADER; TRAILER_FIELDS];
    match httparse::parse_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete((length, _))) => Ok(Some(length)),
        Ok(httparse::Status::Partial) if bytes.len() <= TRAILER_LIMIT => Ok(None),
        _ => Err(RequestError::Malformed("trailer")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn whole(body: &[u8], taken: usize) -> Result<(Decoded, usize), RequestError> {
        Ok((Decoded::Complete(body.into()), taken))
    }

    fn partial(taken: usize) -> Result<(Decoded, usize), RequestError> {
        Ok((Decoded::Partial, taken))
    }

    #[rstest]
    #[case(b"5\r\nhello\r\n0\r\n\r\nrest", whole(b"hello", 15))]
    #[case(b"1;a=b\r\nx\r\n0\r\nT: 1\r\n\r\n", whole(b"x", 21))]
    #[case(b"5\r\nhel", partial(6))]
    #[case(b"5\r\nhello\r\n0\r\n", partial(13))]
    #[case(b"5\r\nhelloXX", Err(RequestError::Malformed("chunk end")))]
    #[case(b"zz\r\n", Err(RequestError::Malformed("chunk size")))]
    #[case(b"65\r\n", Err(RequestError::BodyTooLarge { limit: 100 }))]
    #[case(b"ffffffffffffffff\r\n", Err(RequestError::BodyTooLarge { limit: 100 }))]
    #[case(&[b'1', b';'].repeat(SIZE_LINE_LIMIT), Err(RequestError::Malformed("chunk size")))]
    fn bodies(#[case] bytes: &[u8], #[case] expected: Result<(Decoded, usize), RequestError>) {
        let mut at = 0;
        let decoded = Decoder::new(100).read(bytes, &mut at);
        assert_eq!(decoded.map(|decoded| (decoded, at)), expected);
    }

    #[test]
    fn one_byte_at_a_time_is_read_once() {
        let coded = b"1\r\nx\r\n".repeat(90_000);
        let mut decoder = Decoder::new(96 * 1024);
        let mut at = 0;
        for end in 0..coded.len() {
            assert_eq!(decoder.read(&coded[..end], &mut at), Ok(Decoded::Partial));
            assert!(end - at < 8, "what was read is not read again");
        }
    }
}
