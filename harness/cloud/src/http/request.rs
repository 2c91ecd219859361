//! Requests, read from a stream in pieces of any size.

use super::chunked::{Decoded, Decoder};

/// The longest request line with header section.
const HEAD_LIMIT: usize = 16 * 1024;
/// The most header fields.
const FIELDS: usize = 64;

/// A whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The method as sent.
    pub(crate) method: String,
    /// The path without the query, as sent.
    pub(crate) path: String,
    /// The query without its question mark, as sent.
    pub(crate) query: String,
    headers: Vec<(String, String)>,
    /// The body, its transfer coding removed.
    pub(crate) body: Vec<u8>,
    /// What happens to the connection after the answer.
    pub(crate) persistence: Persistence,
}

/// What happens to a connection after an answer (RFC 9112 section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It stays open.
    KeepAlive,
    /// The server closes it.
    Close,
}

/// Why bytes are not a request that this server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// Malformed request: {0}.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    /// The header section is larger than 16 KiB or has more than 64 fields.
    #[error("the header section is larger than 16 KiB or has more than 64 fields")]
    HeadTooLarge,
    /// The body is larger than {limit} bytes.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit of the service.
        limit: usize,
    },
    /// The transfer coding is not `chunked`.
    #[error("the transfer coding is not `chunked`")]
    UnknownCoding,
    /// The server meets no expectation but to answer.
    #[error("the server meets no expectation but to answer")]
    Expectation,
    /// The request did not come in time.
    #[error("the request did not come in time")]
    TooSlow,
}

impl RequestError {
    /// The status of the answer.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::HeadTooLarge => 431,
            Self::BodyTooLarge { .. } => 413,
            Self::UnknownCoding => 501,
            Self::Expectation => 417,
            Self::TooSlow => 408,
        }
    }
}

impl Request {
    /// A request that came in by another protocol, in the words of this one.
    pub(crate) fn new(
        method: &str,
        path: String,
        query: String,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Self {
        Self {
            method: method.to_owned(),
            path,
            query,
            headers,
            body,
            persistence: Persistence::KeepAlive,
        }
    }

    /// The first header field with this name, whatever the case of either.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All header fields.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.headers.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of all header fields with this name, whatever the case of either.
    pub(crate) fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first query parameter with this name.
    pub(crate) fn query_parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }
}

/// Cuts a stream into requests. Every byte is looked at a bounded number of times, however small
/// the pieces are in which it comes.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    buffer: Vec<u8>,
    /// Bytes at the buffer's start that were read.
    taken: usize,
    /// Whether a line's end has come since the head was tried last.
    worth_trying: bool,
    /// A request whose body is not whole.
    begun: Option<(Request, Body)>,
}

#[derive(Debug)]
enum Body {
    Length(usize),
    Chunked(Decoder),
}

impl RequestReader {
    /// Takes the stream's next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.worth_trying |= bytes.contains(&b'\n');
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a request has begun that is not whole yet.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.is_some() || self.taken < self.buffer.len()
    }

    /// The bytes that belong to no request that was returned, for another protocol.
    pub(crate) fn into_rest(mut self) -> Vec<u8> {
        self.buffer.split_off(self.taken)
    }

    /// The next whole request, if there is one; `limit` says how long the body of a request may
    /// be, by its head.
    ///
    /// # Errors
    /// The stream holds no request at this place; nothing after it can be read.
    pub(crate) fn next(
        &mut self,
        limit: impl Fn(&Request) -> usize,
    ) -> Result<Option<Request>, RequestError> {
        let (mut request, mut body) = match self.begun.take() {
            Some(begun) => begun,
            None => match self.next_head()? {
                Some(request) => {
                    let limit = limit(&request);
                    let body = match framing(&request)? {
                        Framing::Length(size) if size > limit => {
                            return Err(RequestError::BodyTooLarge { limit });
                        }
                        Framing::Length(size) => Body::Length(size),
                        Framing::Chunked => Body::Chunked(Decoder::new(limit)),
                    };
                    (request, body)
                }
                None => return Ok(None),
            },
        };
        let whole = match &mut body {
            Body::Length(size) => {
                let whole = self.buffer.get(self.taken..self.taken + *size);
                let whole = whole.map(<[u8]>::to_vec);
                self.taken += whole.as_ref().map_or(0, Vec::len);
                whole
            }
            Body::Chunked(decoder) => match decoder.read(&self.buffer, &mut self.taken)? {
                Decoded::Complete(whole) => Some(whole),
                Decoded::Partial => None,
            },
        };
        match whole {
            Some(whole) => {
                request.body = whole;
                self.worth_trying = true;
                Ok(Some(request))
            }
            None => {
                self.begun = Some((request, body));
                Ok(None)
            }
        }
    }

    fn next_head(&mut self) -> Result<Option<Request>, RequestError> {
        // Empty lines before a request are ignored (RFC 9112 section 2.2).
        while self.buffer[self.taken..].starts_with(b"\r\n") {
            self.taken += 2;
        }
        let rest = &self.buffer[self.taken..];
        if !self.worth_trying && rest.len() <= HEAD_LIMIT {
            return Ok(None);
        }
        self.worth_trying = false;
        let Some((length, request)) = head(rest)? else {
            return Ok(None);
        };
        self.taken += length;
        Ok(Some(request))
    }
}

enum Framing {
    Length(usize),
    Chunked,
}

