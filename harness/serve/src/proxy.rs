//! An HTTP CONNECT proxy (RFC 9110 section 9.3.6) that leads to our own services alone, for clients
//! whose ports are fixed.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connection::Carrier;
use crate::engine::{Destination, Engine};
use crate::trace::Incident;

/// A request's head is no longer.
const LONGEST_HEAD: usize = 8 * 1024;

/// How long a client may take for its request.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// What came of the head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// It is not complete.
    Partial,
    /// A host and port that are wanted; the head has this many bytes.
    Connect {
        host: String,
        port: u16,
        length: usize,
    },
    /// It is answered with this status.
    Refused(&'static str, String),
}

/// Reads the head of a proxy request.
pub(crate) fn head(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let bad = |reason: String| Head::Refused("400 Bad Request", reason);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < LONGEST_HEAD => return Head::Partial,
        Ok(httparse::Status::Partial) => return bad("the request's head is too long".into()),
        Err(error) => return bad(format!("no HTTP request: {error}")),
    };
    let (method, target) = (
        request.method.unwrap_or_default(),
        request.path.unwrap_or_default(),
    );
    if method != "CONNECT" {
        return Head::Refused(
            "405 Method Not Allowed\r\nAllow: CONNECT",
            format!("the proxy knows CONNECT, not {method}"),
        );
    }
    match target
        .rsplit_once(':')
        .map(|(host, port)| (host, port.parse()))
    {
        Some((host, Ok(port))) if !host.is_empty() => Head::Connect {
            host: host.to_ascii_lowercase(),
            port,
            length,
        },
        _ => bad(format!("{target:?} is no host with a port")),
    }
}

/// Answers a CONNECT, and carries what follows it.
pub(crate) async fn serve(mut socket: TcpStream, peer: String, carrier: Carrier) {
    let mut bytes = Vec::new();
    let refused = match timeout(REQUEST_TIME, read(&mut socket, &mut bytes)).await {
        Ok(Ok(Head::Connect { host, port, length })) => {
            let known = carrier.engine.view(|cloud, _| cloud.host_names());
            match is_ours(&known, &host, port) {
                true => {
                    let answer = b"HTTP/1.1 200 Connection established\r\n\r\n";
                    if socket.write_all(answer).await.is_ok() {
                        let destination = Destination::Host(host, port);
                        let rest = bytes.split_off(length);
                        carrier.carry(socket, &peer, &destination, &rest).await;
                    }
                    return;
                }
                false => (
                    "403 Forbidden",
                    format!("{host}:{port} is none of the local services"),
                ),
            }
        }
        Ok(Ok(Head::Refused(status, reason))) => (status, reason),
        // The client went before it had asked for anything.
        Ok(Ok(Head::Partial) | Err(_)) => return,
        Err(_) => ("408 Request Timeout", "no request came in time".into()),
    };
    refuse(&carrier.engine, &mut socket, peer, refused).await;
}

async fn read(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<Head> {
    loop {
        if socket.read_buf(bytes).await? == 0 {
            return Ok(Head::Partial);
        }
        match head(bytes) {
            Head::Partial => {}
            other => return Ok(other),
        }
    }
}

/// Whether a proxy request leads to one of our services.
fn is_ours(known: &[String], host: &str, port: u16) -> bool {
    let provisioning = host.ends_with(".azure-devices-provisioning.net");
    let named = known.iter().any(|name| name.eq_ignore_ascii_case(host));
    (provisioning || named) && matches!(port, 443 | 8883)
}

async fn refuse(
    engine: &Arc<Engine>,
    socket: &mut TcpStream,
    peer: String,
    (status, reason): (&str, String),
) {
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
        Connection: close\r\n\r\n{reason}\n",
        reason.len() + 1
    );
    engine.note(Incident::Refused { peer, reason });
    // Whether it arrives or not, the connection ends.
    let _ = timeout(REQUEST_TIME, socket.write_all(answer.as_bytes())).await;
    let _ = timeout(REQUEST_TIME, socket.shutdown()).await;
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const DPS: &str = "global.azure-devices-provisioning.net";

    #[rstest]
    #[case(DPS, 443, true)]
    #[case(DPS, 8883, true)]
    #[case("my.azure-devices-provisioning.net", 443, true)]
    #[case(DPS, 22, false)]
    #[case("hub.azure-devices.net", 8883, true)]
    #[case("other.azure-devices.net", 8883, false)]
    #[case("127.0.0.1", 443, false)]
    fn destinations(#[case] host: &str, #[case] port: u16, #[case] expected: bool) {
        let known = [DPS.to_owned(), "Hub.azure-devices.net".to_owned()];
        assert_eq!(is_ours(&known, host, port), expected);
    }

    #[rstest]
    #[case("CONNECT a:1 HTTP/1.1\r\n", "Partial")]
    #[case("CONNECT A.b:443 HTTP/1.1\r\nHost: x\r\n\r\nrest", "a.b:443 37")]
    #[case(
        "CONNECT a HTTP/1.1\r\n\r\n",
        "400 Bad Request: \"a\" is no host with a port"
    )]
    #[case(
        "CONNECT :1 HTTP/1.1\r\n\r\n",
        "400 Bad Request: \":1\" is no host with a port"
    )]
    #[case(
        "CONNECT a:70000 HTTP/1.1\r\n\r\n",
        "400 Bad Request: \"a:70000\" is no host with a port"
    )]
    #[case("\u{16}\u{3}\u{1}", "400 Bad Request: no HTTP request: invalid token")]
    fn heads(#[case] bytes: &str, #[case] expected: &str) {
        let shown = match head(bytes.as_bytes()) {
            Head::Partial => "Partial".to_owned(),
            Head::Connect { host, port, length } => format!("{host}:{port} {length}"),
            Head::Refused(status, reason) => format!("{status}: {reason}"),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_endless_head_is_refused() {
        let bytes = format!("CONNECT a:1 HTTP/1.1\r\nx: {}", "y".repeat(LONGEST_HEAD));
        assert!(matches!(head(bytes.as_bytes()), Head::Refused(..)));
    }
}
