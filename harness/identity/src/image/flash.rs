use core::ops::Range;

use super::{ImageError, Region, RegionName};

/// What lies in flash once an image is programmed: one run of bytes.
///
/// Bytes between an ELF file's segments read 0xFF, as erased flash does; `objcopy -O binary`
/// would write zeros there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashImage {
    base: u32,
    bytes: Vec<u8>,
}

/// What erased flash reads.
const ERASED: u8 = 0xFF;

impl FlashImage {
    /// The longest image that is taken, in bytes: above any STM32's flash, below a hostile file's size.
    pub const LIMIT: u64 = 16 << 20;

    /// A flat image whose first byte lies at `base`.
    pub fn from_bin(base: u32, bytes: &[u8]) -> Result<Self, ImageError> {
        if bytes.is_empty() {
            return Err(ImageError::EmptyImage);
        }
        Self::from_parts(&[(base, bytes)])
    }

    /// Gathers pieces at their load addresses; where two overlap the later one wins.
    pub(super) fn from_parts(parts: &[(u32, &[u8])]) -> Result<Self, ImageError> {
        let end = |(start, bytes): &(u32, &[u8])| u64::from(*start) + bytes.len() as u64;
        let base = parts.iter().map(|(start, _)| *start).min();
        let base = base.ok_or(ImageError::NothingLoaded)?;
        let stop = parts.iter().map(end).max().unwrap_or_default();
        let length = stop - u64::from(base);
        if length > Self::LIMIT {
            return Err(ImageError::TooLong {
                start: base,
                stop,
                limit: Self::LIMIT,
            });
        }
        let mut bytes = vec![ERASED; length as usize];
        for (start, part) in parts {
            let offset = (start - base) as usize;
            bytes[offset..offset + part.len()].copy_from_slice(part);
        }
        Ok(Self { base, bytes })
    }

    /// The address of the first byte.
    pub const fn base(&self) -> u32 {
        self.base
    }

    /// The bytes, as a `.bin` file holds them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn region(
        &self,
        region: RegionName,
        range: &Range<u32>,
    ) -> Result<Region, ImageError> {
        let offset = |address: u32| Some(address.checked_sub(self.base)? as usize);
        offset(range.start)
            .zip(offset(range.end))
            .and_then(|(start, stop)| self.bytes.get(start..stop))
            .map(|bytes| Region::new(range.start, bytes.to_vec()))
            .ok_or(ImageError::RegionOutside {
                region,
                start: range.start,
                stop: range.end,
                image_start: self.base,
                image_stop: u64::from(self.base) + self.bytes.len() as u64,
            })
    }
}
