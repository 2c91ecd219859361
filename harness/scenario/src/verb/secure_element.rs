//! Steps that change the secure element's memory or make it misbehave.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{HexBytes, Interval, Label, Repeat, SecretUds, Text, Zone};

/// What the secure element or its bus does wrong from now on; faults add up until `clear`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum StsafeFault {
    /// Ends all faults.
    Clear,
    /// The chip answers no address.
    Absent,
    /// The chip refuses its address for this long after a command.
    Busy {
        /// How long.
        lasts: Interval,
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// The chip is busy until it loses power.
    BusyForever {
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
    },
    /// The chip refuses its address this often.
    Nack {
        /// Number of refusals.
        count: u32,
        /// The direction that is refused; both where none is named.
        #[serde(default)]
        direction: Option<BusDirection>,
    },
    /// The response's CRC is wrong.
    WrongCrc {
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// The response's length field holds this value.
    Length {
        /// The value: 0 to 0xFFFF.
        value: u16,
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// Every byte that is read is 0x00.
    AllZeros {
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// Every byte that is read is 0xFF.
    AllOnes {
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// From this byte of the response on, only 0xFF is read.
    Truncated {
        /// Bytes that are still right.
        after_bytes: u16,
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// One bit of the response is inverted.
    BitFlip {
        /// The bit; 0 is the lowest of the first byte.
        bit: u32,
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// The response of the command before is read again.
    Stale {
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How many of these commands pass before.
        #[serde(default)]
        skip: u32,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// The chip executes nothing and answers this status code.
    Status {
        /// The status code: 1 to 0x1F.
        #[schemars(range(min = 1, max = 31))]
        code: u8,
        /// The only command that it strikes.
        #[serde(default)]
        on: Option<Command>,
        /// How often.
        #[serde(default)]
        times: Repeat,
    },
    /// The chip refuses Updates with the atomic bit.
    AtomicRefused,
    /// The board loses power when this many bytes of a write are in the chip's memory.
    PowerCut {
        /// The zone that is written.
        zone: Zone,
        /// Bytes that are written before; 0 is before the first one.
        after_bytes: u16,
    },
}

/// A command of the STSAFE-A100, by its data sheet's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// 0x00
    Echo,
    /// 0x01
    Reset,
    /// 0x02
    GenerateRandom,
    /// 0x04
    Decrement,
    /// 0x05
    Read,
    /// 0x06
    Update,
    /// 0x14
    Query,
}

/// A direction on the I2C bus, seen from the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BusDirection {
    /// Address with the read bit clear.
    Write,
    /// Address with the read bit set.
    Read,
}

/// Puts bytes into the secure element's memory, past its commands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawPlant")]
#[schemars(with = "RawPlant")]
pub struct Plant {
    /// The zone.
    pub zone: Zone,
    /// The offset of the first byte.
    pub offset: u16,
    /// What is put there.
    pub content: PlantedContent,
}

/// What is put into a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlantedContent {
    /// A UDS as 64 lower-case hex digits in ASCII, as the console command stores it.
    Uds(SecretUds),
    /// Text.
    Text(Text),
    /// Bytes.
    Bytes(HexBytes),
    /// A settings record with these members and a right check word, as the firmware stores it.
    Settings(BTreeMap<String, Text>),
}

/// Puts bytes into the secure element's memory, past its commands.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawPlant {
    /// The zone; 6 for `uds` and 5 for `settings` where none is named.
    #[serde(default)]
    zone: Option<Zone>,
    /// The offset of the first byte; 0 where none is named.
    #[serde(default)]
    offset: u16,
    /// A UDS: 64 hex digits.
    #[serde(default)]
    uds: Option<SecretUds>,
    /// Text.
    #[serde(default)]
    text: Option<Text>,
    /// Bytes as hex digits.
    #[serde(default)]
    hex: Option<HexBytes>,
    /// Members of a settings record, which gets a right check word.
    #[serde(default)]
    settings: Option<BTreeMap<String, Text>>,
}

impl TryFrom<RawPlant> for Plant {
    type Error = &'static str;

    fn try_from(raw: RawPlant) -> Result<Self, Self::Error> {
        let mut contents = [
            raw.uds.map(PlantedContent::Uds),
            raw.text.map(PlantedContent::Text),
            raw.hex.map(PlantedContent::Bytes),
            raw.settings.map(PlantedContent::Settings),
        ]
        .into_iter()
        .flatten();
        let (Some(content), None) = (contents.next(), contents.next()) else {
            return Err("`plant` needs one of `uds`, `text`, `hex` and `settings`");
        };
        let usual = match content {
            PlantedContent::Uds(_) => Some(Zone::UDS),
            PlantedContent::Settings(_) => Some(Zone::SETTINGS),
            _ => None,
        };
        let zone = raw.zone.or(usual).ok_or("`plant` needs a `zone`")?;
        Ok(Self {
            zone,
            offset: raw.offset,
            content,
        })
    }
}

/// Judges the secure element's memory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawExpectNvm")]
#[schemars(with = "RawExpectNvm")]
pub enum ExpectNvm {
    /// All zones, or one, hold what they held at a snapshot.
    UnchangedSince {
        /// The snapshot's label.
        label: Label,
        /// The only zone that is compared; all where none is named.
        zone: Option<Zone>,
    },
    /// A zone holds this from its start on.
    Holds {
        /// The zone.
        zone: Zone,
        /// What it holds.
        content: ZoneContent,
    },
}

/// What a zone holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZoneContent {
    /// What it held when it left the factory.
    Nothing,
    /// This UDS as 64 hex digits of either case.
    Uds(SecretUds),
    /// A text anywhere in the zone.
    Text(Text),
    /// These bytes at the zone's start.
    Hex(HexBytes),
}

/// Judges the secure element's memory.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawExpectNvm {
    /// The label of the snapshot that the memory must still equal.
    #[serde(default)]
    unchanged_since: Option<Label>,
    /// The zone that is looked at.
    #[serde(default)]
    zone: Option<Zone>,
    /// What the zone must hold.
    #[serde(default)]
    holds: Option<ZoneContent>,
}

impl TryFrom<RawExpectNvm> for ExpectNvm {
    type Error = &'static str;

    fn try_from(raw: RawExpectNvm) -> Result<Self, Self::Error> {
        match (raw.unchanged_since, raw.zone, raw.holds) {
            (Some(label), zone, None) => Ok(Self::UnchangedSince { label, zone }),
            (None, Some(zone), Some(content)) => Ok(Self::Holds { zone, content }),
            _ => Err("`expect_nvm` needs `unchanged_since`, or `zone` and `holds`"),
        }
    }
}
