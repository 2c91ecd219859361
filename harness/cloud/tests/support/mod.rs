//! An in-memory client of the cloud: rustls over ring, so another TLS provider than the server's.

#![allow(dead_code)]

pub mod mqtt;

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use az3166_cloud::{
    Cloud, CloudConfig, Enrolment, Opening, Port, ServerChain, Then, TimeBase, VIRTUAL_EPOCH,
    Virtual,
};
use az3166_event::{CloudEvent, VirtualTime};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

pub const DPS: &str = "global.azure-devices-provisioning.net";
pub const HUB: &str = "hil-hub.azure-devices.net";
pub const ID: &str = "az-c89346854138v1v6v1";

/// A device: its certificate and private key.
pub struct Device {
    pub certificate: Vec<u8>,
    /// The certificates that it shows after its own, in DER.
    pub issuers: Vec<Vec<u8>>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Device {
    /// A new P-256 key with a self-signed certificate for `common_name`.
    pub fn new(common_name: &str) -> Self {
        Self::with_key(common_name, rcgen::KeyPair::generate().unwrap())
    }

    /// A self-signed certificate for `common_name` and the RSA-2048 test key.
    pub fn rsa(common_name: &str) -> Self {
        let der = include_bytes!("../../src/pki/keys/rsa-leaf.der");
        let der = PrivatePkcs8KeyDer::from(der.as_slice());
        let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256);
        Self::with_key(common_name, key.unwrap())
    }

    fn with_key(common_name: &str, key: rcgen::KeyPair) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, common_name);
        Self {
            certificate: params.self_signed(&key).unwrap().der().to_vec(),
            issuers: Vec::new(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
        }
    }

    /// An alias certificate as the vendor's tool makes it, with a subjectAltName that is not
    /// well-formed.
    pub fn vendor_alias() -> Self {
        let der = include_bytes!("../fixtures/alias.key.der");
        Self {
            certificate: include_bytes!("../fixtures/alias-devkit.der").to_vec(),
            issuers: Vec::new(),
            key: PrivatePkcs8KeyDer::from(der.as_slice()),
        }
    }

    /// Certificate and key, whether they belong together or not.
    pub fn certified_key(&self) -> CertifiedKey {
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        CertifiedKey::new(
            vec![CertificateDer::from(self.certificate.clone())],
            rustls::crypto::ring::sign::any_supported_type(&key).unwrap(),
        )
    }

    /// A device with these certificates, its own first, and this key in PKCS #8.
    pub fn from_parts(certificate: Vec<u8>, issuers: Vec<Vec<u8>>, key: Vec<u8>) -> Self {
        Self {
            certificate,
            issuers,
            key: PrivatePkcs8KeyDer::from(key),
        }
    }

    /// The same key under another certificate.
    pub fn with_certificate(&self, certificate: Vec<u8>) -> Self {
        Self {
            certificate,
            issuers: Vec::new(),
            key: self.key.clone_key(),
        }
    }

    /// An enrolment of this device.
    pub fn enrolment(&self, registration_id: &str) -> Enrolment {
        Enrolment::x509(registration_id, &self.certificate).unwrap()
    }
}

#[derive(Debug)]
struct Fixed(u64);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

/// Lets the client take the server's certificate whatever name it asked for.
pub fn trust_any_name(config: &mut ClientConfig) {
    #[derive(Debug)]
    struct AnyName(Arc<CryptoProvider>);
    impl rustls::client::danger::ServerCertVerifier for AnyName {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let algorithms = &self.0.signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
        }
        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let algorithms = &self.0.signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(AnyName(provider)));
}

/// A shared access signature over `resource`, which is percent-encoded as a client has it.
pub fn token(resource: &str, key: &[u8], expires: u64, key_name: Option<&str>) -> String {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};
    let mut code = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    code.update(format!("{resource}\n{expires}").as_bytes());
    let signature = code.finalize().into_bytes();
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    let signature = signature
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let key_name = key_name.map_or_else(String::new, |name| format!("&skn={name}"));
    format!("SharedAccessSignature sr={resource}&sig={signature}&se={expires}{key_name}")
}

