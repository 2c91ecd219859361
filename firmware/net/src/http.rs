//! Reading HTTP/1.1 responses (RFC 9112) as a client that keeps its connection.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The largest status line with all headers, in bytes.
pub const MAX_HEAD: usize = 4096;

/// The largest body, in bytes. An answer of DPS with everything in it has about 2 KiB.
pub const MAX_BODY: usize = 8192;

const MAX_HEADERS: usize = 32;
/// The longest chunk size line (digits and extensions) and trailer line.
const MAX_LINE: usize = 256;

/// A complete response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code, 200..=999.
    pub status: u16,
    /// The field value of `Retry-After`, as sent.
    pub retry_after: Option<String>,
    /// The body, without transfer coding.
    pub body: Vec<u8>,
}

/// Why bytes are no acceptable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// the answer is no HTTP/1.1
    NotHttp,
    /// the answer's headers are too large
    HeadTooLarge,
    /// the answer is too large
    BodyTooLarge,
    /// the answer has no usable length
    Length,
    /// the answer's chunks are malformed
    Chunk,
    /// more bytes follow the answer
    Trailing,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("the answer is no HTTP/1.1"),
            Self::HeadTooLarge => {
                write!(
                    f,
                    "the answer's headers are too large (over {MAX_HEAD} bytes)"
                )
            }
            Self::BodyTooLarge => write!(f, "the answer is too large (over {MAX_BODY} bytes)"),
            Self::Length => f.write_str("the answer has no usable length"),
            Self::Chunk => f.write_str("the answer's chunks are malformed"),
            Self::Trailing => f.write_str("more bytes follow the answer"),
        }
    }
}

impl core::error::Error for Error {}

/// Collects one response from pieces of any size.
#[derive(Debug, Default)]
pub struct ResponseReader {
    state: State,
    /// The head, or the line of a chunk that is being collected.
    line: Vec<u8>,
    response: Option<Response>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Head,
    /// This many bytes of body are still to come, and then the response is complete.
    Body(usize),
    ChunkSize,
    ChunkData(usize),
    /// The CRLF behind a chunk's data.
    ChunkEnd,
    Trailer,
    Complete,
}

impl ResponseReader {
    /// Takes bytes; returns the response once it is complete.
    ///
    /// # Errors
    /// [`Error`] when this is no response that the device takes. The connection cannot be used
    /// any more then.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Option<Response>, Error> {
        loop {
            bytes = self.step(bytes)?;
            if let State::Complete = self.state {
                if !bytes.is_empty() {
                    return Err(Error::Trailing);
                }
                self.state = State::Head;
                return Ok(self.response.take());
            }
            if bytes.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Whether a part of a response has come in.
    pub fn is_partial(&self) -> bool {
        self.response.is_some() || !self.line.is_empty()
    }

    fn step<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
        match self.state {
            State::Head => self.head(bytes),
            State::Body(missing) => {
                let (rest, missing) = self.body(bytes, missing)?;
                self.state = if missing == 0 {
                    State::Complete
                } else {
                    State::Body(missing)
                };
                Ok(rest)
            }
            State::ChunkData(missing) => {
                let (rest, missing) = self.body(bytes, missing)?;
                self.state = if missing == 0 {
                    State::ChunkEnd
                } else {
                    State::ChunkData(missing)
                };
                Ok(rest)
            }
            State::ChunkSize | State::ChunkEnd | State::Trailer => self.chunk_line(bytes),
            State::Complete => Ok(bytes),
        }
    }

    /// Moves body bytes; returns what is left of `bytes` and how many are still missing.
    fn body<'a>(&mut self, bytes: &'a [u8], missing: usize) -> Result<(&'a [u8], usize), Error> {
        let (taken, rest) = bytes.split_at(bytes.len().min(missing));
        if let Some(response) = &mut self.response {
            if response.body.len() + missing > MAX_BODY {
                return Err(Error::BodyTooLarge);
            }
            response.body.extend_from_slice(taken);
        }
        Ok((rest, missing - taken.len()))
    }

    fn head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
        let before = self.line.len();
        let room = MAX_HEAD - before;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = match parsed.parse(&self.line) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if self.line.len() == MAX_HEAD => {
                return Err(Error::HeadTooLarge);
            }
            Ok(httparse::Status::Partial) => return Ok(&[]),
            Err(httparse::Error::TooManyHeaders) => return Err(Error::HeadTooLarge),
            Err(_) => return Err(Error::NotHttp),
        };
        let (Some(1), Some(status)) = (parsed.version, parsed.code) else {
            return Err(Error::NotHttp);
        };
        let retry_after = text(parsed.headers, "Retry-After").map(String::from);
        let state = body_state(status, parsed.headers)?;
        // An informational response (1xx) comes before the one that counts.
        if status >= 200 {
            self.response = Some(Response {
                status,
                retry_after,
                body: Vec::new(),
            });
            self.state = state;
        }
        self.line.clear();
        Ok(&bytes[length - before..])
    }

    fn chunk_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
        let end = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .map(|at| at + 1);
        let (piece, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        if self.line.len() + piece.len() > MAX_LINE {
            return Err(Error::Chunk);
        }
        self.line.extend_from_slice(piece);
        if end.is_none() {
            return Ok(rest);
        }
        let line = self.line.strip_suffix(b"\r\n").ok_or(Error::Chunk)?;
        self.state = match self.state {
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::ChunkEnd => return Err(Error::Chunk),
            State::Trailer if line.is_empty() => State::Complete,
            State::Trailer => State::Trailer,
            _ => match chunk_size(line)? {
                0 => State::Trailer,
                size => State::ChunkData(size),
            },
        };
        self.line.clear();
        Ok(rest)
    }
}

