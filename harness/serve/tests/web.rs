//! The web page: what it shows, to whom, and what it never shows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::io::{ErrorKind, Read as _, Write as _};

use az3166_cloud::{Attestation, Enrolment, SymmetricKey, SymmetricKeys};
use az3166_serve::Settings;
use rstest::rstest;
use support::{Device, HUB, Running, settings};

const PAGES: [&str; 9] = [
    "/",
    "/registrations",
    "/devices",
    "/trace",
    "/api/enrolments",
    "/api/groups",
    "/api/registrations",
    "/api/devices",
    "/api/trace",
];

fn keys(byte: u8) -> SymmetricKeys {
    SymmetricKeys {
        primary: SymmetricKey::new(vec![byte; 32]).unwrap(),
        secondary: SymmetricKey::new(vec![byte + 1; 32]).unwrap(),
    }
}

#[test]
fn it_shows_what_there_is_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new("shown");
    let by_key = Enrolment::new("by-key", Attestation::SymmetricKey(keys(0xa1)));
    let server = Running::start(Settings {
        enrolments: vec![device.enrolment().with_device_id("AZ3166"), by_key],
        ..settings(folder.path())
    });
    server.https(Some(&device)).register("shown").unwrap();
    let page = |path: &str| {
        let answer = server.browse("GET", path, "localhost");
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    };
    for (path, texts) in [
        ("/", vec!["shown", "by-key", "symmetric key", "enabled"]),
        ("/registrations", vec!["shown", "assigned", HUB, "AZ3166"]),
        ("/devices", vec!["AZ3166", "disconnected"]),
        ("/trace", vec!["TLSv1.", "/registrations/shown/register"]),
        (
            "/devices/hil-hub.azure-devices.net/AZ3166",
            vec!["Twin", "Telemetry"],
        ),
    ] {
        let body = page(path);
        for text in texts {
            assert!(body.contains(text), "{path} lacks {text}: {body}");
        }
    }
    let devices: serde_json::Value = serde_json::from_str(&page("/api/devices")).unwrap();
    assert_eq!(devices["total"], 1);
    assert_eq!(devices["rows"][0]["device_id"], "AZ3166");

    let primary = keys(0xa1).primary.expose_base64();
    let secondary = keys(0xa1).secondary.expose_base64();
    let private = std::fs::read_to_string(folder.path().join("cloud/authority.pem")).unwrap();
    let private: Vec<&str> = private
        .split("-----BEGIN PRIVATE KEY-----")
        .skip(1)
        .map(|key| &key[1..40])
        .collect();
    assert_eq!(private.len(), 4);
    for path in PAGES {
        let body = page(path);
        for key in private
            .iter()
            .copied()
            .chain([primary.as_str(), secondary.as_str()])
        {
            assert!(!body.contains(key), "{path} shows a key");
        }
        assert!(!body.contains(&"a1".repeat(32)), "{path} shows a key");
    }
}

#[test]
fn what_devices_say_is_escaped() {
    const EVIL: &str = "<script>alert(1)</script>";
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new("evil");
    let server = Running::start(Settings {
        enrolments: vec![device.enrolment()],
        ..settings(folder.path())
    });
    let mut client = server.https(Some(&device));
    let path = format!("/{EVIL}/registrations/evil/register?api-version=1");
    client.request("PUT", &path, "{}").unwrap();
    let trace = server.browse("GET", "/trace", "127.0.0.1").body;
    assert!(trace.contains("&lt;script&gt;"), "{trace}");
    assert!(!trace.contains("<script"), "{trace}");
}

#[rstest]
#[case::name("GET", "/", "evil.example", 421)]
#[case::name_with_port("GET", "/api/devices", "evil.example:8480", 421)]
#[case::no_host("GET", "/", "", 421)]
#[case::post("POST", "/", "localhost", 405)]
#[case::put("PUT", "/api/devices", "localhost", 405)]
#[case::options("OPTIONS", "/", "localhost", 405)]
#[case::missing("GET", "/nothing", "localhost", 404)]
#[case::no_device("GET", "/devices/a/b", "localhost", 404)]
#[case::bad_segment("GET", "/devices/%zz/b", "localhost", 404)]
#[case::page_zero("GET", "/?page=0", "localhost", 400)]
#[case::page_far("GET", "/?page=18446744073709551615", "localhost", 200)]
#[case::head("HEAD", "/", "localhost", 200)]
#[case::found("GET", "/", "[::1]:8480", 200)]
fn requests(#[case] method: &str, #[case] path: &str, #[case] host: &str, #[case] expected: u16) {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(settings(folder.path()));
    let answer = server.browse(method, path, host);
    assert_eq!(answer.status, expected);
    for header in [
        "content-security-policy: default-src 'none'; style-src 'self'",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(answer.head.contains(header), "{}", answer.head);
    }
    assert!(!answer.head.contains("access-control-"), "{}", answer.head);
    if method == "HEAD" {
        assert_eq!(answer.body, "");
    }
}

#[test]
fn an_endless_head_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(settings(folder.path()));
    let mut socket = support::connect(server.ready.web);
    let line = format!("x: {}\r\n", "y".repeat(1000));
    let head = format!("GET / HTTP/1.1\r\n{}", line.repeat(40));
    // It may be refused, and the connection broken, before all of it is written.
    let answered = socket.write_all(head.as_bytes()).and_then(|()| {
        let mut answer = String::new();
        socket.read_to_string(&mut answer).map(|_| answer)
    });
    match answered {
        Ok(answer) => assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}"),
        Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock),
    }
}
