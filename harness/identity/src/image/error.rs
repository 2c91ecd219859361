use thiserror::Error;

use super::{MeasuredSymbol, RegionName};

/// Why the measured regions cannot be read from what was given.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ImageError {
    /// not an ELF file for 32-bit little-endian Arm ({reason}); give the linked firmware, or --bin with --map
    #[error(
        "not an ELF file for 32-bit little-endian Arm ({reason}); give the linked firmware, or --bin with --map"
    )]
    NotArmElf {
        /// What was found instead.
        reason: String,
    },
    /// the ELF file is damaged: {reason}
    #[error("the ELF file is damaged: {reason}")]
    DamagedElf {
        /// The reader's words.
        reason: String,
    },
    /// the ELF file has no symbol table; build without `strip`
    #[error("the ELF file has no symbol table; build without `strip`")]
    Stripped,
    /// the ELF file loads nothing into memory: it has no PT_LOAD segment with bytes
    #[error("the ELF file loads nothing into memory: it has no PT_LOAD segment with bytes")]
    NothingLoaded,
    /// the flash image is empty
    #[error("the flash image is empty")]
    EmptyImage,
    /// the image spans {start:#010x} to {stop:#x}, more than {limit} bytes; its segments do not belong together in one flash
    #[error(
        "the image spans {start:#010x} to {stop:#x}, more than {limit} bytes; its segments do not belong together in one flash"
    )]
    TooLong {
        /// The lowest address.
        start: u32,
        /// The address after the last byte.
        stop: u64,
        /// The most that is taken, in bytes.
        limit: u64,
    },
    /// the image has no symbol {symbol}; the linker script must define it
    #[error("the image has no symbol {symbol}; the linker script must define it")]
    NoSymbol {
        /// Which.
        symbol: MeasuredSymbol,
    },
    /// the map has no region FLASH in its memory configuration, so the image's base address is unknown; give GNU ld's map, or the ELF file
    #[error(
        "the map has no region FLASH in its memory configuration, so the image's base address is unknown; give GNU ld's map, or the ELF file"
    )]
    NoFlashOrigin,
    /// the map's line {line} has no 32-bit hexadecimal address for {what}
    #[error("the map's line {line} has no 32-bit hexadecimal address for {what}")]
    BadAddress {
        /// Counted from 1.
        line: usize,
        /// The symbol or region.
        what: String,
    },
    /// the region {region} is empty: it starts and stops at {start:#010x}
    #[error("the region {region} is empty: it starts and stops at {start:#010x}")]
    RegionEmpty {
        /// Which.
        region: RegionName,
        /// Both addresses.
        start: u32,
    },
    /// the region {region} is reversed: it starts at {start:#010x} and stops at {stop:#010x}
    #[error(
        "the region {region} is reversed: it starts at {start:#010x} and stops at {stop:#010x}"
    )]
    RegionReversed {
        /// Which.
        region: RegionName,
        /// Its first address.
        start: u32,
        /// The address after its last.
        stop: u32,
    },
    /// the region {region} has {length} bytes; at least {minimum} are needed
    #[error("the region {region} has {length} bytes; at least {minimum} are needed")]
    RegionShort {
        /// Which.
        region: RegionName,
        /// Its bytes.
        length: u32,
        /// The least that is taken.
        minimum: u32,
    },
    /// the region {region}, {start:#010x} to {stop:#010x}, lies outside the image, {image_start:#010x} to {image_stop:#010x}
    #[error(
        "the region {region}, {start:#010x} to {stop:#010x}, lies outside the image, {image_start:#010x} to {image_stop:#010x}"
    )]
    RegionOutside {
        /// Which.
        region: RegionName,
        /// Its first address.
        start: u32,
        /// The address after its last.
        stop: u32,
        /// The image's first address.
        image_start: u32,
        /// The address after the image's last.
        image_stop: u64,
    },
}
