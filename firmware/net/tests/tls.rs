//! The TLS client against rustls with ring, in memory.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use devkit_net::tls::{Error, TlsClient, TlsConfig, TrustAnchors};
use rstest::rstest;
use rustls::{CertificateError, CipherSuite, ServerConnection};
use std::io::{Read, Write};
use support::pki::{self, Chain, Key, NOW, Validity};
use support::{crypto, services};

const HOST: &str = "global.azure-devices-provisioning.net";

fn config(root: Key) -> TlsConfig {
    let root = pki::root(root);
    let anchors = TrustAnchors::new([root.as_ref()]).unwrap();
    TlsConfig::new(
        &crypto(),
        anchors,
        &pki::client_certificate(),
        &pki::client_scalar(),
    )
    .unwrap()
}

/// Hands the server's bytes over in pieces of `size`.
fn pump(client: &mut TlsClient, server: &mut ServerConnection, size: usize) -> Result<(), Error> {
    loop {
        let outgoing = std::mem::take(&mut client.outgoing);
        let mut from_server = Vec::new();
        server.read_tls(&mut outgoing.as_slice()).unwrap();
        // The server's refusal is what some tests are about; its alert follows.
        let _ = server.process_new_packets();
        while server.wants_write() {
            server.write_tls(&mut from_server).unwrap();
        }
        if outgoing.is_empty() && from_server.is_empty() {
            return Ok(());
        }
        for mut piece in from_server.chunks(size) {
            while !piece.is_empty() {
                piece = &piece[client.receive(piece)?..];
            }
        }
    }
}

fn handshake(
    root: Key,
    chain: &Chain,
    suite: Option<CipherSuite>,
) -> (TlsClient, ServerConnection, Result<(), Error>) {
    let mut client = TlsClient::new(&config(root), HOST, NOW).unwrap();
    let mut server = services::accept(&services::server(chain, suite));
    let result = pump(&mut client, &mut server, 1000);
    (client, server, result)
}

const ECDSA_128: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
const ECDSA_256: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
const RSA_128: CipherSuite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
const RSA_256: CipherSuite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384;

#[rstest]
#[case::p256(&[pki::P256_ROOT, pki::P256_LEAF], ECDSA_128)]
#[case::p256_aes_256(&[pki::P256_ROOT, pki::P256_LEAF], ECDSA_256)]
#[case::p384_root(&[pki::P384, pki::P256_LEAF], ECDSA_128)]
#[case::p384_leaf(&[pki::P256_ROOT, pki::P384], ECDSA_256)]
#[case::rsa_2048(&[pki::RSA_2048, pki::RSA_2048], RSA_128)]
#[case::rsa_4096_sha384(&[pki::RSA_4096, pki::RSA_2048, pki::RSA_2048], RSA_256)]
#[case::rsa_4096_leaf(&[pki::RSA_4096, pki::RSA_4096], RSA_128)]
#[case::ecdsa_below_rsa(&[pki::RSA_4096, pki::P384, pki::P256_LEAF], ECDSA_128)]
fn data_flows_both_ways(#[case] keys: &[Key], #[case] suite: CipherSuite) {
    let chain = pki::chain(keys, HOST, Validity::Now);
    let (mut client, mut server, result) = handshake(keys[0], &chain, Some(suite));
    assert_eq!(result, Ok(()));
    assert!(client.is_ready() && !server.is_handshaking());
    assert_eq!(server.negotiated_cipher_suite().unwrap().suite(), suite);
    assert_eq!(server.server_name(), Some(HOST));
    assert_eq!(
        server.peer_certificates(),
        Some(&[pki::client_certificate()][..])
    );

    let (question, answer) = ([b'?'; 3000], [b'!'; 5000]);
    client.send(&question).unwrap();
    server.writer().write_all(&answer).unwrap();
    pump(&mut client, &mut server, 7).unwrap();
    assert_eq!(client.plaintext, answer);
    let mut received = [0; 3000];
    server.reader().read_exact(&mut received).unwrap();
    assert_eq!(received, question);

    server.send_close_notify();
    pump(&mut client, &mut server, 1000).unwrap();
    assert!(client.peer_closed());
    client.close();
    server.read_tls(&mut client.outgoing.as_slice()).unwrap();
    assert!(server.process_new_packets().unwrap().peer_has_closed());
}

fn certificate_error(result: Result<(), Error>) -> CertificateError {
    match result {
        Err(Error::Tls(rustls::Error::InvalidCertificate(error))) => error,
        other => panic!("{other:?}"),
    }
}

