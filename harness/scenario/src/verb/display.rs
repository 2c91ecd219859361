//! Steps that read the OLED.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Interval, Text};

/// Waits until the display shows a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawDisplay")]
#[schemars(with = "RawDisplay")]
pub struct Display {
    /// The row; any of the four where none is named.
    pub line: Option<Row>,
    /// What the row must show.
    pub shows: Shows,
    /// The time limit.
    pub within: Interval,
}

/// What a row of the display must show; blanks at both ends do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Exactly this text.
    Exactly(Text),
    /// This text, perhaps among others.
    Contains(Text),
    /// Not this text: no row that is looked at contains it when the step is reached.
    Lacks(Text),
}

/// A row of the display, from 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
#[schemars(with = "u8")]
#[schemars(inline, extend("minimum" = 1, "maximum" = 4))]
pub struct Row(u8);

impl Row {
    /// The row's number from 0.
    pub const fn index(self) -> usize {
        self.0 as usize - 1
    }

    /// The row's number from 1, as in the file.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Row {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1..=4 => Ok(Self(number)),
            _ => Err(format!("the display has lines 1 to 4, not {number}")),
        }
    }
}

/// Waits until the display shows a text.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawDisplay {
    /// The row, from 1 to 4; any where none is named.
    #[serde(default)]
    line: Option<Row>,
    /// The row's whole text; blanks at both ends do not count.
    #[serde(default)]
    text: Option<Text>,
    /// A part of the row's text.
    #[serde(default)]
    contains: Option<Text>,
    /// What the row must not show now.
    #[serde(default)]
    absent: Option<Text>,
    /// The time limit; 10s where nothing else is said.
    #[serde(default)]
    within: Option<Interval>,
}

impl TryFrom<RawDisplay> for Display {
    type Error = &'static str;

    fn try_from(raw: RawDisplay) -> Result<Self, Self::Error> {
        let shows = match (raw.text, raw.contains, raw.absent) {
            (Some(text), None, None) => Shows::Exactly(text),
            (None, Some(text), None) => Shows::Contains(text),
            (None, None, Some(text)) => Shows::Lacks(text),
            _ => return Err("a display step needs one of `text`, `contains` and `absent`"),
        };
        Ok(Self {
            line: raw.line,
            shows,
            within: raw.within.unwrap_or(Interval::from_secs(10)),
        })
    }
}
