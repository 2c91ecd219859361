//! The same seed gives the same bytes. The client draws from a seed too, or nothing could repeat.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use az3166_event::VirtualTime;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS12;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::{provider, random};
use crate::{Cloud, CloudConfig, Enrolment, ServerChain, VIRTUAL_EPOCH};

const HOST: &str = "global.azure-devices-provisioning.net";
const ID: &str = "az-c8934641234bv1v6v5";
const CERTIFICATE: &[u8] = include_bytes!("../../../tests/fixtures/alias-strict.der");
const KEY: &[u8] = include_bytes!("../../../tests/fixtures/alias.key.der");

#[derive(Debug)]
struct Epoch;

impl TimeProvider for Epoch {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(VIRTUAL_EPOCH))
    }
}

fn client(anchor: &[u8]) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(anchor)).unwrap();
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(Epoch))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY)),
        )
        .unwrap();
    config.resumption = rustls::client::Resumption::disabled();
    ClientConnection::new(Arc::new(config), ServerName::try_from(HOST).unwrap()).unwrap()
}

/// Every byte that the server sends, the plain text of its answer, and its events.
fn run(seed: u8, chain: ServerChain) -> (Vec<u8>, Vec<u8>, String) {
    let mut cloud = Cloud::new(CloudConfig::virtual_time([seed; 32], chain)).unwrap();
    cloud
        .enrol(Enrolment::x509(ID, CERTIFICATE).unwrap())
        .unwrap();
    let now = VirtualTime::from_millis(1234);
    cloud.open(now, 1, HOST, 443);
    let mut generator = ChaCha20Rng::from_seed([99; 32]);
    random::with(&mut generator, || {
        let mut client = client(cloud.trust_anchor());
        let request = format!(
            "PUT /0ne00000000/registrations/{ID}/register?api-version=2021-06-01 HTTP/1.1\r\n\
            Content-Type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        client.writer().write_all(request.as_bytes()).unwrap();
        let mut wire = Vec::new();
        loop {
            let mut sent = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut sent).unwrap();
            }
            cloud.receive(now, 1, &sent);
            let bytes = cloud.transmit(now, 1).bytes;
            if sent.is_empty() && bytes.is_empty() {
                break;
            }
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets().unwrap();
            }
            wire.extend(bytes);
        }
        let mut answer = Vec::new();
        let _ = client.reader().read_to_end(&mut answer);
        cloud.advance(now + Duration::from_secs(10));
        (wire, answer, format!("{:?}", cloud.drain_events()))
    })
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for chain in ServerChain::ALL {
        let first = run(1, chain);
        assert!(first.1.starts_with(b"HTTP/1.1 202 Accepted\r\n"));
        assert_eq!(first, run(1, chain), "{chain:?}");
        let other = run(2, chain);
        assert_ne!(first.0, other.0, "{chain:?}");
        assert_ne!(first.1, other.1, "{chain:?}");
    }
}

#[test]
fn without_a_generator_there_is_no_handshake() {
    let roots = RootCertStore::empty();
    let config = ClientConfig::builder_with_details(provider(), Arc::new(Epoch))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(HOST).unwrap();
    let error = ClientConnection::new(Arc::new(config), name).unwrap_err();
    assert_eq!(error, rustls::Error::FailedToGetRandomBytes);
}
