use az3166_event::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    Certificate, KeyPair, MeasuredRegions, Profile, RegistrationId, Uds, certificate::build, dsha,
};

/// Everything that a device with one UDS and one firmware image is: its secrets, keys and FWID.
pub struct Identity {
    cdi: Secret<32>,
    device_id: KeyPair,
    alias: KeyPair,
    fwid: [u8; 32],
}

/// Why no identity follows from a UDS and an image.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DeriveError {
    /// the derived {key} key is zero or not below the order of P-256; this happens for one UDS in 2^32: use another
    #[error(
        "the derived {key} key is zero or not below the order of P-256; this happens for one UDS in 2^32: use another"
    )]
    KeyOutOfRange {
        /// `DeviceID` or `alias`.
        key: &'static str,
    },
}

impl Identity {
    /// Derives the compound device identifier and both key pairs.
    ///
    /// DICE layer: `CDI = DSHA(DSHA(UDS) || DSHA(riot_core))`. RIoT core: `c1 = SHA256(CDI)`,
    /// DeviceID = KDF(c1, "Identity"), `FWID = SHA256(riot_fw)`, `c2 = SHA256(c1 || FWID)`,
    /// alias = KDF(c2, "Alias").
    pub fn derive(uds: &Uds, regions: &MeasuredRegions) -> Result<Self, DeriveError> {
        let cdi = compound_device_identifier(uds, regions.riot_core().bytes());
        let c1 = sha256(&[cdi.expose()]);
        let device_id = KeyPair::from_little_endian(&kdf(&c1, b"Identity"))
            .ok_or(DeriveError::KeyOutOfRange { key: "DeviceID" })?;
        let fwid = *sha256(&[regions.riot_fw().bytes()]);
        let c2 = sha256(&[c1.as_slice(), &fwid]);
        let alias = KeyPair::from_little_endian(&kdf(&c2, b"Alias"))
            .ok_or(DeriveError::KeyOutOfRange { key: "alias" })?;
        Ok(Self {
            cdi,
            device_id,
            alias,
            fwid,
        })
    }

    /// The Compound Device Identifier, the DICE layer's output.
    pub const fn cdi(&self) -> &Secret<32> {
        &self.cdi
    }

    /// The DeviceID key pair: bound to UDS and RIoT core, signs certificates.
    pub const fn device_id(&self) -> &KeyPair {
        &self.device_id
    }

    /// The alias key pair: bound to the firmware too, authenticates the device in TLS.
    pub const fn alias(&self) -> &KeyPair {
        &self.alias
    }

    /// The firmware's identity: SHA-256 over the measured region `riot_fw`.
    pub const fn fwid(&self) -> &[u8; 32] {
        &self.fwid
    }

    /// The alias certificate: what the device presents in TLS and the user enrols.
    pub fn alias_certificate(&self, id: &RegistrationId, profile: Profile) -> Certificate {
        build::alias(self, id, profile)
    }

    /// The self-signed certificate of the DeviceID key.
    pub fn device_id_certificate(&self, profile: Profile) -> Certificate {
        build::device_id(self, profile)
    }
}

fn compound_device_identifier(uds: &Uds, riot_core: &[u8]) -> Secret<32> {
    let mut digests = Zeroizing::new([0u8; 64]);
    digests[..32].copy_from_slice(&*dsha(uds.secret().expose()));
    digests[32..].copy_from_slice(&*dsha(riot_core));
    Secret::new(*dsha(&*digests))
}

fn sha256(parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

/// One block of SP 800-108 in counter mode, with the RIoT code's little-endian counter (1) and
/// output length (256 bits).
fn kdf(key: &[u8; 32], label: &[u8]) -> Secret<32> {
    let mac = keyed(key)
        .chain_update(1u32.to_le_bytes())
        .chain_update(label)
        .chain_update([0])
        .chain_update(256u32.to_le_bytes());
    Secret::new(*Zeroizing::new(mac.finalize().into_bytes().into()))
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0u8; 64]);
    block[..32].copy_from_slice(key);
    Hmac::new((&*block).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 test case 2 needs a short key; case 1's 20-byte key is zero-padded as HMAC says.
    #[test]
    fn keyed_hash_is_hmac_sha256() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let mac = keyed(&key)
            .chain_update(b"Hi There")
            .finalize()
            .into_bytes();
        assert_eq!(
            hex::encode(mac),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }
}
