//! Lengths of time as scenario files write them.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A length of time on the target's clock: `60s`, `1500ms`, `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(pub Duration);

/// The units, in the order in which messages list them, with their nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nothing in a scenario lasts longer, so that sums of times cannot overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

impl Interval {
    /// `seconds` seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// `milliseconds` milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }
}

/// Why a text is not an [`Interval`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// expected a duration such as `60s` or `1500ms`, found {0}
    #[error("expected a duration such as `60s` or `1500ms`, found {0}")]
    NotADuration(String),
    /// the duration `{0}` has no unit; write `{0}s` or `{0}ms`
    #[error("the duration `{0}` has no unit; write `{0}s` or `{0}ms`")]
    NoUnit(String),
    /// unknown unit `{0}` in a duration; units are ns, us, ms, s, m and h
    #[error("unknown unit `{0}` in a duration; units are ns, us, ms, s, m and h")]
    UnknownUnit(String),
    /// the duration is longer than 366 days
    #[error("the duration is longer than 366 days")]
    TooLong,
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        if number.is_empty() {
            return Err(IntervalError::NotADuration(format!("`{text}`")));
        }
        if unit.is_empty() {
            return Err(IntervalError::NoUnit(number.into()));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(match unit.chars().all(char::is_alphabetic) {
                true => IntervalError::UnknownUnit(unit.into()),
                false => IntervalError::NotADuration(format!("`{text}`")),
            });
        };
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*nanos))
            .map(Duration::from_nanos)
            .filter(|interval| *interval <= LONGEST)
            .map(Self)
            .ok_or(IntervalError::TooLong)
    }
}

impl fmt::Display for Interval {
    /// The largest unit that leaves a whole number: `90s`, `1500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let whole = [UNITS[3], UNITS[2], UNITS[1], UNITS[0]]
            .into_iter()
            .find(|(_, unit)| nanos.is_multiple_of(u128::from(*unit)));
        match whole {
            Some((name, unit)) => write!(f, "{}{name}", nanos / u128::from(unit)),
            None => write!(f, "{nanos}ns"),
        }
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Interval;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as `60s` or `1500ms`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Interval, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Interval, E> {
                Err(E::custom(IntervalError::NoUnit(number.to_string())))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Interval {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Interval".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time on the target's clock: 60s, 1500ms, 2m.",
            "type": "string",
            "pattern": "^[0-9]+(ns|us|ms|s|m|h)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("60s", Duration::from_secs(60))]
    #[case("1500ms", Duration::from_millis(1500))]
    #[case("2m", Duration::from_secs(120))]
    #[case("1h", Duration::from_secs(3600))]
    #[case("7us", Duration::from_micros(7))]
    fn parses(#[case] text: &str, #[case] expected: Duration) {
        assert_eq!(text.parse(), Ok(Interval(expected)));
    }

    #[rstest]
    #[case("60", IntervalError::NoUnit("60".into()))]
    #[case("60sec", IntervalError::UnknownUnit("sec".into()))]
    #[case("soon", IntervalError::NotADuration("`soon`".into()))]
    #[case("1.5s", IntervalError::NotADuration("`1.5s`".into()))]
    #[case("-1s", IntervalError::NotADuration("`-1s`".into()))]
    #[case("", IntervalError::NotADuration("``".into()))]
    #[case("99999999999999999999h", IntervalError::TooLong)]
    #[case("9000h", IntervalError::TooLong)]
    fn refuses(#[case] text: &str, #[case] expected: IntervalError) {
        assert_eq!(text.parse::<Interval>(), Err(expected));
    }

    #[rstest]
    #[case(Interval::from_millis(90_000), "90s")]
    #[case(Interval::from_millis(1500), "1500ms")]
    fn displays(#[case] interval: Interval, #[case] text: &str) {
        assert_eq!(interval.to_string(), text);
    }
}
