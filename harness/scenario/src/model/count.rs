//! How often something happens.

use core::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::Interval;

/// How often a fault strikes: `once`, a number, or `always`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// This often.
    Limited(u32),
    /// Until the faults are cleared.
    Always,
}

impl Times {
    pub(crate) const fn always() -> Self {
        Self::Always
    }
}

impl Default for Times {
    fn default() -> Self {
        Self::Limited(1)
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Times;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`once`, `always` or a number of times")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Times, E> {
                match text {
                    "once" => Ok(Times::Limited(1)),
                    "always" => Ok(Times::Always),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Times, E> {
                match u32::try_from(number) {
                    Ok(number @ 1..) => Ok(Times::Limited(number)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Times {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Times".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How often a fault strikes: once, a number of times, or always.",
            "anyOf": [
                {"enum": ["once", "always"]},
                {"type": "integer", "minimum": 1},
            ],
        })
    }
}

/// How often a fault of the secure element strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The next command that it matches.
    #[default]
    Once,
    /// Every command that it matches, until the faults are cleared.
    Always,
}

/// How many there must be. At least one where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawCount")]
#[schemars(with = "RawCount")]
pub struct Count {
    /// The fewest.
    pub at_least: u32,
    /// The most; no limit where none.
    pub at_most: Option<u32>,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            at_least: 1,
            at_most: None,
        }
    }
}

impl Count {
    /// Whether `number` is right.
    pub fn holds(&self, number: u32) -> bool {
        number >= self.at_least && self.at_most.is_none_or(|most| number <= most)
    }

    /// Whether more can still make a right number wrong, so that the whole time must be waited.
    pub const fn is_bounded(&self) -> bool {
        self.at_most.is_some()
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.at_least, self.at_most) {
            (least, Some(most)) if least == most => write!(f, "exactly {least}"),
            (least, Some(most)) => write!(f, "{least} to {most}"),
            (least, None) => write!(f, "at least {least}"),
        }
    }
}

/// How many there must be. At least one where nothing is said.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawCount {
    /// The fewest.
    #[serde(default)]
    at_least: Option<u32>,
    /// The most.
    #[serde(default)]
    at_most: Option<u32>,
    /// Neither more nor fewer.
    #[serde(default)]
    exactly: Option<u32>,
}

impl TryFrom<RawCount> for Count {
    type Error = &'static str;

    fn try_from(raw: RawCount) -> Result<Self, Self::Error> {
        match (raw.at_least, raw.at_most, raw.exactly) {
            (None, None, Some(number)) => Ok(Self {
                at_least: number,
                at_most: Some(number),
            }),
            (None, None, None) => Err("a count needs `at_least`, `at_most` or `exactly`"),
            (_, _, Some(_)) => Err("`exactly` cannot stand beside `at_least` or `at_most`"),
            (least, most, None) => {
                let at_least = least.unwrap_or(0);
                match most {
                    Some(most) if most < at_least => Err("`at_most` is less than `at_least`"),
                    at_most => Ok(Self { at_least, at_most }),
                }
            }
        }
    }
}

/// How long something may take, at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawIntervalRange")]
#[schemars(with = "RawIntervalRange")]
pub struct IntervalRange {
    /// The shortest; zero where none is named.
    pub at_least: Interval,
    /// The longest; no limit where none.
    pub at_most: Option<Interval>,
}

impl IntervalRange {
    /// Whether `interval` lies inside.
    pub fn holds(&self, interval: core::time::Duration) -> bool {
        interval >= self.at_least.0 && self.at_most.is_none_or(|most| interval <= most.0)
    }
}

impl fmt::Display for IntervalRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_most {
            Some(most) => write!(f, "{} to {most}", self.at_least),
            None => write!(f, "at least {}", self.at_least),
        }
    }
}

/// How long something may take, at least and at most.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawIntervalRange {
    /// The shortest.
    #[serde(default)]
    at_least: Option<Interval>,
    /// The longest.
    #[serde(default)]
    at_most: Option<Interval>,
}

impl TryFrom<RawIntervalRange> for IntervalRange {
    type Error = &'static str;

    fn try_from(raw: RawIntervalRange) -> Result<Self, Self::Error> {
        let at_least = raw.at_least.unwrap_or(Interval::from_secs(0));
        match (raw.at_least, raw.at_most) {
            (None, None) => Err("an interval needs `at_least` or `at_most`"),
            (_, Some(most)) if most < at_least => Err("`at_most` is less than `at_least`"),
            (_, at_most) => Ok(Self { at_least, at_most }),
        }
    }
}