/// A server that the device must not believe: no application data flows, and the server is told.
fn refused(root: Key, chain: &Chain) -> CertificateError {
    let (mut client, mut server, result) = handshake(root, chain, None);
    assert!(!client.is_ready());
    assert!(client.send(b"PUT / HTTP/1.1").is_err());
    let alert = std::mem::take(&mut client.outgoing);
    assert_eq!(alert.first(), Some(&21), "an alert record");
    server.read_tls(&mut alert.as_slice()).unwrap();
    assert!(matches!(
        server.process_new_packets(),
        Err(rustls::Error::AlertReceived(_))
    ));
    certificate_error(result)
}

#[test]
fn unknown_authorities_are_refused() {
    let ours = pki::chain(&[pki::P256_ROOT, pki::P256_LEAF], HOST, Validity::Now);
    // The same name, another key.
    assert!(matches!(
        refused(pki::P256_OTHER, &ours),
        CertificateError::BadSignature | CertificateError::UnknownIssuer
    ));
    assert!(matches!(
        refused(pki::RSA_2048, &ours),
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
            | CertificateError::UnknownIssuer
            | CertificateError::BadSignature
    ));
}

#[test]
fn a_missing_intermediate_is_refused() {
    let mut chain = pki::chain(
        &[pki::P256_ROOT, pki::P256_OTHER, pki::P256_LEAF],
        HOST,
        Validity::Now,
    );
    chain.certificates.truncate(1);
    assert_eq!(
        refused(pki::P256_ROOT, &chain),
        CertificateError::UnknownIssuer
    );
}

#[rstest]
#[case::wrong_name("example.org", Validity::Now)]
#[case::expired(HOST, Validity::Past)]
#[case::not_yet_valid(HOST, Validity::Future)]
fn unfit_certificates_are_refused(#[case] host: &str, #[case] validity: Validity) {
    let chain = pki::chain(&[pki::P256_ROOT, pki::P256_LEAF], host, validity);
    let error = refused(pki::P256_ROOT, &chain);
    assert!(match validity {
        Validity::Now => matches!(error, CertificateError::NotValidForNameContext { .. }),
        Validity::Past => matches!(error, CertificateError::ExpiredContext { .. }),
        Validity::Future => matches!(error, CertificateError::NotValidYetContext { .. }),
    });
}

#[test]
fn no_common_suite_ends_in_the_servers_alert() {
    let chain = pki::chain(&[pki::P256_ROOT, pki::P256_LEAF], HOST, Validity::Now);
    let suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    let (_, _, result) = handshake(pki::P256_ROOT, &chain, Some(suite));
    let alert = rustls::AlertDescription::HandshakeFailure;
    assert_eq!(result, Err(Error::Tls(rustls::Error::AlertReceived(alert))));
}

#[test]
fn spoilt_and_oversized_records_are_refused() {
    let chain = pki::chain(&[pki::P256_ROOT, pki::P256_LEAF], HOST, Validity::Now);
    let (mut client, mut server, _) = handshake(pki::P256_ROOT, &chain, None);
    server.writer().write_all(b"hello").unwrap();
    let mut record = Vec::new();
    server.write_tls(&mut record).unwrap();
    *record.last_mut().unwrap() ^= 1;
    assert_eq!(
        client.receive(&record),
        Err(Error::Tls(rustls::Error::DecryptError))
    );

    let (mut client, mut server, _) = handshake(pki::P256_ROOT, &chain, None);
    server.writer().write_all(&[0; 16384]).unwrap();
    assert_eq!(
        pump(&mut client, &mut server, 1000),
        Err(Error::RecordTooLarge)
    );
}

#[test]
fn a_silent_random_source_is_an_error() {
    #[derive(Debug)]
    struct Broken;
    impl devkit_net::Random for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), devkit_net::RandomFailure> {
            Err(devkit_net::RandomFailure)
        }
    }
    let crypto = devkit_net::tls::Crypto::new(&Broken);
    let anchors = TrustAnchors::new([pki::root(pki::P256_ROOT).as_ref()]).unwrap();
    let config = TlsConfig::new(
        &crypto,
        anchors,
        &pki::client_certificate(),
        &pki::client_scalar(),
    );
    let error = TlsClient::new(&config.unwrap(), HOST, NOW).err();
    assert_eq!(
        error,
        Some(Error::Tls(rustls::Error::FailedToGetRandomBytes))
    );
}
