//! AES-GCM record protection of TLS 1.2 (RFC 5288).

use core::marker::PhantomData;

use aes_gcm::aead::{AeadInOut, KeySizeUser, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, Nonce, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload,
    Tls12AeadAlgorithm, UnsupportedOperationError, make_tls12_aad,
};
use rustls::{ConnectionTrafficSecrets, Error};

/// AES-128-GCM.
pub(super) static AES128_GCM: Gcm<Aes128Gcm> = Gcm(PhantomData);
/// AES-256-GCM.
pub(super) static AES256_GCM: Gcm<Aes256Gcm> = Gcm(PhantomData);

const SALT: usize = 4;
const EXPLICIT_NONCE: usize = 8;
const TAG: usize = 16;
/// The largest plain text of a record (RFC 5246 section 6.2.1).
const MAX_FRAGMENT: usize = 16384;

/// One AES-GCM variant as rustls wants it.
pub(super) struct Gcm<A>(PhantomData<fn() -> A>);

/// What both variants have in common.
pub(super) trait Cipher: AeadInOut + KeyInit + KeySizeUser + Send + Sync + 'static {}
impl Cipher for Aes128Gcm {}
impl Cipher for Aes256Gcm {}

impl<A: Cipher> Gcm<A> {
    fn cipher(key: &AeadKey) -> A {
        // rustls cuts keys to the length that `key_block_shape` names.
        #[allow(clippy::expect_used)]
        A::new_from_slice(key.as_ref()).expect("the key has the cipher's length")
    }
}

impl<A: Cipher> Tls12AeadAlgorithm for Gcm<A> {
    fn encrypter(&self, key: AeadKey, salt: &[u8], explicit: &[u8]) -> Box<dyn MessageEncrypter> {
        let mut iv = [0; SALT + EXPLICIT_NONCE];
        iv[..SALT].copy_from_slice(salt);
        iv[SALT..].copy_from_slice(explicit);
        Box::new(Encrypter {
            cipher: Self::cipher(&key),
            iv: Iv::new(iv),
        })
    }

    fn decrypter(&self, key: AeadKey, salt: &[u8]) -> Box<dyn MessageDecrypter> {
        let mut own = [0; SALT];
        own.copy_from_slice(salt);
        Box::new(Decrypter {
            cipher: Self::cipher(&key),
            salt: own,
        })
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: A::key_size(),
            fixed_iv_len: SALT,
            explicit_nonce_len: EXPLICIT_NONCE,
        }
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

struct Encrypter<A> {
    cipher: A,
    iv: Iv,
}

impl<A: Cipher> MessageEncrypter for Encrypter<A> {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let length = message.payload.len();
        let nonce = Nonce::new(&self.iv, sequence).0;
        let aad = make_tls12_aad(sequence, message.typ, message.version, length);
        let mut payload = PrefixedPayload::with_capacity(self.encrypted_payload_len(length));
        payload.extend_from_slice(&nonce[SALT..]);
        payload.extend_from_chunks(&message.payload);
        let nonce = nonce
            .as_slice()
            .try_into()
            .map_err(|_| Error::EncryptError)?;
        let tag = self
            .cipher
            .encrypt_inout_detached(
                nonce,
                &aad,
                (&mut payload.as_mut()[EXPLICIT_NONCE..]).into(),
            )
            .map_err(|_| Error::EncryptError)?;
        payload.extend_from_slice(&tag);
        Ok(OutboundOpaqueMessage::new(
            message.typ,
            message.version,
            payload,
        ))
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        EXPLICIT_NONCE + length + TAG
    }
}

struct Decrypter<A> {
    cipher: A,
    salt: [u8; SALT],
}

impl<A: Cipher> MessageDecrypter for Decrypter<A> {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let payload = &mut message.payload;
        let length = payload
            .len()
            .checked_sub(EXPLICIT_NONCE + TAG)
            .ok_or(Error::DecryptError)?;
        if length > MAX_FRAGMENT {
            return Err(Error::PeerSentOversizedRecord);
        }
        let mut nonce = [0; SALT + EXPLICIT_NONCE];
        nonce[..SALT].copy_from_slice(&self.salt);
        nonce[SALT..].copy_from_slice(&payload[..EXPLICIT_NONCE]);
        let aad = make_tls12_aad(sequence, message.typ, message.version, length);
        let (body, tag) = payload[EXPLICIT_NONCE..].split_at_mut(length);
        let tag = Tag::<A>::try_from(&*tag).map_err(|_| Error::DecryptError)?;
        let nonce = nonce
            .as_slice()
            .try_into()
            .map_err(|_| Error::DecryptError)?;
        self.cipher
            .decrypt_inout_detached(nonce, &aad, body.into(), &tag)
            .map_err(|_| Error::DecryptError)?;
        Ok(message.into_plain_message_range(EXPLICIT_NONCE..EXPLICIT_NONCE + length))
    }
}