/// The registration id of [`Device::vendor_alias`].
pub const VENDOR_ID: &str = "az-c8934641234bv1v6v5";

/// A client's TLS settings: trusts `anchor` and shows `device`'s certificate.
pub fn client_config(anchor: &[u8], device: Option<&Device>) -> ClientConfig {
    client_config_with(rustls::crypto::ring::default_provider(), anchor, device)
}

/// The same over a part of ring.
pub fn client_config_with(
    provider: CryptoProvider,
    anchor: &[u8],
    device: Option<&Device>,
) -> ClientConfig {
    speaking(&[&rustls::version::TLS12], provider, anchor, device)
}

/// The same with TLS 1.3 too.
pub fn both_versions(
    provider: CryptoProvider,
    anchor: &[u8],
    device: Option<&Device>,
) -> ClientConfig {
    speaking(rustls::ALL_VERSIONS, provider, anchor, device)
}

fn speaking(
    versions: &[&'static rustls::SupportedProtocolVersion],
    provider: CryptoProvider,
    anchor: &[u8],
    device: Option<&Device>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(anchor.to_vec())).unwrap();
    let builder = ClientConfig::builder_with_details(
        Arc::new(provider),
        Arc::new(Fixed(VIRTUAL_EPOCH.as_secs())),
    )
    .with_protocol_versions(versions)
    .unwrap()
    .with_root_certificates(roots);
    match device {
        None => builder.with_no_client_auth(),
        Some(device) => builder
            .with_client_auth_cert(
                core::iter::once(&device.certificate)
                    .chain(&device.issuers)
                    .map(|der| CertificateDer::from(der.clone()))
                    .collect(),
                PrivateKeyDer::Pkcs8(device.key.clone_key()),
            )
            .unwrap(),
    }
}

/// A cloud with clients.
pub struct World<B: TimeBase = Virtual> {
    pub cloud: Cloud<B>,
    pub now: VirtualTime,
    pub connections: u32,
}

/// One connection of a client.
pub struct Client {
    pub number: u32,
    pub tls: ClientConnection,
    pub then: Then,
    /// Why the client's TLS gave up.
    pub error: Option<rustls::Error>,
    /// Every byte that the server sent.
    pub wire: Vec<u8>,
    /// Plain text that nobody has looked at yet.
    received: Vec<u8>,
}

impl World<Virtual> {
    pub fn new() -> Self {
        Self::with(CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256))
    }

    pub fn with(config: CloudConfig) -> Self {
        Self::over(Cloud::new(config).unwrap())
    }
}

impl<B: TimeBase> World<B> {
    pub fn over(cloud: Cloud<B>) -> Self {
        Self {
            cloud,
            now: VirtualTime::ZERO,
            connections: 0,
        }
    }

    /// Opens a connection and completes the handshake as far as it goes.
    pub fn connect(&mut self, host: &str, port: u16, device: Option<&Device>) -> Client {
        let config = client_config(self.cloud.trust_anchor(), device);
        self.connect_with(host, port, config)
    }

    pub fn connect_with(&mut self, host: &str, port: u16, config: ClientConfig) -> Client {
        let opening = self.cloud.open(self.now, self.connections + 1, host, port);
        assert_eq!(opening, Opening::Accepted);
        self.handshake(host, config)
    }

    /// Opens a connection of which the cloud knows the kind of port alone.
    pub fn accept(&mut self, port: Port, name: &str, device: Option<&Device>) -> Client {
        let config = client_config(self.cloud.trust_anchor(), device);
        self.accept_with(port, name, config)
    }

    pub fn accept_with(&mut self, port: Port, name: &str, config: ClientConfig) -> Client {
        self.cloud.accept(self.now, self.connections + 1, port);
        self.handshake(name, config)
    }

    fn handshake(&mut self, host: &str, config: ClientConfig) -> Client {
        self.connections += 1;
        let number = self.connections;
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut client = Client {
            number,
            tls: ClientConnection::new(Arc::new(config), name).unwrap(),
            then: Then::Continue,
            error: None,
            wire: Vec::new(),
            received: Vec::new(),
        };
        self.pump(&mut client);
        client
    }

