//! The web page: what the services know, for people; read-only, without scripts and without keys.
//! `/api/...` has the same as JSON.

mod page;
mod view;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::admission::{Limits, Permit};
use crate::engine::Engine;
use crate::stop::Stop;
use crate::trace::Parts;

/// How many browsers may be connected.
pub(crate) const LIMITS: Limits = Limits {
    connections: 64,
    per_source: 64,
};

/// How long a browser may take for a request's head.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// What every answer says: no scripts, no frames, no other site, no copies.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

/// An answer before it is HTTP.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    content_type: &'static str,
    body: String,
}

impl Answer {
    fn found(content_type: &'static str, body: String) -> Self {
        Self {
            status: StatusCode::OK,
            content_type,
            body,
        }
    }

    fn error(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            content_type: HTML,
            body: page::message(status.canonical_reason().unwrap_or_default(), text),
        }
    }
}

/// Serves one browser's connection.
pub(crate) async fn serve(socket: TcpStream, engine: Arc<Engine>, mut stop: Stop, permit: Permit) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(&engine, &request);
        let response = response(answer, request.method());
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = core::pin::pin!(connection);
    // A browser that speaks no HTTP has been told so; there is nobody else to tell.
    tokio::select! {
        result = connection.as_mut() => drop(result),
        () = stop.stopped() => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
    drop(permit);
}

fn answer(engine: &Engine, request: &Request<Incoming>) -> Answer {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_direct(host) {
        return Answer::error(
            StatusCode::MISDIRECTED_REQUEST,
            "This page is to be had under its address or as localhost alone.",
        );
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Answer::error(StatusCode::METHOD_NOT_ALLOWED, "This page is read-only.");
    }
    let page = match page_number(request.uri().query()) {
        Ok(page) => page,
        Err(text) => return Answer::error(StatusCode::BAD_REQUEST, text),
    };
    content(engine, request.uri().path(), page)
        .unwrap_or_else(|| Answer::error(StatusCode::NOT_FOUND, "There is no such page."))
}

/// Whether a `Host` is an address or localhost. A name could be anybody's: it may have been made
/// to lead here by an attacker's DNS, so that a page of theirs reads this one.
fn is_direct(host: &str) -> bool {
    let name = match host.parse::<SocketAddr>() {
        Ok(_) => return true,
        Err(_) => match host.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => name,
            _ => host,
        },
    };
    let bare = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost") || bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

/// `page=N`; 1 without one.
fn page_number(query: Option<&str>) -> Result<usize, &'static str> {
    match query.unwrap_or_default().strip_prefix("page=") {
        None => Ok(1),
        Some(number) => match number.parse() {
            Ok(0) | Err(_) => Err("Pages are numbered from 1."),
            Ok(page) => Ok(page),
        },
    }
}

/// The page at `path`.
fn content(engine: &Engine, path: &str, page: usize) -> Option<Answer> {
    let html = |body| Some(Answer::found(HTML, body));
    match path {
        "/style.css" => Some(Answer::found(CSS, page::STYLE.to_owned())),
        "/" => {
            let (individual, groups) =
                engine.view(|cloud, _| (view::enrolments(cloud, page), view::groups(cloud, page)));
            html(page::enrolments(&individual, &groups))
        }
        "/registrations" => {
            let rows = engine.view(|cloud, _| view::registrations(cloud, page));
            html(page::registrations(&rows))
        }
        "/devices" => {
            let rows = engine.view(|cloud, _| view::devices(cloud, page));
            html(page::devices(&rows))
        }
        "/trace" => {
            let records: Vec<_> =
                engine.view(|_, trace| trace.recent().rev().map(Parts::of).collect());
            html(page::trace(&records))
        }
        "/api/enrolments" => json(&engine.view(|cloud, _| view::enrolments(cloud, page))),
        "/api/groups" => json(&engine.view(|cloud, _| view::groups(cloud, page))),
        "/api/registrations" => json(&engine.view(|cloud, _| view::registrations(cloud, page))),
        "/api/devices" => json(&engine.view(|cloud, _| view::devices(cloud, page))),
        "/api/trace" => json(&engine.view(|_, trace| trace.recent().cloned().collect::<Vec<_>>())),
        _ => match path.strip_prefix("/api/devices/") {
            Some(rest) => json(&detail(engine, rest)?),
            None => html(page::device(&detail(
                engine,
                path.strip_prefix("/devices/")?,
            )?)),
        },
    }
}

/// The device at `hub/device`, both percent-encoded.
fn detail(engine: &Engine, path: &str) -> Option<view::DeviceDetail> {
    let (hub, device) = path.split_once('/')?;
    let (hub, device) = (decoded(hub)?, decoded(device)?);
    engine.view(|cloud, _| view::device(cloud, &hub, &device))
}

/// A segment of a path, decoded (RFC 3986 section 2.1).
fn decoded(segment: &str) -> Option<String> {
    let mut pieces = segment.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        bytes.extend(hex::decode(piece.get(..2)?).ok()?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

fn json(value: &impl serde::Serialize) -> Option<Answer> {
    let body = serde_json::to_string(value).ok()?;
    Some(Answer::found(JSON, body))
}

fn response(answer: Answer, method: &Method) -> Response<Full<Bytes>> {
    let length = answer.body.len();
    let body = match *method {
        Method::HEAD => Bytes::new(),
        _ => Bytes::from(answer.body),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(hyper::header::CONTENT_LENGTH, length.into());
    if answer.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("localhost:8480", true)]
    #[case("LOCALHOST", true)]
    #[case("127.0.0.1:8480", true)]
    #[case("[::1]:8480", true)]
    #[case("[::1]", true)]
    #[case("192.168.1.7", true)]
    #[case("", false)]
    #[case("evil.example:8480", false)]
    #[case("127.0.0.1.evil.example", false)]
    #[case("localhost.evil.example", false)]
    #[case("localhost:x", false)]
    fn hosts(#[case] host: &str, #[case] expected: bool) {
        assert_eq!(is_direct(host), expected);
    }

    #[rstest]
    #[case("a%2Fb", Some("a/b"))]
    #[case("%C3%A4", Some("ä"))]
    #[case("%", None)]
    #[case("%4", None)]
    #[case("%zz", None)]
    #[case("%ä", None)]
    #[case("%ff", None)]
    fn segments(#[case] segment: &str, #[case] expected: Option<&str>) {
        assert_eq!(decoded(segment).as_deref(), expected);
    }
}
