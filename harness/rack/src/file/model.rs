//! A rack file as it is written.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use time::Date;
use time::macros::format_description;

use super::words::{BoardId, ChipUid, Kilohertz, ProbeSerial, RelayCommand, Tag};

/// The boards of a rack.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[schemars(title = "AZ3166 rack")]
#[serde(deny_unknown_fields)]
pub struct Rack {
    /// The boards. No two have the same id, probe or chip.
    #[schemars(length(min = 1))]
    pub boards: Vec<Board>,
}

/// A board and how it is wired.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Its name, for `--target board:<id>`.
    pub id: BoardId,
    /// The serial number of its debug probe on USB.
    pub probe_serial: ProbeSerial,
    /// Its chip, by probe-rs's name; `STM32F412ZG` where nothing else is said.
    #[serde(default = "stm32f412")]
    pub chip: String,
    /// The SWD clock.
    #[serde(default = "fastest")]
    pub speed_khz: Kilohertz,
    /// Its serial console.
    #[serde(default)]
    pub console: Console,
    /// The port that powers it, on a hub that switches ports one by one.
    #[serde(default)]
    pub power: Option<PowerPort>,
    /// Who presses its buttons.
    #[serde(default)]
    pub buttons: Buttons,
    /// Its chip's unique id; a board with another chip is refused before anything is erased.
    #[serde(default)]
    pub chip_uid: Option<ChipUid>,
    /// Words to choose boards by, for `--target board:<tag>`.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Why and for how long it is not used unless asked for.
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
}

fn stm32f412() -> String {
    "STM32F412ZG".into()
}

const fn fastest() -> Kilohertz {
    Kilohertz::FASTEST
}

/// Where a board's serial console is.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub enum Console {
    /// The serial port with the probe's USB serial number.
    #[default]
    Auto,
    /// This device file.
    Path(PathBuf),
}

impl From<String> for Console {
    fn from(text: String) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            _ => Self::Path(text.into()),
        }
    }
}

impl From<Console> for String {
    fn from(console: Console) -> Self {
        match console {
            Console::Auto => "auto".into(),
            Console::Path(path) => path.display().to_string(),
        }
    }
}

impl JsonSchema for Console {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Console".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1})
    }
}

/// A port of a hub, as `uhubctl` names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerPort {
    /// The hub's place: bus and port chain, `1-1.4`.
    pub hub: HubPlace,
    /// The port, from 1.
    pub port: PortNumber,
}

/// A hub's place: bus and port chain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
#[schemars(inline, extend("pattern" = "^[0-9]+(-[0-9]+(\\.[0-9]+)*)?$"))]
pub struct HubPlace(String);

impl HubPlace {
    /// The place as `uhubctl -l` takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<HubPlace> for String {
    fn from(place: HubPlace) -> Self {
        place.0
    }
}

impl TryFrom<String> for HubPlace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        let (bus, chain) = text.split_once('-').unwrap_or((&text, "1"));
        match number(bus) && chain.split('.').all(number) {
            true => Ok(Self(text)),
            false => Err(format!(
                "a hub's place is its bus and port chain such as `1-1.4`, not `{text}`"
            )),
        }
    }
}

/// The number of a hub's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schemars(with = "u8")]
#[schemars(inline, extend("minimum" = 1, "maximum" = 31))]
pub struct PortNumber(u8);

impl From<PortNumber> for u8 {
    fn from(port: PortNumber) -> Self {
        port.0
    }
}

impl TryFrom<u8> for PortNumber {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1..=31 => Ok(Self(number)),
            _ => Err(format!("ports have the numbers 1 to 31, not {number}")),
        }
    }
}

/// Who presses a board's buttons.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Buttons {
    /// The debugger, by driving the pin low and locking it.
    #[default]
    Debugger,
    /// A relay across the button, worked by a command.
    Relay {
        /// The command.
        command: RelayCommand,
    },
}

/// A board that is not used unless asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// The last day of it, `2026-12-31`; after it the board is used again, with a warning.
    #[serde(deserialize_with = "date", serialize_with = "date_as_text")]
    #[schemars(with = "String", extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Date,
    /// Where the reason is written up.
    #[serde(deserialize_with = "ticket")]
    #[schemars(extend("minLength" = 1))]
    pub ticket: String,
}

const DAY: &[time::format_description::BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]");

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    Date::parse(&text, DAY).map_err(|_| {
        de::Error::custom(format!(
            "expected a date such as `2026-12-31`, found `{text}`"
        ))
    })
}

fn date_as_text<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

fn ticket<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim().is_empty() || text.chars().any(char::is_control) {
        true => Err(de::Error::custom(
            "a quarantine names its ticket; write where the reason is written up",
        )),
        false => Ok(text),
    }
}

impl Board {
    /// Whether the board is kept out of use on `today`.
    pub fn is_quarantined(&self, today: Date) -> bool {
        self.quarantine
            .as_ref()
            .is_some_and(|quarantine| today <= quarantine.until)
    }

    /// Whether its quarantine is over but still written down.
    pub fn has_expired_quarantine(&self, today: Date) -> bool {
        self.quarantine.is_some() && !self.is_quarantined(today)
    }
}
