//! Test certificates: made at run time from keys that exist for these tests only.

use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SignatureAlgorithm, date_time_ymd,
};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PKCS_RSA_SHA384};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// 2026-01-02T00:00:00Z: the time of the tests.
pub const NOW: u64 = 1_767_312_000;

/// A private key and the algorithm that it signs certificates with.
#[derive(Clone, Copy)]
pub struct Key {
    pub pkcs8: &'static [u8],
    algorithm: &'static SignatureAlgorithm,
}

macro_rules! key {
    ($name:ident, $file:literal, $algorithm:ident) => {
        pub const $name: Key = Key {
            pkcs8: include_bytes!(concat!("../keys/", $file, ".pk8")),
            algorithm: &$algorithm,
        };
    };
}
key!(CLIENT, "client", PKCS_ECDSA_P256_SHA256);
key!(P256_ROOT, "p256-root", PKCS_ECDSA_P256_SHA256);
key!(P256_LEAF, "p256-leaf", PKCS_ECDSA_P256_SHA256);
key!(P256_OTHER, "p256-other", PKCS_ECDSA_P256_SHA256);
key!(P384, "p384", PKCS_ECDSA_P384_SHA384);
key!(RSA_2048, "rsa-2048", PKCS_RSA_SHA256);
key!(RSA_4096, "rsa-4096", PKCS_RSA_SHA384);

impl Key {
    fn pair(self) -> KeyPair {
        KeyPair::from_pkcs8_der_and_sign_algo(&self.pkcs8.into(), self.algorithm).unwrap()
    }

    pub fn der(self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.pkcs8.to_vec()).into()
    }
}

/// The client's private scalar: it lies at a fixed place of the PKCS#8 form of a P-256 key.
pub fn client_scalar() -> [u8; 32] {
    CLIENT.pkcs8[36..68].try_into().unwrap()
}

pub fn client_certificate() -> CertificateDer<'static> {
    static CERTIFICATE: LazyLock<CertificateDer<'static>> = LazyLock::new(|| {
        let mut params = named("az-c89346854138v1v0v0");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params
            .signed_by(&CLIENT.pair(), &ca("devkitdice", P256_OTHER))
            .unwrap()
            .der()
            .clone()
    });
    CERTIFICATE.clone()
}

/// The authority above the client's certificate.
pub fn client_ca() -> CertificateDer<'static> {
    ca_params("devkitdice")
        .self_signed(&P256_OTHER.pair())
        .unwrap()
        .der()
        .clone()
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = Default::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(vec![1].into());
    params
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn ca(name: &str, key: Key) -> Issuer<'static, KeyPair> {
    Issuer::new(ca_params(name), key.pair())
}

pub fn root(key: Key) -> CertificateDer<'static> {
    ca_params("Test Root")
        .self_signed(&key.pair())
        .unwrap()
        .der()
        .clone()
}

/// When the server's certificate is valid.
#[derive(Clone, Copy)]
pub enum Validity {
    Now,
    Past,
    Future,
}

/// A server's certificate chain without its root, and its key.
#[derive(Clone)]
pub struct Chain {
    pub certificates: Vec<CertificateDer<'static>>,
    pub key: Key,
}

/// The keys from the root down; the last one is the server's.
pub fn chain(keys: &[Key], host: &str, validity: Validity) -> Chain {
    let mut issuer = ca("Test Root", keys[0]);
    let mut certificates = Vec::new();
    for (index, key) in keys[1..keys.len() - 1].iter().enumerate() {
        let params = ca_params(&format!("Test Intermediate {index}"));
        let certificate = params.signed_by(&key.pair(), &issuer).unwrap();
        certificates.insert(0, certificate.der().clone());
        issuer = Issuer::new(params, key.pair());
    }
    let key = keys[keys.len() - 1];
    let mut params = named(host);
    params.subject_alt_names = CertificateParams::new([host.to_owned()])
        .unwrap()
        .subject_alt_names;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = match validity {
        Validity::Now => (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 2, 1)),
        Validity::Past => (date_time_ymd(2025, 1, 1), date_time_ymd(2026, 1, 1)),
        Validity::Future => (date_time_ymd(2026, 1, 3), date_time_ymd(2027, 1, 1)),
    };
    let leaf = params.signed_by(&key.pair(), &issuer).unwrap();
    certificates.insert(0, leaf.der().clone());
    Chain { certificates, key }
}
