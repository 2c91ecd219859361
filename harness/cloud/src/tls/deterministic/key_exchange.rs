//! ECDHE over P-256 and P-384 (RFC 8422) with seeded ephemeral keys.

use core::fmt;
use core::marker::PhantomData;

use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey};
use rustls::crypto::{ActiveKeyExchange, SecureRandom as _, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

use super::random::Installed;

/// Every group, the preferred one first.
pub(super) static ALL: [&'static dyn SupportedKxGroup; 2] = [&P256, &P384];

static P256: Group<p256::NistP256> = Group(NamedGroup::secp256r1, PhantomData);
static P384: Group<p384::NistP384> = Group(NamedGroup::secp384r1, PhantomData);

struct Group<C>(NamedGroup, PhantomData<fn() -> C>);

impl<C> fmt::Debug for Group<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> SupportedKxGroup for Group<C>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = loop {
            let mut candidate = p256::elliptic_curve::FieldBytes::<C>::default();
            Installed.fill(&mut candidate)?;
            // A candidate is refused only when it is zero or not below the group's order.
            if let Ok(secret) = SecretKey::<C>::from_bytes(&candidate) {
                break secret;
            }
        };
        let public = secret.public_key().to_sec1_point(false).as_bytes().to_vec();
        Ok(Box::new(Exchange {
            group: self.0,
            secret,
            public,
        }))
    }

    fn name(&self) -> NamedGroup {
        self.0
    }
}

struct Exchange<C: CurveArithmetic> {
    group: NamedGroup,
    secret: SecretKey<C>,
    public: Vec<u8>,
}

impl<C> ActiveKeyExchange for Exchange<C>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        const UNCOMPRESSED: u8 = 4;
        let refused = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);
        if peer.first() != Some(&UNCOMPRESSED) {
            return Err(refused);
        }
        let peer = PublicKey::<C>::from_sec1_bytes(peer).map_err(|_| refused)?;
        let shared = p256::elliptic_curve::ecdh::diffie_hellman(
            self.secret.to_nonzero_scalar(),
            peer.as_affine(),
        );
        Ok(SharedSecret::from(shared.raw_secret_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        self.group
    }
}
