use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Words, hmac_sha256, sha256};
use crate::Uds;

/// What the measurements lead to.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Derived {
    /// The private scalar of the DeviceID key, little-endian.
    pub device_id: [u8; 32],
    /// The private scalar of the Alias key, little-endian.
    pub alias: [u8; 32],
    /// SHA-256 of the measured firmware (FWID).
    #[zeroize(skip)]
    pub fwid: [u8; 32],
}

/// Measures the core and the firmware and derives the device's keys from them and the UDS.
#[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.text"))]
#[inline(never)]
pub fn derive(uds: &Uds, core: &[u8], firmware: &[u8]) -> Derived {
    let mut uds_digest = sha256(Words::LittleEndian, &[uds.expose()]);
    let core_digest = sha256(Words::LittleEndian, &[core]);
    let mut cdi = sha256(Words::LittleEndian, &[&uds_digest, &core_digest]);
    let mut c1 = sha256(Words::BigEndian, &[&cdi]);
    let fwid = sha256(Words::BigEndian, &[firmware]);
    let mut c2 = sha256(Words::BigEndian, &[&c1, &fwid]);
    let derived = Derived {
        device_id: kdf(&c1, b"Identity"),
        alias: kdf(&c2, b"Alias"),
        fwid,
    };
    for secret in [&mut uds_digest, &mut cdi, &mut c1, &mut c2] {
        secret.zeroize();
    }
    derived
}

/// NIST SP 800-108 in counter mode, one block; counter and length are little-endian as the
/// DevKit's are.
#[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.text"))]
#[inline(never)]
fn kdf(key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    hmac_sha256(key, &[&[1, 0, 0, 0], label, &[0, 0, 1, 0, 0]])
}