/// How the body of a response is delimited (RFC 9112 section 6.3).
fn body_state(status: u16, headers: &[httparse::Header<'_>]) -> Result<State, Error> {
    if status < 200 || status == 204 || status == 304 {
        return Ok(State::Complete);
    }
    let mut lengths = headers.iter().filter(|header| is(header, "Content-Length"));
    let mut codings = headers
        .iter()
        .filter(|header| is(header, "Transfer-Encoding"));
    match (lengths.next(), codings.next()) {
        (None, Some(coding)) if coding.value.trim_ascii().eq_ignore_ascii_case(b"chunked") => {
            codings
                .next()
                .map_or(Ok(State::ChunkSize), |_| Err(Error::Length))
        }
        (Some(length), None) if lengths.all(|other| other.value == length.value) => {
            let digits = length.value.trim_ascii();
            match decimal(digits).ok_or(Error::Length)? {
                0 => Ok(State::Complete),
                length if length > MAX_BODY => Err(Error::BodyTooLarge),
                length => Ok(State::Body(length)),
            }
        }
        _ => Err(Error::Length),
    }
}

/// A number of digits only; one that does not fit is as large as can be.
fn decimal(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
        Some(value.saturating_mul(10).saturating_add(digit))
    })
}

fn chunk_size(line: &[u8]) -> Result<usize, Error> {
    let digits = line
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    let digits = core::str::from_utf8(digits).map_err(|_| Error::Chunk)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Chunk);
    }
    match usize::from_str_radix(digits, 16) {
        Ok(size) if size <= MAX_BODY => Ok(size),
        _ => Err(Error::BodyTooLarge),
    }
}

fn is(header: &httparse::Header<'_>, name: &str) -> bool {
    header.name.eq_ignore_ascii_case(name)
}

fn text<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|header| is(header, name))?;
    core::str::from_utf8(header.value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;
    use rstest::rstest;

    fn read(bytes: &[u8]) -> Result<Option<Response>, Error> {
        ResponseReader::default().push(bytes)
    }

    #[rstest]
    #[case::length("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", 200, None, "body")]
    #[case::names_in_any_case(
        "HTTP/1.1 202 Accepted\r\ncontent-length:2\r\nretry-AFTER: 3\r\n\r\n{}",
        202,
        Some("3"),
        "{}"
    )]
    #[case::chunked(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
        200,
        None,
        "abc0123456789"
    )]
    #[case::no_content("HTTP/1.1 204 No Content\r\n\r\n", 204, None, "")]
    #[case::continue_first(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        200,
        None,
        ""
    )]
    fn responses_are_read_in_pieces_of_any_size(
        #[case] bytes: &str,
        #[case] status: u16,
        #[case] retry_after: Option<&str>,
        #[case] body: &str,
    ) {
        let expected = Response {
            status,
            retry_after: retry_after.map(String::from),
            body: body.into(),
        };
        for size in 1..=bytes.len() {
            let mut reader = ResponseReader::default();
            let found: Vec<_> = bytes
                .as_bytes()
                .chunks(size)
                .filter_map(|piece| reader.push(piece).unwrap())
                .collect();
            assert_eq!(found, std::slice::from_ref(&expected), "pieces of {size}");
            assert!(!reader.is_partial());
        }
    }

    #[rstest]
    #[case("SSH-2.0-x\r\n\r\n", Error::NotHttp)]
    #[case("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Error::NotHttp)]
    #[case("HTTP/1.1 200 OK\r\n\r\n", Error::Length)]
    #[case("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Error::Length)]
    #[case(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        Error::Length
    )]
    #[case(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        Error::Length
    )]
    #[case("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", Error::Length)]
    #[case("HTTP/1.1 200 OK\r\nContent-Length: 8193\r\n\r\n", Error::BodyTooLarge)]
    #[case(
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        Error::BodyTooLarge
    )]
    #[case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\n",
        Error::Chunk
    )]
    #[case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naX",
        Error::Chunk
    )]
    #[case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n",
        Error::BodyTooLarge
    )]
    #[case("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", Error::Trailing)]
    fn what_is_no_response_is_refused(#[case] bytes: &str, #[case] error: Error) {
        let found = read(bytes.as_bytes());
        // "aX" needs its line end before it can be called wrong.
        let found = if found == Ok(None) {
            read(format!("{bytes}\r\n").as_bytes())
        } else {
            found
        };
        assert_eq!(found, Err(error));
        assert!(!error.to_string().is_empty());
    }

    #[test]
    fn sizes_are_bounded() {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(MAX_HEAD));
        assert_eq!(read(long.as_bytes()), Err(Error::HeadTooLarge));
        let mut many = String::from("HTTP/1.1 200 OK\r\n");
        (0..=MAX_HEADERS).for_each(|index| many += &format!("X{index}: 1\r\n"));
        assert_eq!(read((many + "\r\n").as_bytes()), Err(Error::HeadTooLarge));
        let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(read(format!("{head}{chunk}{chunk}").as_bytes()), Ok(None));
        assert_eq!(
            read(format!("{head}{chunk}{chunk}{chunk}").as_bytes()),
            Err(Error::BodyTooLarge)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            crate::fuzzing::http(&bytes);
        }

        #[test]
        fn chunked_bodies_come_back(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20))
        {
            let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for chunk in &chunks {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            let response = read(&bytes).unwrap().unwrap();
            prop_assert_eq!(response.body, chunks.concat());
        }
    }
}
