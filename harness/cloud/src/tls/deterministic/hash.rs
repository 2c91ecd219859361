//! SHA-256 and SHA-384, plain and as HMAC.

use core::marker::PhantomData;

use hmac::{Hmac as HmacOf, KeyInit, Mac};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::crypto::hmac::{Hmac, Key, Tag};
use sha2::{Digest, Sha256, Sha384};

/// SHA-256 (FIPS 180-4).
pub(super) static SHA256: Algorithm<Sha256> = Algorithm(HashAlgorithm::SHA256, PhantomData);
/// SHA-384 (FIPS 180-4).
pub(super) static SHA384: Algorithm<Sha384> = Algorithm(HashAlgorithm::SHA384, PhantomData);
/// HMAC with SHA-256 (RFC 2104).
pub(super) static HMAC_SHA256: HmacSha256 = HmacSha256;
/// HMAC with SHA-384 (RFC 2104).
pub(super) static HMAC_SHA384: HmacSha384 = HmacSha384;

/// A hash function as rustls wants it.
pub(super) struct Algorithm<D>(HashAlgorithm, PhantomData<fn() -> D>);

struct Running<D>(D);

impl<D: Digest + Clone + Send + Sync + 'static> Hash for Algorithm<D> {
    fn start(&self) -> Box<dyn Context> {
        Box::new(Running(D::new()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        Output::new(&D::digest(data))
    }

    fn output_len(&self) -> usize {
        <D as Digest>::output_size()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.0
    }
}

impl<D: Digest + Clone + Send + Sync + 'static> Context for Running<D> {
    fn fork_finish(&self) -> Output {
        Output::new(&self.0.clone().finalize())
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Running(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Output {
        Output::new(&self.0.finalize())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}

/// Defines HMAC over one hash function as rustls wants it.
macro_rules! hmac {
    ($algorithm:ident, $key:ident, $hash:ty) => {
        /// HMAC over one hash function.
        pub(super) struct $algorithm;

        struct $key(HmacOf<$hash>);

        impl Hmac for $algorithm {
            fn with_key(&self, key: &[u8]) -> Box<dyn Key> {
                // HMAC takes keys of every length: long ones are hashed, short ones padded.
                #[allow(clippy::expect_used)]
                let mac = HmacOf::new_from_slice(key).expect("HMAC takes any key length");
                Box::new($key(mac))
            }

            fn hash_output_len(&self) -> usize {
                <$hash as Digest>::output_size()
            }
        }

        impl Key for $key {
            fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> Tag {
                let mut mac = self.0.clone();
                mac.update(first);
                for part in middle {
                    mac.update(part);
                }
                mac.update(last);
                Tag::new(&mac.finalize().into_bytes())
            }

            fn tag_len(&self) -> usize {
                <$hash as Digest>::output_size()
            }
        }
    };
}

hmac!(HmacSha256, KeySha256, Sha256);
hmac!(HmacSha384, KeySha384, Sha384);
