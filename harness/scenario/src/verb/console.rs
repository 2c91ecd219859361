//! Steps that type on the console and read it.

use core::fmt;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::{Interval, OneOrMany, Text};

/// Types on the console and judges what is printed.
///
/// Printed lines are consumed in order: an expectation looks at lines after the last one that an
/// earlier step matched, so a text is never matched twice. A reset does not discard lines.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "RawConsole")]
#[schemars(with = "RawConsole")]
pub struct Console {
    /// What is typed first.
    pub input: Option<Input>,
    /// What must be printed then, in this order; other lines may come between.
    pub expect: Vec<LinePattern>,
    /// What must not be printed from the typing on until the last expectation is met, or, where
    /// nothing is expected, until `within` is over.
    pub absent: Vec<LinePattern>,
    /// The time limit, from the typing on.
    pub within: Interval,
}

/// What is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line, ended by Enter (CR). The harness waits for the prompt first.
    Line(Text),
    /// Single keys without Enter, sent at once.
    Keys(Text),
}

/// What a printed line must hold.
#[derive(Clone, Debug)]
pub enum LinePattern {
    /// The line contains this text.
    Contains(Text),
    /// The expression matches somewhere in the line.
    Matches(LineRegex),
}

impl LinePattern {
    /// Whether `line`, without its line end, is such a line.
    pub fn matches(&self, line: &str) -> bool {
        match self {
            Self::Contains(text) => line.contains(text.expose()),
            Self::Matches(regex) => regex.0.is_match(line),
        }
    }
}

impl fmt::Display for LinePattern {
    /// How messages name the pattern; long hex runs are masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, "`{}`", text.masked()),
            Self::Matches(regex) => write!(f, "/{}/", az3166_yaml::mask(regex.0.as_str())),
        }
    }
}

/// A regular expression over one line, in the syntax of the `regex` crate.
#[derive(Clone, Debug)]
pub struct LineRegex(pub Regex);

impl<'de> Deserialize<'de> for LineRegex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pattern = String::deserialize(deserializer)?;
        regex::RegexBuilder::new(&pattern)
            .size_limit(1 << 20)
            .build()
            .map(Self)
            .map_err(|error| de::Error::custom(reason_of(&error)))
    }
}

/// The regex crate draws the expression and a caret over several lines; its last line says what is wrong.
fn reason_of(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    format!(
        "not a regular expression: {}",
        reason.trim_start_matches("error: ")
    )
}

impl JsonSchema for LineRegex {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LineRegex".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "regex"})
    }
}

/// Types on the console and judges what is printed.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawConsole {
    /// A line to type; Enter is added. The harness waits for the prompt first.
    #[serde(default)]
    send: Option<Text>,
    /// Keys to type without Enter, at once, even before the prompt.
    #[serde(default)]
    keys: Option<Text>,
    /// What printed lines must contain, in this order.
    #[serde(default)]
    expect: Option<OneOrMany<Text>>,
    /// Regular expressions that printed lines must match, in this order, after those of `expect`.
    #[serde(default)]
    expect_regex: Option<OneOrMany<LineRegex>>,
    /// What no printed line may contain.
    #[serde(default)]
    absent: Option<OneOrMany<Text>>,
    /// Regular expressions that no printed line may match.
    #[serde(default)]
    absent_regex: Option<OneOrMany<LineRegex>>,
    /// The time limit, from the typing on; 10s where nothing else is said.
    #[serde(default)]
    within: Option<Interval>,
}

fn patterns(
    texts: Option<OneOrMany<Text>>,
    regexes: Option<OneOrMany<LineRegex>>,
) -> Vec<LinePattern> {
    let texts = texts.into_iter().flat_map(OneOrMany::into_vec);
    let regexes = regexes.into_iter().flat_map(OneOrMany::into_vec);
    texts
        .map(LinePattern::Contains)
        .chain(regexes.map(LinePattern::Matches))
        .collect()
}

impl TryFrom<RawConsole> for Console {
    type Error = &'static str;

    fn try_from(raw: RawConsole) -> Result<Self, Self::Error> {
        let input = match (raw.send, raw.keys) {
            (Some(line), None) => Some(Input::Line(line)),
            (None, Some(keys)) => Some(Input::Keys(keys)),
            (None, None) => None,
            (Some(_), Some(_)) => return Err("`send` and `keys` cannot stand in one step"),
        };
        if let Some(Input::Line(line)) = &input
            && line.expose().contains(['\r', '\n'])
        {
            return Err("`send` types one line; give each line a step of its own");
        }
        let expect = patterns(raw.expect, raw.expect_regex);
        let absent = patterns(raw.absent, raw.absent_regex);
        if input.is_none() && expect.is_empty() && absent.is_empty() {
            return Err(
                "a console step needs `send`, `keys`, `expect`, `expect_regex` or `absent`",
            );
        }
        Ok(Self {
            input,
            expect,
            absent,
            within: raw.within.unwrap_or(Interval::from_secs(10)),
        })
    }
}
