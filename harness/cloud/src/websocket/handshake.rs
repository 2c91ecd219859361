//! The opening handshake (RFC 6455 section 4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::http::{Request, Response};

/// Where the services take WebSocket connections.
const PATH: &str = "/$iothub/websocket";
/// What is hashed after the client's key (RFC 6455 section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The only version (RFC 6455 section 4.4).
const VERSION: &str = "13";
/// The length of the client's key before base64.
const KEY_LENGTH: usize = 16;

/// Why no WebSocket connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// A WebSocket connection begins with GET.
    #[error("a WebSocket connection begins with GET")]
    Method,
    /// The request does not ask for an upgrade to `websocket`.
    #[error("the request does not ask for an upgrade to `websocket`")]
    NoUpgrade,
    /// The WebSocket version is not 13.
    #[error("the WebSocket version is not 13")]
    Version,
    /// `Sec-WebSocket-Key` is not base64 of 16 bytes.
    #[error("`Sec-WebSocket-Key` is not base64 of 16 bytes")]
    Key,
    /// The client does not offer the subprotocol `mqtt`.
    #[error("the client does not offer the subprotocol `mqtt`")]
    Subprotocol,
}

impl HandshakeError {
    /// The status of the answer.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::NoUpgrade | Self::Version => 426,
            Self::Key | Self::Subprotocol => 400,
        }
    }

    /// A header field that the answer must have.
    pub(crate) fn header(self) -> Option<(&'static str, String)> {
        match self {
            Self::Method => Some(("Allow", "GET".to_owned())),
            Self::NoUpgrade => Some(("Upgrade", "websocket".to_owned())),
            Self::Version => Some(("Sec-WebSocket-Version", VERSION.to_owned())),
            Self::Key | Self::Subprotocol => None,
        }
    }
}

/// Whether the request is for the WebSocket endpoint.
pub(crate) fn is_requested(request: &Request) -> bool {
    let path = request.path.strip_suffix('/').unwrap_or(&request.path);
    let path = path.replace("%24", "$");
    path.eq_ignore_ascii_case(PATH)
}

/// The answer that opens the connection.
///
/// # Errors
/// The request is not one for MQTT over WebSocket.
pub(crate) fn accept(request: &Request) -> Result<Response, HandshakeError> {
    if request.method != "GET" {
        return Err(HandshakeError::Method);
    }
    let asks = |name, token: &str| tokens(request, name).any(|own| own.eq_ignore_ascii_case(token));
    if !asks("upgrade", "websocket") || !asks("connection", "upgrade") {
        return Err(HandshakeError::NoUpgrade);
    }
    if request.header("sec-websocket-version") != Some(VERSION) {
        return Err(HandshakeError::Version);
    }
    let key = request.header("sec-websocket-key").unwrap_or_default();
    if STANDARD.decode(key).map(|key| key.len()) != Ok(KEY_LENGTH) {
        return Err(HandshakeError::Key);
    }
    // Azure's C client writes it in upper case, and wants to see what it wrote.
    let subprotocol = tokens(request, "sec-websocket-protocol")
        .find(|own| own.eq_ignore_ascii_case("mqtt"))
        .ok_or(HandshakeError::Subprotocol)?;
    Ok(Response {
        status: 101,
        headers: vec![
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Accept", accept_key(key)),
            ("Sec-WebSocket-Protocol", subprotocol.to_owned()),
        ],
        body: Vec::new(),
    })
}

fn accept_key(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    STANDARD.encode(digest)
}

/// The members of the comma-separated lists in all header fields of this name.
fn tokens<'a>(request: &'a Request, name: &'a str) -> impl Iterator<Item = &'a str> {
    request
        .header_values(name)
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("Upgrade", "websocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "chat, MQTT"),
    ];

    fn request(method: &str, replaced: Option<(&str, &str)>) -> Request {
        let headers = GOOD.map(|(name, value)| {
            let value = match replaced {
                Some((other, new)) if other == name => new,
                _ => value,
            };
            (name.to_owned(), value.to_owned())
        });
        let path = "/$iothub/websocket".to_owned();
        Request::new(method, path, String::new(), headers.into(), Vec::new())
    }

    /// The key and its answer are the example of RFC 6455 section 1.3.
    #[test]
    fn the_rfcs_example() {
        let response = accept(&request("GET", None)).unwrap();
        assert_eq!(response.status, 101);
        let of = |name| response.header(name);
        assert_eq!(
            of("Sec-WebSocket-Accept"),
            Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        );
        assert_eq!(of("Sec-WebSocket-Protocol"), Some("MQTT"));
    }

    #[rstest]
    #[case("POST", None, HandshakeError::Method)]
    #[case("GET", Some(("Upgrade", "h2c")), HandshakeError::NoUpgrade)]
    #[case("GET", Some(("Connection", "close")), HandshakeError::NoUpgrade)]
    #[case("GET", Some(("Sec-WebSocket-Version", "8")), HandshakeError::Version)]
    #[case("GET", Some(("Sec-WebSocket-Key", "AAAA")), HandshakeError::Key)]
    #[case("GET", Some(("Sec-WebSocket-Key", "*")), HandshakeError::Key)]
    #[case("GET", Some(("Sec-WebSocket-Protocol", "amqp")), HandshakeError::Subprotocol)]
    fn refusals(
        #[case] method: &str,
        #[case] replaced: Option<(&str, &str)>,
        #[case] expected: HandshakeError,
    ) {
        assert_eq!(accept(&request(method, replaced)), Err(expected));
    }

    #[rstest]
    #[case("/$iothub/websocket", true)]
    #[case("/%24iothub/websocket/", true)]
    #[case("/$iothub", false)]
    fn paths(#[case] path: &str, #[case] expected: bool) {
        let request = Request::new("GET", path.to_owned(), String::new(), vec![], vec![]);
        assert_eq!(is_requested(&request), expected);
    }
}
