use core::fmt;
use core::ops::Range;

use super::{FlashImage, ImageError, RegionSymbols};

/// One of the two parts of an image that a device measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegionName {
    /// The code that measures and derives.
    RiotCore,
    /// All other code.
    RiotFw,
}

impl RegionName {
    /// The smallest number of bytes that a region may have.
    pub const fn minimum(self) -> u32 {
        match self {
            Self::RiotCore => 8,
            Self::RiotFw => 1,
        }
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RiotCore => "riot_core",
            Self::RiotFw => "riot_fw",
        })
    }
}

/// The bytes of a measured region and where they lie in flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    start: u32,
    bytes: Vec<u8>,
}

impl Region {
    /// `bytes` whose first lies at the address `start`.
    pub const fn new(start: u32, bytes: Vec<u8>) -> Self {
        Self { start, bytes }
    }

    /// What is measured.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The half-open range of addresses.
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.start);
        start..start + self.bytes.len() as u64
    }

    fn byte_mut(&mut self, address: u32) -> Option<&mut u8> {
        let offset = address.checked_sub(self.start)?;
        self.bytes.get_mut(usize::try_from(offset).ok()?)
    }
}

/// Both measured regions of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredRegions {
    riot_core: Region,
    riot_fw: Region,
}

/// What a changed byte of flash belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// It is measured, in this region.
    Measured(RegionName),
    /// It is not measured: the identity stays.
    Unmeasured,
}

impl MeasuredRegions {
    /// Takes the bytes of both regions.
    pub fn new(riot_core: Region, riot_fw: Region) -> Result<Self, ImageError> {
        for (region, part) in [
            (RegionName::RiotCore, &riot_core),
            (RegionName::RiotFw, &riot_fw),
        ] {
            let length = u32::try_from(part.bytes.len()).unwrap_or(u32::MAX);
            if length < region.minimum() {
                return Err(ImageError::RegionShort {
                    region,
                    length,
                    minimum: region.minimum(),
                });
            }
        }
        Ok(Self { riot_core, riot_fw })
    }

    /// Reads symbols and bytes from a 32-bit Arm ELF file.
    pub fn from_elf(elf: &[u8]) -> Result<Self, ImageError> {
        Self::of_image(&FlashImage::from_elf(elf)?, &RegionSymbols::from_elf(elf)?)
    }

    /// Reads the bytes from a flat flash image, and its base and the symbols from GNU ld's map.
    pub fn from_bin_and_map(bin: &[u8], map: &str) -> Result<Self, ImageError> {
        let base = super::map::flash_origin(map)?;
        let image = FlashImage::from_bin(base, bin)?;
        Self::of_image(&image, &RegionSymbols::from_map(map)?)
    }

    /// Cuts the regions out of an image.
    pub fn of_image(image: &FlashImage, symbols: &RegionSymbols) -> Result<Self, ImageError> {
        let cut = |name| image.region(name, symbols.range(name));
        Self::new(cut(RegionName::RiotCore)?, cut(RegionName::RiotFw)?)
    }

    /// The region that holds the measuring code.
    pub const fn riot_core(&self) -> &Region {
        &self.riot_core
    }

    /// The region whose hash is the FWID.
    pub const fn riot_fw(&self) -> &Region {
        &self.riot_fw
    }

    /// Inverts the bits of `mask` in the byte of flash at `address`, as a scenario does to a device.
    pub fn flip(&mut self, address: u32, mask: u8) -> Flip {
        let parts = [
            (RegionName::RiotCore, &mut self.riot_core),
            (RegionName::RiotFw, &mut self.riot_fw),
        ];
        for (name, region) in parts {
            if let Some(byte) = region.byte_mut(address) {
                *byte ^= mask;
                return Flip::Measured(name);
            }
        }
        Flip::Unmeasured
    }
}
