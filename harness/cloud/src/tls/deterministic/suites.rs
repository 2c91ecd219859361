//! The four ECDHE AES-GCM suites of TLS 1.2 (RFC 5289).

use rustls::crypto::tls12::PrfUsingHmac;
use rustls::crypto::{CipherSuiteCommon, KeyExchangeAlgorithm};
use rustls::{CipherSuite, SignatureScheme, SupportedCipherSuite, Tls12CipherSuite};

use super::aead::{AES128_GCM, AES256_GCM};
use super::hash::{HMAC_SHA256, HMAC_SHA384, SHA256, SHA384};

/// Records that one key may protect (RFC 8446 section 5.5, which holds for GCM in TLS 1.2 too).
const GCM_LIMIT: u64 = 1 << 24;

static PRF_SHA256: PrfUsingHmac<'static> = PrfUsingHmac(&HMAC_SHA256);
static PRF_SHA384: PrfUsingHmac<'static> = PrfUsingHmac(&HMAC_SHA384);

static ECDSA: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP256_SHA256,
];

static RSA: &[SignatureScheme] = &[
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
];

/// Every suite, the preferred one first.
pub(super) static ALL: [SupportedCipherSuite; 4] = [
    SupportedCipherSuite::Tls12(&ECDHE_ECDSA_AES256),
    SupportedCipherSuite::Tls12(&ECDHE_ECDSA_AES128),
    SupportedCipherSuite::Tls12(&ECDHE_RSA_AES256),
    SupportedCipherSuite::Tls12(&ECDHE_RSA_AES128),
];

static ECDHE_ECDSA_AES128: Tls12CipherSuite =
    aes128(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ECDSA);
static ECDHE_ECDSA_AES256: Tls12CipherSuite =
    aes256(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, ECDSA);
static ECDHE_RSA_AES128: Tls12CipherSuite =
    aes128(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, RSA);
static ECDHE_RSA_AES256: Tls12CipherSuite =
    aes256(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, RSA);

const fn aes128(suite: CipherSuite, sign: &'static [SignatureScheme]) -> Tls12CipherSuite {
    Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite,
            hash_provider: &SHA256,
            confidentiality_limit: GCM_LIMIT,
        },
        prf_provider: &PRF_SHA256,
        kx: KeyExchangeAlgorithm::ECDHE,
        sign,
        aead_alg: &AES128_GCM,
    }
}

const fn aes256(suite: CipherSuite, sign: &'static [SignatureScheme]) -> Tls12CipherSuite {
    Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite,
            hash_provider: &SHA384,
            confidentiality_limit: GCM_LIMIT,
        },
        prf_provider: &PRF_SHA384,
        kx: KeyExchangeAlgorithm::ECDHE,
        sign,
        aead_alg: &AES256_GCM,
    }
}
