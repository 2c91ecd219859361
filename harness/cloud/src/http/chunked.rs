//! The chunked transfer coding (RFC 9112 section 7.1).

use super::RequestError;

/// What could be read of a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// More bytes are needed.
    Partial,
    /// The body, and how many bytes its coding took.
    Complete {
        /// The body.
        body: Vec<u8>,
        /// Bytes of its coding.
        taken: usize,
    },
}

/// Reads a body of at most `limit` bytes with its trailer, which is ignored.
pub(super) fn decode(bytes: &[u8], limit: usize) -> Result<Decoded, RequestError> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let (head, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return partial(&bytes[at..], limit),
            Err(_) => return Err(RequestError::Malformed("chunk size")),
        };
        at += head;
        if size == 0 {
            return Ok(match trailer(&bytes[at..])? {
                Some(length) => Decoded::Complete {
                    body,
                    taken: at + length,
                },
                None => Decoded::Partial,
            });
        }
        let size = usize::try_from(size)
            .ok()
            .filter(|size| *size <= limit - body.len())
            .ok_or(RequestError::BodyTooLarge)?;
        let Some(rest) = bytes.get(at..at + size + 2) else {
            return Ok(Decoded::Partial);
        };
        if &rest[size..] != b"\r\n" {
            return Err(RequestError::Malformed("chunk end"));
        }
        body.extend_from_slice(&rest[..size]);
        at += size + 2;
    }
}

/// Chunk extensions have no bound of their own; they share the body's.
fn partial(line: &[u8], limit: usize) -> Result<Decoded, RequestError> {
    if line.len() > limit {
        return Err(RequestError::BodyTooLarge);
    }
    Ok(Decoded::Partial)
}

/// The length of the trailer section with the empty line that ends it.
fn trailer(bytes: &[u8]) -> Result<Option<usize>, RequestError> {
    const LIMIT: usize = 4096;
    let mut fields = [httparse::EMPTY_HEADER; 16];
    match httparse::parse_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete((length, _))) => Ok(Some(length)),
        Ok(httparse::Status::Partial) if bytes.len() <= LIMIT => Ok(None),
        _ => Err(RequestError::Malformed("trailer")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"5\r\nhello\r\n0\r\n\r\nrest", Ok(Decoded::Complete { body: b"hello".into(), taken: 15 }))]
    #[case(b"1;a=b\r\nx\r\n0\r\nT: 1\r\n\r\n", Ok(Decoded::Complete { body: b"x".into(), taken: 21 }))]
    #[case(b"5\r\nhel", Ok(Decoded::Partial))]
    #[case(b"5\r\nhello\r\n0\r\n", Ok(Decoded::Partial))]
    #[case(b"5\r\nhelloXX", Err(RequestError::Malformed("chunk end")))]
    #[case(b"zz\r\n", Err(RequestError::Malformed("chunk size")))]
    #[case(b"65\r\n", Err(RequestError::BodyTooLarge))]
    #[case(b"ffffffffffffffff\r\n", Err(RequestError::BodyTooLarge))]
    fn bodies(#[case] bytes: &[u8], #[case] expected: Result<Decoded, RequestError>) {
        assert_eq!(decode(bytes, 100), expected);
    }
}
