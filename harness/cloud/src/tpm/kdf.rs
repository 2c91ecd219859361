//! The TPM's key derivation, integrity code and cipher mode, all with SHA-256 and AES-128.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// HMAC-SHA256 over `parts`, one after another.
#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
pub(super) fn code(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    for part in parts {
        code.update(part);
    }
    code.finalize().into_bytes().into()
}

/// `KDFa` for up to 256 bits (Part 1, section 11.4.10.2); `context` is both of its contexts.
pub(super) fn derive(key: &[u8], label: &str, context: &[u8], bits: u32) -> Zeroizing<Vec<u8>> {
    let parts: [&[u8]; 5] = [
        &1u32.to_be_bytes(),
        label.as_bytes(),
        &[0],
        context,
        &bits.to_be_bytes(),
    ];
    let mut derived = Zeroizing::new(code(key, &parts).to_vec());
    derived.truncate(usize::try_from(bits / 8).unwrap_or(usize::MAX));
    derived
}

/// AES-128 in cipher feedback mode with an initialisation vector of zeros (NIST SP 800-38A).
pub(super) fn encrypt(key: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    let cipher = Aes128::new(key.into());
    let mut feedback = [0; 16];
    let mut encrypted = Vec::with_capacity(plain.len());
    for piece in plain.chunks(16) {
        let mut block = feedback.into();
        cipher.encrypt_block(&mut block);
        for (stream, byte) in block.iter_mut().zip(piece) {
            *stream ^= byte;
        }
        feedback = block.into();
        encrypted.extend_from_slice(&feedback[..piece.len()]);
    }
    encrypted
}
