//! A whole registration request by `openssl s_client`, where OpenSSL is installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use az3166_cloud::{Cloud, CloudConfig, Enrolment, Opening, ServerChain, Then};
use az3166_event::VirtualTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use support::{DPS, VENDOR_ID};

/// OpenSSL takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);

/// Carries bytes between a socket and the cloud until one of them has enough.
fn serve(mut socket: TcpStream, cloud: &mut Cloud) {
    let now = VirtualTime::ZERO;
    assert_eq!(cloud.open(now, 1, DPS, 443), Opening::Accepted);
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let start = Instant::now();
    let mut chunk = [0; 4096];
    while start.elapsed() < DEADLINE {
        match socket.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => cloud.receive(now, 1, &chunk[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        let answer = cloud.transmit(now, 1);
        if socket.write_all(&answer.bytes).is_err() || answer.then != Then::Continue {
            break;
        }
    }
}

/// The client's connection; `None` when it does not come in time.
fn accept(listener: &TcpListener) -> Option<TcpStream> {
    listener.set_nonblocking(true).unwrap();
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        if let Ok((socket, _)) = listener.accept() {
            socket.set_nonblocking(false).unwrap();
            return Some(socket);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// OpenSSL's version, or nothing where it is not installed.
fn version() -> Option<String> {
    let output = Command::new("openssl").arg("version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[rstest]
fn openssl_registers(
    #[values(
        ServerChain::EcdsaP256,
        ServerChain::Rsa4096Sha384,
        ServerChain::RsaPss
    )]
    chain: ServerChain,
) {
    let Some(version) = version().filter(|version| version.starts_with("OpenSSL 3.")) else {
        eprintln!("skipped: OpenSSL 3 is not installed");
        return;
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("openssl-{chain:?}"));
    std::fs::create_dir_all(&directory).unwrap();
    let anchor = directory.join("root.pem");

    let mut cloud = Cloud::new(CloudConfig::virtual_time([9; 32], chain)).unwrap();
    // OpenSSL refuses to load the vendor's malformed certificate; this is the well-formed one.
    let certificate = std::fs::read(fixtures.join("alias-strict.der")).unwrap();
    cloud
        .enrol(Enrolment::x509(VENDOR_ID, &certificate).unwrap())
        .unwrap();
    let anchor_text = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(cloud.trust_anchor())
    );
    std::fs::write(&anchor, anchor_text).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-tls1_2", "-verify_return_error"])
        .args(["-attime", "1767225600", "-servername", DPS])
        .args(["-verify_hostname", DPS])
        .arg("-connect")
        .arg(format!("127.0.0.1:{port}"))
        .arg("-CAfile")
        .arg(&anchor)
        .arg("-cert")
        .arg(fixtures.join("alias-strict.der"))
        .args(["-certform", "DER", "-keyform", "DER", "-key"])
        .arg(fixtures.join("alias.key.der"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let request = format!(
        "PUT /0ne00000000/registrations/{VENDOR_ID}/register?api-version=2021-06-01 HTTP/1.1\r\n\
        Content-Type: application/json\r\nConnection: close\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    let mut input = client.stdin.take().unwrap();
    input.write_all(request.as_bytes()).unwrap();

    match accept(&listener) {
        Some(socket) => serve(socket, &mut cloud),
        None => client.kill().unwrap(),
    }
    drop(input);
    let output = client.wait_with_output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let events: Vec<_> = cloud.drain_events();
    assert!(
        answer.starts_with("HTTP/1.1 202 Accepted\r\n"),
        "{version}\n{answer}\n{complaint}\n{events:?}"
    );
}
