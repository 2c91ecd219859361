//! A symmetric key in a form that one TPM alone can take in.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng as _};
use rsa::Oaep;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::kdf::{code, derive, encrypt};
use super::public::{self, PublicArea, sized};
use crate::sas::SymmetricKey;

/// `TPM_ALG_HMAC`.
const HMAC: u16 = 0x0005;
/// `TPM_ALG_KEYEDHASH`.
const KEYED_HASH: u16 = 0x0008;
/// `userWithAuth`, `noDA` and `sign` (TPM 2.0 Library, Part 2, section 8.3); not bound to a parent, so
/// that it can be imported.
const ATTRIBUTES: u32 = 1 << 6 | 1 << 10 | 1 << 18;

/// Wraps `key` for the TPM with these endorsement and storage root keys.
///
/// The parts, in the order in which SDKs read them: a credential that the endorsement key opens
/// (`TPM2B_ID_OBJECT`, `TPM2B_ENCRYPTED_SECRET`), whose content is the key of the inner wrapper of
/// the second; an HMAC key to be imported under the storage root key (`TPM2B_PRIVATE`, an empty
/// `TPM2B_ENCRYPTED_SECRET` for there is no outer wrapper, `TPM2B_PUBLIC`); and no further data.
pub(crate) fn wrap(
    key: &SymmetricKey,
    endorsement: &PublicArea,
    storage_root: &PublicArea,
    entropy: &mut impl Rng,
) -> Option<Vec<u8>> {
    let mut inner = Zeroizing::new([0; 16]);
    entropy.fill_bytes(inner.as_mut_slice());
    let (credential, secret) = make_credential(&*inner, endorsement, storage_root.name(), entropy)?;
    let (private, public) = duplicate(key, &inner, entropy);
    Some(
        [
            credential,
            secret,
            private,
            sized(&[]),
            sized(&public),
            sized(&[]),
        ]
        .concat(),
    )
}

/// `TPM2_MakeCredential`: `credential` for the TPM with the key `endorsement`, if it has an object
/// with the name `name` too (Part 1, section 24).
fn make_credential(
    credential: &[u8],
    endorsement: &PublicArea,
    name: &[u8],
    entropy: &mut impl Rng,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill_bytes(seed.as_mut_slice());
    let mut generator = Zeroizing::new([0; 32]);
    entropy.fill_bytes(generator.as_mut_slice());
    let mut generator = ChaCha20Rng::from_seed(*generator);
    let padding = Oaep::<Sha256>::new_with_label(&b"IDENTITY\0"[..]);
    let secret = endorsement
        .key()
        .encrypt(&mut generator, padding, seed.as_slice())
        .ok()?;
    let storage = derive(seed.as_slice(), "STORAGE", name, 128);
    let integrity = derive(seed.as_slice(), "INTEGRITY", &[], 256);
    let identity = encrypt(storage.as_slice().try_into().ok()?, &sized(credential));
    let outer = code(&integrity, &[&identity, name]);
    let object = [sized(&outer), identity].concat();
    Some((sized(&object), sized(&secret)))
}

/// `TPM2_Duplicate` with an inner wrapper: an HMAC key's private and public areas (Part 1, section
/// 23.3).
fn duplicate(key: &SymmetricKey, inner: &[u8; 16], entropy: &mut impl Rng) -> (Vec<u8>, Vec<u8>) {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill_bytes(seed.as_mut_slice());
    let unique = Sha256::new()
        .chain_update(seed.as_slice())
        .chain_update(key.expose())
        .finalize();
    let public = [
        KEYED_HASH.to_be_bytes().to_vec(),
        public::SHA256.to_be_bytes().to_vec(),
        ATTRIBUTES.to_be_bytes().to_vec(),
        sized(&[]),
        HMAC.to_be_bytes().to_vec(),
        public::SHA256.to_be_bytes().to_vec(),
        sized(&unique),
    ]
    .concat();
    let sensitive = Zeroizing::new(
        [
            KEYED_HASH.to_be_bytes().to_vec(),
            sized(&[]),
            sized(seed.as_slice()),
            sized(key.expose()),
        ]
        .concat(),
    );
    let sensitive = Zeroizing::new(sized(&sensitive));
    let integrity = Sha256::new()
        .chain_update(&*sensitive)
        .chain_update(public::name(&public))
        .finalize();
    let plain = Zeroizing::new([sized(&integrity), sensitive.to_vec()].concat());
    (sized(&encrypt(inner, &plain)), public)
}
