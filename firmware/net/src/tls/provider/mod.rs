//! The cryptography of the TLS client: what DPS and IoT Hub offer, and no more.

mod aead;
mod digest;
mod kx;
mod mac;
mod signing;
mod verify;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;

use rustls::crypto::tls12::PrfUsingHmac;
use rustls::crypto::{
    CipherSuiteCommon, CryptoProvider, GetRandomFailed, KeyExchangeAlgorithm, KeyProvider,
    SecureRandom,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{CipherSuite, SignatureScheme, SupportedCipherSuite, Tls12CipherSuite};

pub(crate) use signing::AliasKey;

use crate::environment::Random;

/// The cryptographic provider, bound to one random source.
///
/// Made once after start: it leaks a few bytes, because rustls holds its random source and key
/// exchange groups for ever.
#[derive(Clone, Debug)]
pub struct Crypto {
    provider: Arc<CryptoProvider>,
    random: &'static dyn Random,
}

impl Crypto {
    /// Binds the cryptography to the device's random number generator.
    pub fn new(random: &'static dyn Random) -> Self {
        let provider = CryptoProvider {
            cipher_suites: vec![
                ECDHE_ECDSA_AES_128_GCM,
                ECDHE_RSA_AES_128_GCM,
                ECDHE_ECDSA_AES_256_GCM,
                ECDHE_RSA_AES_256_GCM,
            ],
            kx_groups: vec![Box::leak(Box::new(kx::P256 { random }))],
            signature_verification_algorithms: verify::SUPPORTED,
            secure_random: Box::leak(Box::new(RandomSource(random))),
            key_provider: &NoKeyFiles,
        };
        Self {
            provider: Arc::new(provider),
            random,
        }
    }

    pub(crate) fn provider(&self) -> Arc<CryptoProvider> {
        self.provider.clone()
    }

    pub(crate) fn random(&self) -> &'static dyn Random {
        self.random
    }
}

#[derive(Debug)]
struct RandomSource(&'static dyn Random);

impl SecureRandom for RandomSource {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        self.0.fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// The one private key of the device is derived, never loaded from a file.
#[derive(Debug)]
struct NoKeyFiles;

impl KeyProvider for NoKeyFiles {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General(
            "private key files are not supported".into(),
        ))
    }
}

const ECDSA: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
];

const RSA: &[SignatureScheme] = &[
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
];

/// AES-GCM keys wear out: RFC 8446 section 5.5 allows 2^24.5 full records.
const GCM_RECORDS: u64 = 1 << 24;

macro_rules! suite {
    ($name:ident, $suite:ident, $sign:ident, $hash:ident, $aead:ident) => {
        const $name: SupportedCipherSuite = SupportedCipherSuite::Tls12(&Tls12CipherSuite {
            common: CipherSuiteCommon {
                suite: CipherSuite::$suite,
                hash_provider: &digest::$hash,
                confidentiality_limit: GCM_RECORDS,
            },
            kx: KeyExchangeAlgorithm::ECDHE,
            sign: $sign,
            aead_alg: &aead::$aead,
            prf_provider: &PrfUsingHmac(&mac::$hash),
        });
    };
}

suite!(
    ECDHE_ECDSA_AES_128_GCM,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ECDSA,
    SHA256,
    AES_128_GCM
);
suite!(
    ECDHE_ECDSA_AES_256_GCM,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ECDSA,
    SHA384,
    AES_256_GCM
);
suite!(
    ECDHE_RSA_AES_128_GCM,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    RSA,
    SHA256,
    AES_128_GCM
);
suite!(
    ECDHE_RSA_AES_256_GCM,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    RSA,
    SHA384,
    AES_256_GCM
);
