use core::fmt;
use core::ops::Range;

use super::{ImageError, RegionName};

/// The linker symbols that bound the measured regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredSymbol {
    /// `__start_riot_core`
    StartRiotCore,
    /// `__stop_riot_core`
    StopRiotCore,
    /// `__start_riot_fw`
    StartRiotFw,
    /// `__stop_riot_fw`
    StopRiotFw,
}

impl MeasuredSymbol {
    /// All four, in the order of [`RegionSymbols::new`].
    pub const ALL: [Self; 4] = [
        Self::StartRiotCore,
        Self::StopRiotCore,
        Self::StartRiotFw,
        Self::StopRiotFw,
    ];

    /// Its name in the linker script.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartRiotCore => "__start_riot_core",
            Self::StopRiotCore => "__stop_riot_core",
            Self::StartRiotFw => "__start_riot_fw",
            Self::StopRiotFw => "__stop_riot_fw",
        }
    }
}

impl fmt::Display for MeasuredSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The half-open address ranges of the two regions, in the flash's address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionSymbols {
    riot_core: Range<u32>,
    riot_fw: Range<u32>,
}

impl RegionSymbols {
    /// Checks the four addresses, in the order of [`MeasuredSymbol::ALL`].
    pub fn new(addresses: [u32; 4]) -> Result<Self, ImageError> {
        let [core_start, core_stop, fw_start, fw_stop] = addresses;
        Ok(Self {
            riot_core: checked(RegionName::RiotCore, core_start..core_stop)?,
            riot_fw: checked(RegionName::RiotFw, fw_start..fw_stop)?,
        })
    }

    /// Where one region lies.
    pub const fn range(&self, name: RegionName) -> &Range<u32> {
        match name {
            RegionName::RiotCore => &self.riot_core,
            RegionName::RiotFw => &self.riot_fw,
        }
    }
}

fn checked(region: RegionName, range: Range<u32>) -> Result<Range<u32>, ImageError> {
    let (start, stop) = (range.start, range.end);
    if start > stop {
        return Err(ImageError::RegionReversed {
            region,
            start,
            stop,
        });
    }
    let length = stop - start;
    if length == 0 {
        return Err(ImageError::RegionEmpty { region, start });
    }
    if length < region.minimum() {
        return Err(ImageError::RegionShort {
            region,
            length,
            minimum: region.minimum(),
        });
    }
    Ok(range)
}
