//! Single values with a meaning of their own.

use core::fmt;

use az3166_event::{Fingerprint, Secret};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::Text;

/// A text, a number or a truth value, as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct Scalar(Text);

impl Scalar {
    /// The value as it was written, without quotes.
    pub fn into_text(self) -> Text {
        self.0
    }
}

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// A name that one step gives and another uses: letters, digits, `-`, `_`, `.` and `$`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
#[schemars(inline, extend("pattern" = "^[A-Za-z0-9_.$-]+$"))]
pub struct Label(String);

impl Label {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Label {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '$');
        match !text.is_empty() && text.len() <= 64 && text.chars().all(fits) {
            true => Ok(Self(text)),
            false => Err(format!(
                "a label has 1 to 64 letters, digits, `-`, `_` or `.`, not `{text}`"
            )),
        }
    }
}

/// A zone of the secure element's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
#[schemars(with = "u8")]
#[schemars(inline, extend("minimum" = 0, "maximum" = 31))]
pub struct Zone(u8);

impl Zone {
    /// The zone of the firmware's settings.
    pub const SETTINGS: Self = Self(5);
    /// The zone of the UDS.
    pub const UDS: Self = Self(6);

    /// The zone's number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Zone {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0..=31 => Ok(Self(number)),
            _ => Err(format!("zones have the numbers 0 to 31, not {number}")),
        }
    }
}

/// A share in percent: 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
#[schemars(with = "u8")]
#[schemars(inline, extend("minimum" = 0, "maximum" = 100))]
pub struct Percent(u8);

impl Percent {
    /// The share, 0 to 100.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0..=100 => Ok(Self(number)),
            _ => Err(format!("a share is 0 to 100 percent, not {number}")),
        }
    }
}

/// A registration or device id, or the default registration id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "Text")]
#[schemars(with = "Text")]
#[schemars(inline)]
pub enum RegistrationId {
    /// Made from MAC and firmware version: `az-` MAC `v` version with `v` for each dot.
    Default,
    /// This one, as it is written.
    Custom(Text),
}

impl From<Text> for RegistrationId {
    fn from(text: Text) -> Self {
        match text.expose() {
            "default" => Self::Default,
            _ => Self::Custom(text),
        }
    }
}

/// Bytes, written as hex digits; blanks between digits do not count.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "Text")]
#[schemars(inline, extend("pattern" = "^([0-9A-Fa-f ]|\\$\\{)*"))]
pub struct HexBytes(pub zeroize::Zeroizing<Vec<u8>>);

impl fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HexBytes({} bytes)", self.0.len())
    }
}

impl TryFrom<Text> for HexBytes {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        let mut digits = zeroize::Zeroizing::new(Vec::new());
        for c in text.expose().chars().filter(|c| *c != ' ') {
            let digit = c
                .to_digit(16)
                .ok_or_else(|| format!("expected hex digits, found `{c}`"))?;
            digits.push(digit as u8);
        }
        match digits.len().is_multiple_of(2) {
            true => Ok(Self(zeroize::Zeroizing::new(
                digits
                    .chunks(2)
                    .map(|pair| pair[0] << 4 | pair[1])
                    .collect(),
            ))),
            false => Err("an odd number of hex digits is no number of bytes".into()),
        }
    }
}

/// A Unique Device Secret; `Debug` prints its fingerprint.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "UdsSchema", inline)]
pub struct SecretUds(Secret<32>);

impl SecretUds {
    /// The secret.
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// What may stand for it in a report.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint()
    }
}

impl fmt::Debug for SecretUds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUds({})", self.fingerprint())
    }
}

impl PartialEq for SecretUds {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for SecretUds {}

impl TryFrom<Text> for SecretUds {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        let text = text.expose();
        if let Some((index, c)) = text
            .chars()
            .enumerate()
            .find(|(_, c)| !c.is_ascii_hexdigit())
        {
            return Err(format!(
                "a UDS is 64 hex digits; character {} is {c:?}",
                index + 1
            ));
        }
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        if text.len() != 64 {
            return Err(format!("a UDS is 64 hex digits; this has {}", text.len()));
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).unwrap_or(0) as u8;
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Self(Secret::new(*bytes)))
    }
}

struct UdsSchema;

impl JsonSchema for UdsSchema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Uds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"})
    }
}
