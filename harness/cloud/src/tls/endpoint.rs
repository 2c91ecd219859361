//! What all connections of one cloud share: provider, server certificates, clock, key log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, SupportedProtocolVersion};

use super::client_certificate::AnyLeaf;
use super::key_log::Lines;
use crate::pki::{CertificateFault, ServerIdentity};

/// Where TLS takes its randomness from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Randomness {
    /// The provider has a source of its own.
    Provider,
    /// A generator of the connection, seeded by the configuration.
    #[cfg(feature = "deterministic")]
    Seeded,
}

impl Randomness {
    /// Runs `work`, which calls into rustls, with this source.
    pub(super) fn during<T>(self, generator: &mut ChaCha20Rng, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Provider => {
                let _ = generator;
                work()
            }
            #[cfg(feature = "deterministic")]
            Self::Seeded => super::deterministic::random::with(generator, work),
        }
    }
}

/// Which versions of TLS the server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersions {
    /// TLS 1.2 alone, as the provisioning service.
    #[default]
    Tls12,
    /// TLS 1.3 too: a deviation, for clients that know nothing else.
    Tls12And13,
}

/// The server's TLS settings.
pub(crate) struct Endpoint {
    good: Arc<ServerConfig>,
    faulty: BTreeMap<CertificateFault, Arc<ServerConfig>>,
    trust_anchor: Vec<u8>,
    clock: Arc<Clock>,
    key_log: Arc<Lines>,
    randomness: Randomness,
}

impl Endpoint {
    /// The server as `identity`, or as one of `alternatives` to clients whose signature algorithms
    /// do not fit it. The key log keeps its latest `key_log_lines`.
    ///
    /// # Errors
    /// rustls refuses a key, or the provider lacks a suite of a version.
    pub(crate) fn new(
        provider: &Arc<CryptoProvider>,
        versions: TlsVersions,
        identity: &ServerIdentity,
        alternatives: &[ServerIdentity],
        randomness: Randomness,
        key_log_lines: usize,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(with_documented_suites(provider));
        let clock = Arc::new(Clock::default());
        let key_log = Arc::new(Lines::new(key_log_lines));
        let config = |keys| {
            server_config(&provider, versions, keys, clock.clone(), key_log.clone()).map(Arc::new)
        };
        let mut good = Vec::new();
        let mut faulty: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for identity in core::iter::once(identity).chain(alternatives) {
            let (key, spoilt) = identity.certified_keys(&provider)?;
            good.push(Arc::new(key));
            for (fault, key) in spoilt {
                faulty.entry(fault).or_default().push(Arc::new(key));
            }
        }
        Ok(Self {
            good: config(good)?,
            faulty: faulty
                .into_iter()
                .map(|(fault, keys)| Ok((fault, config(keys)?)))
                .collect::<Result<_, rustls::Error>>()?,
            trust_anchor: identity.trust_anchor().to_vec(),
            clock,
            key_log,
            randomness,
        })
    }

    /// The root that clients must trust, in DER.
    pub(crate) fn trust_anchor(&self) -> &[u8] {
        &self.trust_anchor
    }

    /// The settings for one connection; `None` when the identity has no certificate with `fault`.
    pub(super) fn server_config(
        &self,
        fault: Option<CertificateFault>,
    ) -> Option<Arc<ServerConfig>> {
        match fault {
            None => Some(self.good.clone()),
            Some(fault) => self.faulty.get(&fault).cloned(),
        }
    }

    pub(super) fn randomness(&self) -> Randomness {
        self.randomness
    }

    /// Tells rustls the time.
    pub(crate) fn set_time(&self, since_1970: Duration) {
        self.clock.0.store(since_1970.as_secs(), Ordering::Relaxed);
    }

    /// Lines of the NSS key log since the last call.
    pub(crate) fn take_key_log(&self) -> Vec<String> {
        self.key_log.take()
    }
}

/// The time in seconds since 1970 that the caller set last.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.load(Ordering::Relaxed);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// The provider with the suites that the services document and this server has: ECDHE with AES-GCM
/// on TLS 1.2 (DPS documentation, "TLS support"); the CBC ones are not implemented by rustls. Suites
/// of TLS 1.3 stay.
fn with_documented_suites(provider: &CryptoProvider) -> CryptoProvider {
    let mut provider = provider.clone();
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some() || DOCUMENTED_SUITES.contains(&suite.suite()));
    provider
}

const DOCUMENTED_SUITES: [CipherSuite; 4] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

const ONE: &[&SupportedProtocolVersion] = &[&TLS12];
const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

fn server_config(
    provider: &Arc<CryptoProvider>,
    versions: TlsVersions,
    keys: Vec<Arc<CertifiedKey>>,
    clock: Arc<Clock>,
    key_log: Arc<Lines>,
) -> Result<ServerConfig, rustls::Error> {
    let verifier = AnyLeaf {
        algorithms: provider.signature_verification_algorithms,
    };
    let spoken = match versions {
        TlsVersions::Tls12 => ONE,
        TlsVersions::Tls12And13 => BOTH,
    };
    let mut config = ServerConfig::builder_with_details(provider.clone(), clock)
        .with_protocol_versions(spoken)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(FirstThatFits(keys)));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.key_log = key_log;
    Ok(config)
}

/// Shows the first certificate whose key signs with an algorithm of the client, whatever name the
/// client asks for; the first one of all when none does, so that rustls words the alert.
#[derive(Debug)]
struct FirstThatFits(Vec<Arc<CertifiedKey>>);

impl rustls::server::ResolvesServerCert for FirstThatFits {
    fn resolve(&self, hello: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits =
            |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        self.0.iter().find(fits).or(self.0.first()).cloned()
    }
}
