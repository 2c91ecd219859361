//! Connections of which only the kind of port is known: the client's words tell the service.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use az3166_cloud::{
    Chain, Cloud, CloudConfig, HandshakeSchemes, Port, ServerIdentity, TlsVersions, VIRTUAL_EPOCH,
    Wall, WallClock,
};
use az3166_event::CloudEvent;
use rstest::rstest;
use rustls::crypto::ring;
use support::{DPS, Device, HUB, ID, World, client_config_with};

const OTHER_DPS: &str = "my-dps.azure-devices-provisioning.net";
const STRANGER: &str = "example.com";

/// A root that signs a leaf of the given key for all names of this test.
fn identity(algorithm: &'static rcgen::SignatureAlgorithm) -> ServerIdentity {
    let key = match algorithm == &rcgen::PKCS_RSA_SHA256 {
        true => {
            let der = include_bytes!("../src/pki/keys/rsa-leaf.der").as_slice();
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), algorithm).unwrap()
        }
        false => rcgen::KeyPair::generate_for(algorithm).unwrap(),
    };
    let names = [DPS, HUB, OTHER_DPS, STRANGER].map(str::to_owned);
    let certificate = rcgen::CertificateParams::new(names).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().der().to_vec();
    ServerIdentity {
        root: certificate.clone(),
        chain: Chain(vec![certificate]),
        faulty: Default::default(),
        key: Arc::new(key.serialize_der().into()),
        schemes: HandshakeSchemes::All,
    }
}

fn world_with(versions: TlsVersions, alternatives: Vec<ServerIdentity>) -> World<Wall> {
    let config = CloudConfig::wall_clock(WallClock {
        provider: Arc::new(ring::default_provider()),
        versions,
        identity: identity(&rcgen::PKCS_ECDSA_P256_SHA256),
        alternatives,
        seed: [0; 32],
        since_1970: VIRTUAL_EPOCH,
    });
    World::over(Cloud::new(config).unwrap())
}

fn world() -> World<Wall> {
    world_with(TlsVersions::Tls12, Vec::new())
}

#[rstest]
#[case::global_name(DPS, "", 202)]
#[case::a_services_own_name(OTHER_DPS, "", 202)]
#[case::host_header(STRANGER, &format!("{DPS}:443"), 202)]
#[case::tls_counts_first(DPS, HUB, 202)]
#[case::neither(STRANGER, "localhost:8443", 421)]
fn the_name_tells_the_service(#[case] sni: &str, #[case] host: &str, #[case] status: u16) {
    let mut world = world();
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    let mut client = world.accept(Port::Https, sni, Some(&device));
    assert_eq!(client.error, None);
    let request = format!(
        "PUT /0ne00000000/registrations/{ID}/register?api-version=2021-06-01 HTTP/1.1\r\n\
        Host: {host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let answer = support::Answer::parse(&world.exchange(&mut client, request.as_bytes()));
    assert_eq!(answer.status, status, "{answer:?}");
}

#[rstest]
#[case::tls_1_2(TlsVersions::Tls12, Some("TLSv1.2"))]
#[case::tls_1_3_by_switch(TlsVersions::Tls12And13, Some("TLSv1.3"))]
fn newer_tls_by_switch(#[case] versions: TlsVersions, #[case] expected: Option<&str>) {
    let mut world = world_with(versions, Vec::new());
    let anchor = world.cloud.trust_anchor().to_vec();
    let provider = ring::default_provider();
    let config = support::both_versions(provider, &anchor, Some(&Device::new(ID)));
    let client = world.accept_with(Port::Https, DPS, config);
    assert_eq!(client.error, None);
    let events = world.events();
    let seen = events.iter().find_map(|event| match event {
        CloudEvent::TlsEstablished { version, .. } => Some(version.as_str()),
        _ => None,
    });
    assert_eq!(seen, expected);
}

#[rstest]
#[case::ec("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
#[case::rsa("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")]
fn the_clients_algorithms_choose_the_servers_key(#[case] suite: &str) {
    let rsa = identity(&rcgen::PKCS_RSA_SHA256);
    let rsa_root = rsa.root.clone();
    let mut world = world_with(TlsVersions::Tls12, vec![rsa]);
    let mut provider = ring::default_provider();
    provider
        .cipher_suites
        .retain(|own| format!("{:?}", own.suite()) == suite);
    let anchor = match suite.contains("RSA") {
        true => rsa_root,
        false => world.cloud.trust_anchor().to_vec(),
    };
    let config = client_config_with(provider, &anchor, None);
    let client = world.accept_with(Port::Mqtt, HUB, config);
    assert_eq!(client.error, None);
    assert!(world.event_lines().contains(suite));
}

#[test]
fn only_documented_suites_are_spoken() {
    let mut world = world();
    let mut provider = ring::default_provider();
    provider
        .cipher_suites
        .retain(|own| format!("{:?}", own.suite()).contains("CHACHA20"));
    let anchor = world.cloud.trust_anchor().to_vec();
    let config = client_config_with(provider, &anchor, None);
    let client = world.accept_with(Port::Https, DPS, config);
    let alert = rustls::AlertDescription::HandshakeFailure;
    assert_eq!(client.error, Some(rustls::Error::AlertReceived(alert)));
}

#[test]
fn a_handshake_that_never_ends_is_ended() {
    let mut world = world();
    world.cloud.accept(world.now, 1, Port::Mqtt);
    world.wait(Duration::from_secs(60));
    let then = world.cloud.transmit(world.now, 1).then;
    assert_eq!(then, az3166_cloud::Then::Finish);
}
