//! Attestation by Trusted Platform Modules: a challenge, and keys that only the module can use.

use std::time::Duration;

use az3166_event::VirtualTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::Rng;

use super::attestation::{Attestation, TpmIdentity};
use super::{Proof, Provisioning, Refusal};
use crate::sas::{SymmetricKey, SymmetricKeys};
use crate::tpm::{PublicArea, wrap};

/// How long the key of a challenge is good. *Unverified*.
const CHALLENGE_TIME: Duration = Duration::from_secs(3600);

/// What a TPM was asked to prove.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    /// The key that a token must be signed with.
    pub(super) keys: SymmetricKeys,
    pub(super) expires: VirtualTime,
    endorsement: PublicArea,
    storage_root: PublicArea,
}

impl Provisioning {
    /// A device that is enrolled by its TPM asks to be registered and proves nothing yet. The
    /// answer is the key to sign a token with, wrapped for the TPM, in base64.
    ///
    /// # Errors
    /// The request is refused; it is [`Refusal::Unauthorized`] where no TPM is enrolled or another
    /// one is.
    pub(crate) fn challenge(
        &mut self,
        now: VirtualTime,
        id_scope: &str,
        registration_id: &str,
        shown: &TpmIdentity,
        entropy: &mut impl Rng,
    ) -> Result<String, Refusal> {
        self.set_time(now);
        let id = self.identify(id_scope, registration_id, Proof::Nothing)?;
        let record = self.store.enrolment(&id.key());
        let record = record.ok_or(Refusal::EnrolmentNotFound)?;
        let Attestation::Tpm(enrolled) = &record.value.attestation else {
            return Err(Refusal::Unauthorized);
        };
        let root = enrolled.storage_root_key.as_ref();
        let same_root = root.is_none() || root == shown.storage_root_key.as_ref();
        if enrolled.endorsement_key != shown.endorsement_key || !same_root {
            return Err(Refusal::Unauthorized);
        }
        let unusable = Refusal::BadRequest("a TPM key is not RSA-2048 with SHA-256 and AES-128");
        let root = shown.storage_root_key.as_ref().ok_or(unusable)?;
        let endorsement = PublicArea::parse(&shown.endorsement_key).ok_or(unusable)?;
        let storage_root = PublicArea::parse(root).ok_or(unusable)?;
        let key = key(entropy);
        let wrapped = wrap(&key, &endorsement, &storage_root, entropy).ok_or(unusable)?;
        let challenge = Challenge {
            keys: SymmetricKeys {
                primary: key.clone(),
                secondary: key,
            },
            expires: now + CHALLENGE_TIME,
            endorsement,
            storage_root,
        };
        self.challenges.insert(id.key(), challenge);
        Ok(STANDARD.encode(wrapped))
    }

    /// New keys for the hub's device, and the primary one wrapped for the TPM that answered its
    /// challenge.
    pub(super) fn hub_keys(
        &self,
        id_key: &str,
        entropy: &mut impl Rng,
    ) -> Option<(SymmetricKeys, String)> {
        let challenge = self.challenges.get(id_key)?;
        let keys = SymmetricKeys {
            primary: key(entropy),
            secondary: key(entropy),
        };
        let (endorsement, root) = (&challenge.endorsement, &challenge.storage_root);
        let wrapped = wrap(&keys.primary, endorsement, root, entropy)?;
        Some((keys, STANDARD.encode(wrapped)))
    }
}

/// A new key of 32 bytes, as long as the hash that it is used with.
fn key(entropy: &mut impl Rng) -> SymmetricKey {
    SymmetricKey::random::<32>(entropy)
}
