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
use rustls::version::TLS12;

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
    /// TLS 1.2 with `provider`, as `identity`.
    ///
    /// # Errors
    /// rustls refuses a key, or the provider has no TLS 1.2 suite.
    pub(crate) fn new(
        provider: &Arc<CryptoProvider>,
        identity: &ServerIdentity,
        randomness: Randomness,
    ) -> Result<Self, rustls::Error> {
        let clock = Arc::new(Clock::default());
        let key_log = Arc::new(Lines::default());
        let config = |key: CertifiedKey| {
            server_config(provider, key, clock.clone(), key_log.clone()).map(Arc::new)
        };
        let (good, faulty) = identity.certified_keys(provider)?;
        Ok(Self {
            good: config(good)?,
            faulty: faulty
                .into_iter()
                .map(|(fault, key)| Ok((fault, config(key)?)))
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

fn server_config(
    provider: &Arc<CryptoProvider>,
    key: CertifiedKey,
    clock: Arc<Clock>,
    key_log: Arc<Lines>,
) -> Result<ServerConfig, rustls::Error> {
    let verifier = AnyLeaf {
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ServerConfig::builder_with_details(provider.clone(), clock)
        .with_protocol_versions(&[&TLS12])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(Always(Arc::new(key))));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.key_log = key_log;
    Ok(config)
}

/// Shows one certificate, whatever name the client asks for.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl rustls::server::ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
