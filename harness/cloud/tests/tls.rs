//! What the server's TLS does, judged by rustls over ring and by OpenSSL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::sync::{Arc, Mutex};

use az3166_cloud::{
    CertificateFault, Cloud, CloudConfig, CloudFault, Effect, Opening, Rule, ServerChain, Then,
    TlsVersions, WallClock,
};
use rstest::rstest;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::kx_group;
use rustls::{AlertDescription, CertificateError, CipherSuite, Error, SignatureScheme};
use support::{DPS, Device, HUB, ID, World, client_config};

fn fault(effect: Effect) -> CloudFault {
    CloudFault {
        rule: Rule::default(),
        effect,
    }
}

fn expected(fault: CertificateFault, error: &Error) -> bool {
    let Error::InvalidCertificate(error) = error else {
        return false;
    };
    match fault {
        CertificateFault::Expired => matches!(error, CertificateError::ExpiredContext { .. }),
        CertificateFault::NotYetValid => {
            matches!(error, CertificateError::NotValidYetContext { .. })
        }
        CertificateFault::WrongName => {
            matches!(error, CertificateError::NotValidForNameContext { .. })
        }
        CertificateFault::UnknownCa | CertificateFault::MissingIntermediate => {
            *error == CertificateError::UnknownIssuer
        }
        CertificateFault::ImpostorCa => *error == CertificateError::BadSignature,
    }
}

#[rstest]
fn clients_refuse_faulty_server_certificates(
    #[values(
        ServerChain::EcdsaP256,
        ServerChain::Rsa4096Sha384,
        ServerChain::RsaPss
    )]
    chain: ServerChain,
    #[values(0, 1, 2, 3, 4, 5)] which: usize,
) {
    let kind = CertificateFault::ALL[which];
    let mut world = World::with(CloudConfig::virtual_time([1; 32], chain));
    world
        .cloud
        .inject(fault(Effect::Certificate(kind)))
        .unwrap();
    let client = world.connect(HUB, 8883, Some(&Device::new(ID)));
    let error = client.error.unwrap();
    assert!(expected(kind, &error), "{kind:?}: {error:?}");
    assert_eq!(client.then, Then::Finish);
    let lines = world.event_lines();
    assert!(lines.contains("{\"kind\":\"fault\",\"fault\":\"certificate\"}"));
    assert!(lines.contains("tls_failed") && lines.contains("received fatal alert"));
    assert!(world.cloud.take_plaintext_from_device().is_empty());
    world.cloud.clear_faults();
    assert_eq!(world.connect(HUB, 8883, None).error, None);
}

#[rstest]
#[case(Effect::Alert(80), AlertDescription::InternalError)]
#[case(Effect::Alert(46), AlertDescription::CertificateUnknown)]
#[case(Effect::NoCommonSuite, AlertDescription::HandshakeFailure)]
fn alerts(#[case] effect: Effect, #[case] alert: AlertDescription) {
    let mut world = World::new();
    world.cloud.inject(fault(effect)).unwrap();
    let client = world.connect(DPS, 443, None);
    assert_eq!(client.error, Some(Error::AlertReceived(alert)));
    assert_eq!(client.then, Then::Finish);
    assert!(world.event_lines().contains("tls_failed"));
}

#[test]
fn no_common_suite_looks_like_the_real_thing() {
    let mut world = World::new();
    let anchor = world.cloud.trust_anchor().to_vec();
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| {
        suite.suite() == CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
    });
    let config = support::client_config_with(provider, &anchor, None);
    let real = world.connect_with(DPS, 443, config);
    world.cloud.inject(fault(Effect::NoCommonSuite)).unwrap();
    let injected = world.connect(DPS, 443, None);
    assert_eq!(real.wire, injected.wire);
    assert_eq!(real.error, injected.error);
}

#[test]
fn tls_1_3_is_not_spoken() {
    let mut world = World::new();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_protocol_versions(&[&rustls::version::TLS13])
    .unwrap()
    .with_root_certificates(rustls::RootCertStore::empty())
    .with_no_client_auth();
    let client = world.connect_with(DPS, 443, config);
    let alert = AlertDescription::ProtocolVersion;
    assert_eq!(client.error, Some(Error::AlertReceived(alert)));
}

