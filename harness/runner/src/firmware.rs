//! Firmware that is ready to run: its images, its hash, its oracle.

use std::collections::BTreeMap;
use std::sync::Arc;

use az3166_identity::{FirmwareVersion, Mac, Profile};
use az3166_scenario::FirmwareVariant;
use az3166_target::{Image, ImageError};
use sha2::{Digest, Sha256};

use crate::oracle::Oracle;
use crate::steps::StepError;

/// Where our own firmware begins, behind the vendor's bootloader.
const BEHIND_BOOTLOADER: u32 = 0x0800_C000;

/// One firmware for one board.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// The firmware itself.
    pub application: Arc<Image>,
    /// What jumps to it from reset, where it does not begin at the start of flash.
    pub boot_stub: Option<Arc<Image>>,
    /// SHA-256 of its ELF file, 64 hex digits.
    pub sha256: String,
    /// What a device with it must present.
    pub oracle: Oracle,
}

impl Firmware {
    /// The images in the order in which they are programmed.
    pub fn images(&self) -> Vec<&Image> {
        self.boot_stub
            .iter()
            .chain([&self.application])
            .map(AsRef::as_ref)
            .collect()
    }
}

/// Whether the image in `elf` begins behind the vendor's bootloader, so that a board without one
/// needs the boot stub to reach it.
pub fn needs_boot_stub(elf: &[u8]) -> bool {
    Image::parse(elf).is_ok_and(|image| image.base() == BEHIND_BOOTLOADER)
}

/// What is known of a firmware besides its ELF file.
#[derive(Clone, Debug)]
pub struct FirmwareFacts {
    /// The version that it reports.
    pub version: FirmwareVersion,
    /// The form of its certificates.
    pub profile: Profile,
}

/// Where scenarios get their firmware from.
pub trait FirmwareSource: Sync {
    /// The firmware of that variant.
    fn get(&self, variant: FirmwareVariant) -> Result<Arc<Firmware>, StepError>;
}

/// Firmware that was built or read before the run.
#[derive(Clone, Debug, Default)]
pub struct FirmwareSet(BTreeMap<FirmwareVariant, Arc<Firmware>>);

impl FirmwareSet {
    /// Adds the ELF file of `variant`, for a board with `mac`; `stub` is the boot stub's ELF file.
    pub fn add(
        &mut self,
        variant: FirmwareVariant,
        elf: &[u8],
        stub: Option<&[u8]>,
        facts: FirmwareFacts,
        mac: Mac,
    ) -> Result<(), ImageError> {
        let application = Arc::new(Image::parse(elf)?);
        let boot_stub = match stub.filter(|_| application.base() == BEHIND_BOOTLOADER) {
            Some(stub) => Some(Arc::new(Image::parse(stub)?)),
            None => None,
        };
        let digest = Sha256::digest(elf);
        let firmware = Firmware {
            application,
            boot_stub,
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            oracle: Oracle::new(elf, mac, facts.version, facts.profile),
        };
        self.0.insert(variant, Arc::new(firmware));
        Ok(())
    }
}

impl FirmwareSource for FirmwareSet {
    fn get(&self, variant: FirmwareVariant) -> Result<Arc<Firmware>, StepError> {
        self.0.get(&variant).cloned().ok_or_else(|| {
            StepError::setup(
                format!("there is no firmware `{}` in this run", variant.name()),
                "run without --firmware, or leave `firmware:` and `flash` out",
            )
        })
    }
}

/// The MAC that our firmware makes from the chip's unique ID: the first six bytes of its SHA-256,
/// marked as locally administered and not a group address (IEEE 802, first octet's low bits 10).
pub fn default_mac(uid: &[u8; 12]) -> Mac {
    let digest = Sha256::digest(uid);
    let digits: String = digest
        .iter()
        .take(6)
        .enumerate()
        .map(|(index, byte)| match index {
            0 => format!("{:02x}", byte & !1 | 2),
            _ => format!("{byte:02x}"),
        })
        .collect();
    digits
        .parse()
        .unwrap_or_else(|_| unreachable!("twelve hex digits are a MAC"))
}
