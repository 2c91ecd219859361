use p256::{
    FieldBytes,
    ecdsa::{SigningKey, VerifyingKey},
};
use zeroize::Zeroize;

use crate::{Certificate, CertificateError, Profile, Uds, certificate, core::derive};

/// A derived scalar is zero or not below the group order. The chance is about 2^-32; another UDS
/// helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOutOfRange;

/// The device's keys and what they were derived from. It has no `Debug`; the keys wipe themselves.
pub struct Identity {
    device_id: SigningKey,
    alias: SigningKey,
    fwid: [u8; 32],
}

impl Identity {
    /// Measures the two regions and derives the keys.
    ///
    /// # Errors
    /// [`KeyOutOfRange`] when a derived number is no private key of P-256.
    pub fn derive(uds: &Uds, core: &[u8], firmware: &[u8]) -> Result<Self, KeyOutOfRange> {
        let derived = derive(uds, core, firmware);
        Ok(Self {
            device_id: key(derived.device_id)?,
            alias: key(derived.alias)?,
            fwid: derived.fwid,
        })
    }

    /// The certificate that the device presents, for this registration id.
    ///
    /// # Errors
    /// [`CertificateError`] when the registration id does not fit.
    pub fn alias_certificate(
        &self,
        registration_id: &str,
        profile: Profile,
    ) -> Result<Certificate, CertificateError> {
        certificate::alias(self, registration_id, profile)
    }

    /// The key that proves possession of the Alias certificate.
    pub fn alias_key(&self) -> &SigningKey {
        &self.alias
    }

    /// The public key of the device, which the Alias certificate carries in its subject
    /// alternative name.
    pub fn device_id_public(&self) -> &VerifyingKey {
        self.device_id.verifying_key()
    }

    /// SHA-256 of the measured firmware.
    pub fn fwid(&self) -> &[u8; 32] {
        &self.fwid
    }

    pub(crate) fn device_id_key(&self) -> &SigningKey {
        &self.device_id
    }
}

fn key(mut little_endian: [u8; 32]) -> Result<SigningKey, KeyOutOfRange> {
    little_endian.reverse();
    let mut bytes = FieldBytes::from(little_endian);
    let key = SigningKey::from_bytes(&bytes).map_err(|_| KeyOutOfRange);
    bytes.zeroize();
    little_endian.zeroize();
    key
}
