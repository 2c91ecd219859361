//! Steps that change the image in flash.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Label;

/// Inverts bits of one byte in flash while the processor stands in reset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawFlip")]
#[schemars(with = "RawFlip")]
pub struct Flip {
    /// The byte.
    pub place: FlipPlace,
    /// The bits that are inverted; never 0.
    pub bits: u8,
}

/// Where the byte lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlipPlace {
    /// In the inert note of a measured region, this many bytes from its start.
    Region {
        /// The region.
        region: Region,
        /// Bytes from the note's start.
        offset: u32,
    },
    /// This many bytes from a symbol of the firmware's ELF.
    Symbol {
        /// The symbol.
        symbol: Label,
        /// Bytes from its address.
        offset: u32,
    },
    /// At an address.
    Address(u32),
}

/// A part of the flash, as far as the device's measurements are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// The code that measures and derives: symbol `RIOT_CORE_NOTE`.
    RiotCore,
    /// All other code and constants of the image: symbol `RIOT_FW_NOTE`.
    RiotFw,
    /// Flash behind the image: the last byte of the last sector.
    OutsideImage,
}

/// Inverts bits of one byte in flash while the processor stands in reset.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawFlip {
    /// The region whose inert note is changed.
    #[serde(default)]
    region: Option<Region>,
    /// A symbol of the firmware's ELF.
    #[serde(default)]
    symbol: Option<Label>,
    /// An address in flash.
    #[serde(default)]
    address: Option<u32>,
    /// Bytes from the note's or symbol's start; 0 where none is named.
    #[serde(default)]
    offset: Option<u32>,
    /// The bits that are inverted; 0x01 where none are named.
    #[serde(default)]
    #[schemars(range(min = 1))]
    bits: Option<u8>,
}

impl TryFrom<RawFlip> for Flip {
    type Error = &'static str;

    fn try_from(raw: RawFlip) -> Result<Self, Self::Error> {
        let offset = raw.offset.unwrap_or(0);
        let place = match (raw.region, raw.symbol, raw.address) {
            (Some(Region::OutsideImage), None, None) if raw.offset.is_some() => {
                return Err(
                    "`offset` counts from a note or a symbol; outside the image is neither",
                );
            }
            (Some(Region::RiotCore | Region::RiotFw), None, None) if offset >= 16 => {
                return Err("a region's note has 16 bytes: `offset` is 0 to 15");
            }
            (Some(region), None, None) => FlipPlace::Region { region, offset },
            (None, Some(symbol), None) => FlipPlace::Symbol { symbol, offset },
            (None, None, Some(_)) if raw.offset.is_some() => {
                return Err("`offset` counts from a note or a symbol; add it to the `address`");
            }
            (None, None, Some(address)) => FlipPlace::Address(address),
            _ => return Err("`flip` needs one of `region`, `symbol` and `address`"),
        };
        match raw.bits.unwrap_or(1) {
            0 => Err("`bits: 0` changes nothing"),
            bits => Ok(Self { place, bits }),
        }
    }
}
