//! HMAC (RFC 2104) for the pseudo-random function of TLS 1.2.

use alloc::boxed::Box;
use core::marker::PhantomData;

use hmac::{Hmac, KeyInit, Mac};
use rustls::crypto::hmac::{self as tls, Key, Tag};
use sha2::{Sha256, Sha384};

pub(super) static SHA256: HmacOf<Hmac<Sha256>> = HmacOf(PhantomData);
pub(super) static SHA384: HmacOf<Hmac<Sha384>> = HmacOf(PhantomData);

pub(super) struct HmacOf<M>(PhantomData<fn() -> M>);

impl<M: Mac + KeyInit + Clone + Send + Sync + 'static> tls::Hmac for HmacOf<M> {
    #[allow(
        clippy::expect_used,
        reason = "RFC 2104: HMAC takes keys of any length"
    )]
    fn with_key(&self, key: &[u8]) -> Box<dyn Key> {
        Box::new(Keyed(
            <M as KeyInit>::new_from_slice(key).expect("any key length"),
        ))
    }

    fn hash_output_len(&self) -> usize {
        M::output_size()
    }
}

struct Keyed<M>(M);

impl<M: Mac + Clone + Send + Sync> Key for Keyed<M> {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> Tag {
        let mut mac = self.0.clone();
        mac.update(first);
        middle.iter().for_each(|part| mac.update(part));
        mac.update(last);
        Tag::new(&mac.finalize().into_bytes())
    }

    fn tag_len(&self) -> usize {
        M::output_size()
    }
}
