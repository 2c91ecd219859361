//! Ephemeral Diffie-Hellman on P-256 (RFC 8422).

use alloc::boxed::Box;

use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey, ecdh};
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};
use zeroize::Zeroizing;

use crate::environment::Random;

/// A random number is no valid key once in 2^32 draws; more often is a broken generator.
const DRAWS: usize = 8;

#[derive(Debug)]
pub(super) struct P256 {
    pub(super) random: &'static dyn Random,
}

impl SupportedKxGroup for P256 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut scalar = Zeroizing::new([0; 32]);
        for _ in 0..DRAWS {
            self.random
                .fill(scalar.as_mut())
                .map_err(|_| Error::FailedToGetRandomBytes)?;
            if let Ok(secret) = SecretKey::from_slice(scalar.as_ref()) {
                let public = secret.public_key().to_sec1_point(false).as_bytes().into();
                return Ok(Box::new(Exchange { secret, public }));
            }
        }
        Err(Error::FailedToGetRandomBytes)
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp256r1
    }
}

struct Exchange {
    secret: SecretKey,
    /// Uncompressed point, as TLS sends it.
    public: Box<[u8]>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer = PublicKey::from_sec1_bytes(peer)
            .map_err(|_| Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare))?;
        let shared = ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), peer.as_affine());
        Ok(SharedSecret::from(shared.raw_secret_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp256r1
    }
}
