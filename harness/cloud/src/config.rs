//! What a cloud is made from.

use core::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};

use crate::behaviour::Behaviour;
use crate::pki::ServerIdentity;
use crate::provisioning::Quotas;
use crate::sas::AccessPolicy;
use crate::tls::{Endpoint, Randomness, TlsVersions};

/// Which kind of time, keys and randomness a cloud has.
pub trait TimeBase: sealed::Sealed + 'static {}

/// An emulated device's time; seeded TLS keys and published certificates.
///
/// What serves real clients asks for a [`Wall`] in its signature, so that this is no way out:
///
/// ```compile_fail,E0308
/// use az3166_cloud::{Cloud, Virtual, Wall};
///
/// fn listen(cloud: Cloud<Wall>) {}
/// fn mistake(cloud: Cloud<Virtual>) {
///     listen(cloud);
/// }
/// ```
#[derive(Debug)]
pub enum Virtual {}

/// A real clock; the TLS provider's own randomness and the caller's certificates.
#[derive(Debug)]
pub enum Wall {}

impl TimeBase for Virtual {}
impl TimeBase for Wall {}

pub(crate) mod sealed {
    use crate::retention::Retention;

    pub trait Sealed {
        #[expect(private_interfaces, reason = "nothing outside can be a time base")]
        const RETENTION: Retention;
    }

    impl Sealed for super::Virtual {
        #[expect(private_interfaces, reason = "as above")]
        const RETENTION: Retention = Retention::EVERYTHING;
    }

    impl Sealed for super::Wall {
        #[expect(private_interfaces, reason = "as above")]
        const RETENTION: Retention = Retention::SERVICE;
    }
}

/// What a [`Cloud`](crate::Cloud) is made from.
#[derive(Clone, Debug)]
pub struct CloudConfig<B: TimeBase = Virtual> {
    /// The service's ID scope.
    pub id_scope: String,
    /// The host name of the provisioning service.
    pub provisioning_host: String,
    /// The host names of the hubs.
    pub hubs: Vec<String>,
    /// Who may use the provisioning service's own API; nobody without one.
    pub service_policy: Option<AccessPolicy>,
    /// How many requests the provisioning service takes; any number without limits.
    pub quotas: Quotas,
    /// Whose tokens open the registry of every hub: `iothubowner`. Without it the registry is
    /// closed.
    pub hub_policy: Option<AccessPolicy>,
    /// How the services behave where there is a choice.
    pub behaviour: Behaviour,
    pub(crate) seed: [u8; 32],
    pub(crate) epoch: Duration,
    tls: Tls,
    base: PhantomData<B>,
}

#[derive(Clone)]
struct Tls {
    provider: Arc<CryptoProvider>,
    versions: TlsVersions,
    identity: ServerIdentity,
    alternatives: Vec<ServerIdentity>,
    randomness: Randomness,
}

impl core::fmt::Debug for Tls {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.identity.fmt(f)
    }
}

/// Why no cloud could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// The server's key or TLS provider is not usable: {reason}.
    #[error("the server's key or TLS provider is not usable: {reason}")]
    Tls {
        /// The TLS library's words.
        reason: String,
    },
}

#[cfg(feature = "deterministic")]
impl CloudConfig<Virtual> {
    /// A cloud for an emulated device: every byte that it sends follows from `seed`, from the
    /// calls made to it and from their times. It shows the test chain `chain`.
    pub fn virtual_time(seed: [u8; 32], chain: crate::pki::ServerChain) -> Self {
        Self::with(
            seed,
            crate::clock::VIRTUAL_EPOCH,
            Tls {
                provider: crate::tls::deterministic_provider(),
                versions: TlsVersions::Tls12,
                identity: chain.identity(),
                alternatives: Vec::new(),
                randomness: Randomness::Seeded,
            },
        )
    }
}

/// What a cloud on a real clock needs.
#[derive(Clone, Debug)]
pub struct WallClock {
    /// The TLS provider, with a source of randomness of its own.
    pub provider: Arc<CryptoProvider>,
    /// Which versions of TLS the server speaks.
    pub versions: TlsVersions,
    /// The server's certificates and key.
    pub identity: ServerIdentity,
    /// More of them, with keys of other kinds, for clients that cannot verify the first one's
    /// signatures.
    pub alternatives: Vec<ServerIdentity>,
    /// Seed for operation ids, etags and tracking ids, from the system's source of randomness.
    pub seed: [u8; 32],
    /// Time since 1970 at [`VirtualTime::ZERO`](az3166_event::VirtualTime::ZERO).
    pub since_1970: Duration,
}

impl CloudConfig<Wall> {
    /// A cloud for real sockets or a board.
    pub fn wall_clock(parts: WallClock) -> Self {
        Self::with(
            parts.seed,
            parts.since_1970,
            Tls {
                provider: parts.provider,
                versions: parts.versions,
                identity: parts.identity,
                alternatives: parts.alternatives,
                randomness: Randomness::Provider,
            },
        )
    }
}

impl<B: TimeBase> CloudConfig<B> {
    fn with(seed: [u8; 32], epoch: Duration, tls: Tls) -> Self {
        Self {
            id_scope: "0ne00000000".into(),
            provisioning_host: "global.azure-devices-provisioning.net".into(),
            hubs: vec!["hil-hub.azure-devices.net".into()],
            service_policy: None,
            quotas: Quotas::default(),
            hub_policy: None,
            behaviour: Behaviour::default(),
            seed,
            epoch,
            tls,
            base: PhantomData,
        }
    }

    /// What verifies signatures of certificates above TLS.
    pub(crate) fn verifier(&self) -> WebPkiSupportedAlgorithms {
        self.tls.provider.signature_verification_algorithms
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint, CloudError> {
        Endpoint::new(
            &self.tls.provider,
            self.tls.versions,
            &self.tls.identity,
            &self.tls.alternatives,
            self.tls.randomness,
            B::RETENTION.key_log,
        )
        .map_err(|error| CloudError::Tls {
            reason: error.to_string(),
        })
    }
}
