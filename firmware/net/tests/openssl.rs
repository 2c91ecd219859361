//! The TLS client against `openssl s_server`, over TCP.
//!
//! Skipped, with a line that says so, where there is no `openssl` command.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use devkit_net::tls::{Error, TlsClient, TlsConfig, TrustAnchors};
use rstest::rstest;
use support::crypto;
use support::pki::{self, Key, NOW, Validity};

const HOST: &str = "global.azure-devices-provisioning.net";

/// `openssl s_server` that sends each line back reversed; ends with the value.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new("openssl")
            .args([
                "s_server",
                "-accept",
                "127.0.0.1:0",
                "-tls1_2",
                "-rev",
                "-naccept",
                "1",
            ])
            .args([
                "-cert",
                "leaf.pem",
                "-key",
                "leaf.key",
                "-cert_chain",
                "chain.pem",
            ])
            // The client's certificate must come and must verify.
            .args([
                "-Verify",
                "1",
                "-verify_return_error",
                "-CAfile",
                "client-ca.pem",
            ])
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert_ne!(
                output.read_line(&mut line).unwrap(),
                0,
                "openssl ended early"
            );
            if let Some(address) = line.trim().strip_prefix("ACCEPT ") {
                break address.rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        // The process must not stop at a full pipe.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { process, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn openssl_is_here() -> bool {
    let here = Command::new("openssl").arg("version").output().is_ok();
    if !here {
        println!("skipped: no openssl command");
    }
    here
}

fn pem(kind: &str, der: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(["base64", "-e"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(der).unwrap();
    let body = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    format!("-----BEGIN {kind}-----\n{body}-----END {kind}-----\n")
}

/// One connection: the handshake and a line there and back.
fn reversed_line(port: u16, root: &[u8], unix_seconds: u64) -> Result<String, Error> {
    let anchors = TrustAnchors::new([root]).unwrap();
    let config = TlsConfig::new(
        &crypto(),
        anchors,
        &pki::client_certificate(),
        &pki::client_scalar(),
    );
    let mut client = TlsClient::new(&config.unwrap(), HOST, unix_seconds)?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let (mut asked, mut buffer) = (false, [0; 4096]);
    loop {
        if client.is_ready() && !asked {
            client.send(b"hello from the device\n")?;
            asked = true;
        }
        stream
            .write_all(&std::mem::take(&mut client.outgoing))
            .unwrap();
        if client.plaintext.ends_with(b"\n") {
            return Ok(String::from_utf8(client.plaintext.clone()).unwrap());
        }
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "openssl closed the connection");
        let mut bytes = &buffer[..length];
        while !bytes.is_empty() {
            bytes = &bytes[client.receive(bytes)?..];
        }
    }
}

fn write_chain(folder: &Path, chain: &pki::Chain) {
    let certificates: Vec<_> = chain
        .certificates
        .iter()
        .map(|der| pem("CERTIFICATE", der))
        .collect();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("leaf.pem", &certificates[0]);
    write("chain.pem", &certificates.concat());
    write("leaf.key", &pem("PRIVATE KEY", chain.key.pkcs8));
    write("client-ca.pem", &pem("CERTIFICATE", &pki::client_ca()));
}

#[rstest]
#[case::ec(&[pki::P256_ROOT, pki::P256_LEAF], &[])]
#[case::ec_aes_256(
    &[pki::P384, pki::P256_LEAF],
    &["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"]
)]
#[case::rsa_2048_pss(
    &[pki::RSA_2048, pki::RSA_2048],
    &["-sigalgs", "rsa_pss_rsae_sha256:ECDSA+SHA256"]
)]
#[case::rsa_2048_pkcs1(
    &[pki::RSA_2048, pki::RSA_2048],
    &["-sigalgs", "RSA+SHA256:ECDSA+SHA256", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]
)]
#[case::rsa_4096_sha_384(
    &[pki::RSA_4096, pki::RSA_2048, pki::RSA_4096],
    &["-sigalgs", "RSA+SHA384:ECDSA+SHA256", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"]
)]
#[case::rsa_4096_pss_sha_384(
    &[pki::RSA_4096, pki::RSA_4096],
    &["-sigalgs", "rsa_pss_rsae_sha384:ECDSA+SHA256"]
)]
fn openssl_takes_the_device_and_its_certificate(#[case] keys: &[Key], #[case] arguments: &[&str]) {
    if !openssl_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_chain(folder.path(), &pki::chain(keys, HOST, Validity::Now));
    let server = Server::start(folder.path(), arguments);
    let line = reversed_line(server.port, &pki::root(keys[0]), NOW).unwrap();
    assert_eq!(line, "ecived eht morf olleh\n");
}

/// A chain whose certificates themselves are signed with RSASSA-PSS, which only OpenSSL can make
/// here.
#[rstest]
#[case("sha256")]
#[case("sha384")]
fn certificates_signed_with_pss_are_verified(#[case] digest: &str) {
    if !openssl_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("root.key", &pem("PRIVATE KEY", pki::RSA_4096.pkcs8));
    write("leaf.key", &pem("PRIVATE KEY", pki::RSA_2048.pkcs8));
    write("client-ca.pem", &pem("CERTIFICATE", &pki::client_ca()));
    write(
        "leaf.ext",
        &format!("subjectAltName=DNS:{HOST}\nbasicConstraints=CA:FALSE\n"),
    );
    let openssl = |arguments: &str| {
        let run = Command::new("openssl")
            .args(arguments.split_whitespace())
            .args([
                "-sigopt",
                "rsa_padding_mode:pss",
                "-sigopt",
                "rsa_pss_saltlen:digest",
            ])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    };
    openssl(&format!(
        "req -x509 -new -key root.key -{digest} -subj /CN=Root -days 36500 -out root.pem \
         -addext keyUsage=critical,keyCertSign"
    ));
    openssl(&format!(
        "req -new -key leaf.key -{digest} -subj /CN=leaf -out leaf.csr"
    ));
    openssl(&format!(
        "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -set_serial 2 -{digest} \
         -days 36500 -extfile leaf.ext -out leaf.pem"
    ));
    std::fs::copy(
        folder.path().join("leaf.pem"),
        folder.path().join("chain.pem"),
    )
    .unwrap();
    let der = Command::new("openssl")
        .args(["x509", "-in", "root.pem", "-outform", "der"])
        .current_dir(folder.path())
        .output()
        .unwrap()
        .stdout;
    let server = Server::start(folder.path(), &[]);
    // OpenSSL starts the validity at its own clock: judge by that.
    let result = reversed_line(server.port, &der, unix_now());
    assert_eq!(result.unwrap(), "ecived eht morf olleh\n");
}

fn unix_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
