//! The little of HTTP/1.1 (RFC 9112) that Renode's Robot Framework server needs.

/// The largest answer that is read, in bytes.
const LARGEST: usize = 16 << 20;

/// Why an answer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// it is not HTTP/1.1: {0}
    #[error("it is not HTTP/1.1: {0}")]
    NotHttp(String),
    /// HTTP status {0}
    #[error("HTTP status {0}")]
    Status(u16),
    /// an HTTP answer without Content-Length, or with more than 16 MiB
    #[error("an HTTP answer without Content-Length, or with more than 16 MiB")]
    Length,
    /// an HTTP answer that is not UTF-8
    #[error("an HTTP answer that is not UTF-8")]
    NotUtf8,
}

/// Whether the connection can take another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It can.
    KeepAlive,
    /// The server closes it.
    Close,
}

/// A request that posts XML.
pub fn post(body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads an answer from all bytes that came so far; none while it is not whole.
///
/// # Errors
/// [`HttpError`]
pub fn parse(bytes: &[u8]) -> Result<Option<(String, Connection)>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) if bytes.len() <= LARGEST => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(HttpError::Length),
        Err(error) => return Err(HttpError::NotHttp(error.to_string())),
    };
    let header = |name: &str| {
        let mut found = response
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name));
        let value = found.next().and_then(|it| str::from_utf8(it.value).ok());
        value.map(|value| value.trim().to_ascii_lowercase())
    };
    match response.code {
        Some(100) => return parse(&bytes[head..]),
        Some(200) => {}
        status => return Err(HttpError::Status(status.unwrap_or_default())),
    }
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    let length = length
        .filter(|length| *length <= LARGEST)
        .ok_or(HttpError::Length)?;
    let Some(body) = bytes.get(head..head + length) else {
        return Ok(None);
    };
    // A byte order mark is not part of the text.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let body = str::from_utf8(body).map_err(|_| HttpError::NotUtf8)?;
    let connection = match header("connection").as_deref() {
        Some("close") => Connection::Close,
        _ => Connection::KeepAlive,
    };
    Ok(Some((body.to_owned(), connection)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\nConnection: Close\r\n\r\n<\xc3\xa4/> ";

    #[test]
    fn an_answer_is_read_once_it_is_whole() {
        for length in 0..ANSWER.len() {
            assert_eq!(parse(&ANSWER[..length]), Ok(None), "{length}");
        }
        assert_eq!(parse(ANSWER), Ok(Some(("<ä/> ".into(), Connection::Close))));
        let continued = [b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER].concat();
        assert_eq!(parse(&continued), parse(ANSWER));
    }

    #[rstest]
    #[case(b"SSH-2.0-OpenSSH\r\n", "it is not HTTP/1.1: invalid HTTP version")]
    #[case(b"HTTP/1.1 500 Oops\r\n\r\n", "HTTP status 500")]
    #[case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "an HTTP answer without Content-Length, or with more than 16 MiB"
    )]
    #[case(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "an HTTP answer without Content-Length, or with more than 16 MiB"
    )]
    #[case(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff",
        "an HTTP answer that is not UTF-8"
    )]
    fn what_cannot_be_read_is_named(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(parse(bytes).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_request_says_its_length() {
        let request = post("<ä/>");
        let text = String::from_utf8(request).unwrap();
        assert!(text.contains("\r\nContent-Length: 5\r\n\r\n<ä/>"));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(data: Vec<u8>) {
            crate::fuzzing::http(&data);
            crate::fuzzing::http(&[b"HTTP/1.1 ", &data[..]].concat());
            crate::fuzzing::http(&[b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", &data[..]].concat());
        }
    }
}