#[rstest]
#[case(
    ServerChain::EcdsaP256,
    kx_group::SECP256R1,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
)]
#[case(
    ServerChain::EcdsaP256,
    kx_group::SECP384R1,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
)]
#[case(
    ServerChain::Rsa4096Sha384,
    kx_group::SECP384R1,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
)]
#[case(
    ServerChain::RsaPss,
    kx_group::SECP256R1,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
)]
fn every_suite_and_group(
    #[case] chain: ServerChain,
    #[case] group: &'static dyn SupportedKxGroup,
    #[case] suite: CipherSuite,
) {
    let mut world = World::with(CloudConfig::virtual_time([1; 32], chain));
    let anchor = world.cloud.trust_anchor().to_vec();
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|own| own.suite() == suite);
    provider.kx_groups = vec![group];
    let config = support::client_config_with(provider, &anchor, Some(&Device::new(ID)));
    let client = world.connect_with(DPS, 443, config);
    assert_eq!(client.error, None);
    let agreed = client.tls.negotiated_cipher_suite().unwrap();
    assert_eq!(agreed.suite(), suite);
    let agreed = client.tls.negotiated_key_exchange_group().unwrap();
    assert_eq!(agreed.name(), group.name());
}

#[test]
fn a_certificate_without_its_key_is_worth_nothing() {
    #[derive(Debug)]
    struct Stolen(Arc<rustls::sign::CertifiedKey>);
    impl rustls::client::ResolvesClientCert for Stolen {
        fn resolve(
            &self,
            _: &[&[u8]],
            _: &[SignatureScheme],
        ) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(self.0.clone())
        }
        fn has_certs(&self) -> bool {
            true
        }
    }
    let mut world = World::new();
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    let thief = Device::new(ID).with_certificate(device.certificate.clone());
    let mut config = client_config(world.cloud.trust_anchor(), None);
    config.client_auth_cert_resolver = Arc::new(Stolen(Arc::new(thief.certified_key())));
    let client = world.connect_with(DPS, 443, config);
    let alert = AlertDescription::DecryptError;
    assert_eq!(client.error, Some(Error::AlertReceived(alert)));
    let lines = world.event_lines();
    assert!(lines.contains("tls_failed"), "{lines}");
    assert!(!lines.contains("tls_established"), "{lines}");
}

#[test]
fn the_key_log_is_the_clients_own() {
    #[derive(Debug, Default)]
    struct Lines(Mutex<Vec<String>>);
    impl rustls::KeyLog for Lines {
        fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
            let (random, secret) = (hex::encode(client_random), hex::encode(secret));
            self.0
                .lock()
                .unwrap()
                .push(format!("{label} {random} {secret}"));
        }
    }
    let mut world = World::new();
    let lines = Arc::new(Lines::default());
    let mut config = client_config(world.cloud.trust_anchor(), None);
    config.key_log = lines.clone();
    world.connect_with(DPS, 443, config);
    let logged = world.cloud.key_log();
    assert_eq!(logged, *lines.0.lock().unwrap());
    assert_eq!(logged.len(), 1);
    assert!(logged[0].starts_with("CLIENT_RANDOM "));
    assert!(world.cloud.key_log().is_empty());
}

#[test]
fn nobody_listens_elsewhere() {
    let mut world = World::new();
    assert_eq!(world.cloud.host_names(), [DPS, HUB]);
    for (host, port) in [(DPS, 80), (HUB, 5671), ("example.com", 443)] {
        let opening = world.cloud.open(world.now, 1, host, port);
        assert!(matches!(opening, Opening::Refused { .. }), "{host}:{port}");
    }
}

#[test]
fn noise_is_no_handshake() {
    let mut world = World::new();
    world.cloud.open(world.now, 1, DPS, 443);
    world.cloud.receive(world.now, 1, b"GET / HTTP/1.1\r\n\r\n");
    let answer = world.cloud.transmit(world.now, 1);
    assert_eq!(answer.then, Then::Finish);
    assert!(world.event_lines().contains("tls_failed"));
}

#[test]
fn a_handshake_has_a_deadline() {
    let mut world = World::new();
    world.cloud.open(world.now, 1, DPS, 443);
    let deadline = world.cloud.next_deadline().unwrap();
    world.wait(deadline.since_start());
    assert_eq!(world.cloud.transmit(world.now, 1).then, Then::Finish);
    assert!(world.event_lines().contains("took too long"));
    assert_eq!(world.cloud.next_deadline(), None);
}

#[test]
fn a_cloud_on_a_real_clock_takes_its_provider_and_keys_from_outside() {
    use az3166_cloud::{Chain, HandshakeSchemes, ServerIdentity, VIRTUAL_EPOCH};
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![DPS.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().to_vec();
    let config = CloudConfig::wall_clock(WallClock {
        provider: Arc::new(rustls::crypto::ring::default_provider()),
        versions: TlsVersions::Tls12,
        identity: ServerIdentity {
            root: certificate.clone(),
            chain: Chain(vec![certificate]),
            faulty: Default::default(),
            key: Arc::new(key.serialize_der().into()),
            schemes: HandshakeSchemes::All,
        },
        alternatives: Vec::new(),
        seed: [0; 32],
        since_1970: VIRTUAL_EPOCH,
    });
    let mut world = World::over(Cloud::new(config).unwrap());
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(client.error, None);
    assert_eq!(world.register(&mut client, ID).status, 202);
}