    /// Moves bytes to and fro until both sides are quiet.
    pub fn pump(&mut self, client: &mut Client) {
        loop {
            let mut sent = Vec::new();
            while client.tls.wants_write() {
                client.tls.write_tls(&mut sent).unwrap();
            }
            if !sent.is_empty() {
                self.cloud.receive(self.now, client.number, &sent);
            }
            let received = self.cloud.transmit(self.now, client.number);
            client.then = received.then;
            client.wire.extend_from_slice(&received.bytes);
            let mut rest = received.bytes.as_slice();
            while !rest.is_empty() && client.error.is_none() {
                client.tls.read_tls(&mut rest).unwrap();
                client.error = client.tls.process_new_packets().err();
                // Fails where nothing more has come, which is no failure here.
                let _ = client.tls.reader().read_to_end(&mut client.received);
            }
            if sent.is_empty() && received.bytes.is_empty() {
                return;
            }
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.now += time;
        self.cloud.advance(self.now);
    }

    /// Sends plain text and returns what comes back at once.
    pub fn exchange(&mut self, client: &mut Client, request: &[u8]) -> Vec<u8> {
        for piece in request.chunks(16 * 1024) {
            client.tls.writer().write_all(piece).unwrap();
            self.pump(client);
        }
        self.pump(client);
        core::mem::take(&mut client.received)
    }

    /// Sends a request with more header fields, each with its line end, and reads the answer.
    pub fn http_with(
        &mut self,
        client: &mut Client,
        (method, path): (&str, &str),
        fields: &str,
        body: &str,
    ) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {DPS}\r\nContent-Type: application/json\r\n{fields}\
            Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Answer::parse(&self.exchange(client, request.as_bytes()))
    }

    /// Sends a request and reads the answer.
    pub fn http(&mut self, client: &mut Client, method: &str, path: &str, body: &str) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {DPS}:443\r\nContent-Type: application/json; charset=utf-8\r\n\
            content-length: {}\r\n\r\n{body}",
            body.len()
        );
        Answer::parse(&self.exchange(client, request.as_bytes()))
    }

    /// Asks to register `id` with the usual request.
    pub fn register(&mut self, client: &mut Client, id: &str) -> Answer {
        let path = format!("/0ne00000000/registrations/{id}/register?api-version=2021-06-01");
        self.http(
            client,
            "PUT",
            &path,
            &format!("{{\"registrationId\":\"{id}\"}}"),
        )
    }

    /// Asks how an operation goes.
    pub fn poll(&mut self, client: &mut Client, id: &str, operation: &str) -> Answer {
        let path = format!(
            "/0ne00000000/registrations/{id}/operations/{operation}?api-version=2021-06-01"
        );
        self.http(client, "GET", &path, "")
    }

    /// The events since the last call, one JSON line each, without the time.
    pub fn events(&mut self) -> Vec<CloudEvent> {
        let events = self.cloud.drain_events();
        assert!(events.is_sorted_by_key(|(at, _)| *at));
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// The same as text.
    pub fn event_lines(&mut self) -> String {
        let lines: Vec<String> = self
            .events()
            .iter()
            .map(|event| serde_json::to_string(event).unwrap())
            .collect();
        lines.join("\n")
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Reads an answer whose body is chunked in one piece or has a length.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, rest) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head[9..12].parse().unwrap();
        let body = if status == 204 {
            assert_eq!(rest, "");
            rest
        } else if head.contains("Transfer-Encoding: chunked") {
            let (size, rest) = rest.split_once("\r\n").unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            assert_eq!(&rest[size..], "\r\n0\r\n\r\n");
            &rest[..size]
        } else {
            let length = format!("Content-Length: {}", rest.len());
            assert!(head.contains(&length), "{head}");
            rest
        };
        Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn operation_id(&self) -> String {
        self.json()["operationId"].as_str().unwrap().to_owned()
    }

    pub fn error_code(&self) -> u64 {
        self.json()["errorCode"].as_u64().unwrap()
    }
}
