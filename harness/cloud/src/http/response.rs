//! Answers, written to a stream.

use core::fmt::Write as _;

use super::Persistence;
use crate::behaviour::BodyFraming;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status.
    pub(crate) status: u16,
    /// Header fields but those that follow from body and persistence.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body, without its transfer coding.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The first header field with this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|(own, _)| *own == name)?;
        Some(&field.1)
    }

    /// Gives the header field `name` the only value `value`.
    pub(crate) fn set_header(&mut self, name: &'static str, value: &str) {
        self.headers.retain(|(own, _)| *own != name);
        self.headers.push((name, value.to_owned()));
    }

    /// Whether answers with this status have content (RFC 9110 section 6.4.1).
    fn has_content(&self) -> bool {
        !matches!(self.status, 100..=199 | 204 | 304)
    }

    /// The answer as bytes, cut off after `keep` bytes of its body.
    pub(crate) fn encode_truncated(&self, framing: BodyFraming, keep: usize) -> Vec<u8> {
        const CHUNKED_END: usize = b"\r\n0\r\n\r\n".len();
        let mut bytes = self.encode(framing, Persistence::KeepAlive);
        if !self.has_content() {
            return bytes;
        }
        let missing = self.body.len().saturating_sub(keep);
        let end = match framing {
            BodyFraming::Chunked => CHUNKED_END,
            BodyFraming::ContentLength => 0,
        };
        bytes.truncate(bytes.len() - missing - end);
        bytes
    }

    /// The answer as bytes.
    pub(crate) fn encode(&self, framing: BodyFraming, persistence: Persistence) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut field = |name: &str, value: &str| {
            // Writing into a string cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        };
        for (name, value) in &self.headers {
            field(name, value);
        }
        match framing {
            _ if !self.has_content() => {}
            BodyFraming::Chunked => field("Transfer-Encoding", "chunked"),
            BodyFraming::ContentLength => field("Content-Length", &self.body.len().to_string()),
        }
        if persistence == Persistence::Close {
            field("Connection", "close");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        match framing {
            _ if !self.has_content() => {}
            BodyFraming::ContentLength => bytes.extend_from_slice(&self.body),
            BodyFraming::Chunked => {
                if !self.body.is_empty() {
                    bytes.extend_from_slice(format!("{:x}\r\n", self.body.len()).as_bytes());
                    bytes.extend_from_slice(&self.body);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        bytes
    }
}

/// The reason phrase (RFC 9110 section 15).
fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        // The phrase carries no meaning and may be empty.
        _ => "",
    }
}