fn head(bytes: &[u8]) -> Result<Option<(usize, Request)>, RequestError> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_LIMIT => length,
        Ok(httparse::Status::Partial) if bytes.len() <= HEAD_LIMIT => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(RequestError::HeadTooLarge),
        Err(httparse::Error::Token) => return Err(RequestError::Malformed("request line")),
        Err(httparse::Error::Version) => return Err(RequestError::Malformed("version")),
        Err(_) => return Err(RequestError::Malformed("header section")),
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|field| {
            let value = String::from_utf8_lossy(field.value);
            (field.name.to_owned(), value.trim().to_owned())
        })
        .collect();
    let target = parsed.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let connection = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .map_or("", |(_, value)| value.as_str());
    let persistence = match (parsed.version, connection) {
        (_, value) if value.eq_ignore_ascii_case("close") => Persistence::Close,
        (Some(0), value) if !value.eq_ignore_ascii_case("keep-alive") => Persistence::Close,
        _ => Persistence::KeepAlive,
    };
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
        persistence,
    };
    Ok(Some((length, request)))
}

/// How the body ends. Two answers to that question would let one request hide in another, so
/// contradictions are refused (RFC 9112 section 6.3).
fn framing(request: &Request) -> Result<Framing, RequestError> {
    if request.header("expect").is_some() {
        return Err(RequestError::Expectation);
    }
    let lengths: Vec<&str> = request.header_values("content-length").collect();
    let codings: Vec<&str> = request.header_values("transfer-encoding").collect();
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(Framing::Length(0)),
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => length
            .parse()
            .map(Framing::Length)
            .map_err(|_| RequestError::Malformed("content length")),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([], [_]) => Err(RequestError::UnknownCoding),
        _ => Err(RequestError::Malformed("body length")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const BODY_LIMIT: usize = 96 * 1024;

    fn read(bytes: &[u8]) -> Result<Vec<Request>, RequestError> {
        let mut reader = RequestReader::default();
        reader.push(bytes);
        let mut requests = Vec::new();
        while let Some(request) = reader.next(|_| BODY_LIMIT)? {
            requests.push(request);
        }
        Ok(requests)
    }

    #[test]
    fn the_c_sdks_exact_bytes() {
        let requests = read(
            b"PUT /0ne00000000/registrations/az-c89346854138v1v6v1/register?api-version=2021-06-01 HTTP/1.1\r\n\
            UserAgent: prov_device_client/1.0\r\nAccept: application/json\r\nConnection: keep-alive\r\n\
            Content-Type: application/json; charset=utf-8\r\nHost: global.azure-devices-provisioning.net:443\r\n\
            content-length: 42\r\n\r\n{\"registrationId\":\"az-c89346854138v1v6v1\"}\
            GET /x HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        )
        .unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].method, "PUT");
        assert_eq!(
            requests[0].path,
            "/0ne00000000/registrations/az-c89346854138v1v6v1/register"
        );
        assert_eq!(
            requests[0].query_parameter("api-version"),
            Some("2021-06-01")
        );
        assert_eq!(
            requests[0].header("HOST"),
            Some("global.azure-devices-provisioning.net:443")
        );
        assert_eq!(
            requests[0].body,
            b"{\"registrationId\":\"az-c89346854138v1v6v1\"}"
        );
        assert_eq!(requests[0].persistence, Persistence::KeepAlive);
    }

    #[rstest]
    #[case(
        "GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        "{}",
        Persistence::KeepAlive
    )]
    #[case(
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "{}",
        Persistence::KeepAlive
    )]
    #[case(
        "\r\n\r\nGET / HTTP/1.1\r\nconnection: Close\r\n\r\n",
        "",
        Persistence::Close
    )]
    #[case("GET / HTTP/1.0\r\n\r\n", "", Persistence::Close)]
    #[case(
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "",
        Persistence::KeepAlive
    )]
    fn bodies_and_persistence(
        #[case] text: &str,
        #[case] body: &str,
        #[case] persistence: Persistence,
    ) {
        let requests = read(text.as_bytes()).unwrap();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].body, body.as_bytes());
        assert_eq!(requests[0].persistence, persistence);
    }

    #[rstest]
    #[case("\0\0\0\0\r\n\r\n", 400)]
    #[case("GET / HTTP/2.0\r\n\r\n", 400)]
    #[case("GET / HTTP/1.1\r\nbad header\r\n\r\n", 400)]
    #[case(
        "PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400
    )]
    #[case(
        "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        400
    )]
    #[case("PUT / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400)]
    #[case("PUT / HTTP/1.1\r\nContent-Length: 98305\r\n\r\n", 413)]
    #[case("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501)]
    #[case("PUT / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", 417)]
    #[case(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(HEAD_LIMIT)), 431)]
    #[case(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(FIELDS + 1)), 431)]
    fn refusals(#[case] text: &str, #[case] status: u16) {
        assert_eq!(read(text.as_bytes()).unwrap_err().status(), status);
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same_requests(cuts in prop::collection::vec(1usize..30, 0..30)) {
            let text = b"PUT /a?b=c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /d HTTP/1.1\r\n\r\n";
            let mut reader = RequestReader::default();
            let (mut rest, mut requests) = (text.as_slice(), Vec::new());
            for cut in cuts.into_iter().chain([text.len()]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                reader.push(piece);
                while let Some(request) = reader.next(|_| BODY_LIMIT).unwrap() {
                    requests.push(request);
                }
                rest = after;
            }
            prop_assert_eq!(requests, read(text).unwrap());
        }
    }
}
