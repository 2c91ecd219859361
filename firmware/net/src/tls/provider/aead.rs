//! AES-GCM records of TLS 1.2 (RFC 5288): 4 bytes of salt from the key block, 8 bytes of
//! explicit nonce in front of each record, 16 bytes of tag behind it.

use alloc::boxed::Box;
use core::marker::PhantomData;

use aes_gcm::aead::array::Array;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::{AeadInOut, Aes128Gcm, Aes256Gcm, KeyInit};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, NONCE_LEN, Nonce, OutboundOpaqueMessage, OutboundPlainMessage,
    PrefixedPayload, Tls12AeadAlgorithm, UnsupportedOperationError, make_tls12_aad,
};
use rustls::{ConnectionTrafficSecrets, Error};

const SALT: usize = 4;
const EXPLICIT: usize = 8;
const TAG: usize = 16;
/// The largest plaintext of a record (RFC 5246 section 6.2.1).
const MAX_FRAGMENT: usize = 1 << 14;

pub(super) static AES_128_GCM: Gcm<Aes128Gcm, 16> = Gcm(PhantomData);
pub(super) static AES_256_GCM: Gcm<Aes256Gcm, 32> = Gcm(PhantomData);

pub(super) struct Gcm<C, const KEY: usize>(PhantomData<fn() -> C>);

trait Cipher: AeadInOut<NonceSize = U12, TagSize = U16> + Send + Sync {}
impl<C: AeadInOut<NonceSize = U12, TagSize = U16> + Send + Sync> Cipher for C {}

impl<C: Cipher + KeyInit + 'static, const KEY: usize> Tls12AeadAlgorithm for Gcm<C, KEY> {
    fn encrypter(&self, key: AeadKey, salt: &[u8], explicit: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(Encrypter {
            cipher: cipher::<C>(&key),
            iv: initial_nonce(salt, explicit),
        })
    }

    fn decrypter(&self, key: AeadKey, salt: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Decrypter {
            cipher: cipher::<C>(&key),
            iv: initial_nonce(salt, &[0; EXPLICIT]),
        })
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: KEY,
            fixed_iv_len: SALT,
            explicit_nonce_len: EXPLICIT,
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

/// rustls hands in keys of the length that [`KeyBlockShape`] asks for. Any other length becomes
/// an error at the first record.
fn cipher<C: KeyInit>(key: &AeadKey) -> Option<C> {
    C::new_from_slice(key.as_ref()).ok()
}

fn initial_nonce(salt: &[u8], explicit: &[u8]) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    for (slot, byte) in nonce.iter_mut().zip(salt.iter().chain(explicit)) {
        *slot = *byte;
    }
    nonce
}

struct Encrypter<C> {
    cipher: Option<C>,
    /// The nonce of record 0: later ones differ by the sequence number, so none comes twice.
    iv: [u8; NONCE_LEN],
}

impl<C: Cipher> MessageEncrypter for Encrypter<C> {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let length = message.payload.len();
        let nonce = Nonce::new(&Iv::new(self.iv), sequence).0;
        let aad = make_tls12_aad(sequence, message.typ, message.version, length);
        let mut payload = PrefixedPayload::with_capacity(self.encrypted_payload_len(length));
        payload.extend_from_slice(&nonce[SALT..]);
        payload.extend_from_chunks(&message.payload);
        let text = &mut payload.as_mut()[EXPLICIT..];
        let cipher = self.cipher.as_ref().ok_or(Error::EncryptError)?;
        let tag = cipher
            .encrypt_inout_detached(&Array(nonce), &aad, text.into())
            .map_err(|_| Error::EncryptError)?;
        payload.extend_from_slice(&tag);
        Ok(OutboundOpaqueMessage::new(
            message.typ,
            message.version,
            payload,
        ))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        EXPLICIT + payload_len + TAG
    }
}

struct Decrypter<C> {
    cipher: Option<C>,
    iv: [u8; NONCE_LEN],
}

impl<C: Cipher> MessageDecrypter for Decrypter<C> {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let length = message
            .payload
            .len()
            .checked_sub(EXPLICIT + TAG)
            .ok_or(Error::DecryptError)?;
        if length > MAX_FRAGMENT {
            return Err(Error::PeerSentOversizedRecord);
        }
        let aad = make_tls12_aad(sequence, message.typ, message.version, length);
        let (explicit, rest) = message.payload.split_at_mut(EXPLICIT);
        let (text, tag) = rest.split_at_mut(length);
        let tag: [u8; TAG] = (&*tag).try_into().map_err(|_| Error::DecryptError)?;
        let nonce = initial_nonce(&self.iv[..SALT], explicit);
        let cipher = self.cipher.as_ref().ok_or(Error::DecryptError)?;
        cipher
            .decrypt_inout_detached(&Array(nonce), &aad, text.into(), &Array(tag))
            .map_err(|_| Error::DecryptError)?;
        Ok(message.into_plain_message_range(EXPLICIT..EXPLICIT + length))
    }
}
