//! Variables that are made from others.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Scalar, Text};

/// A variable's value: a text, a number or a truth value, or what makes it from other variables.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Variable {
    /// The value itself; it may hold `${name}`.
    #[allow(
        dead_code,
        reason = "only its schema is used: values are read from the tree"
    )]
    Value(Scalar),
    /// How it is made.
    #[allow(
        dead_code,
        reason = "only its schema is used: values are read from the tree"
    )]
    Derived(Derivation),
}

/// How a variable is made from others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum Derivation {
    /// A hex text with one digit changed to its neighbour: 0 and 1 change places, 2 and 3, ...
    FlipDigit {
        /// The hex text.
        of: Text,
        /// The digit, from 0 at the left.
        digit: u32,
    },
    /// The first characters of a text.
    First {
        /// The text.
        of: Text,
        /// How many characters.
        length: u32,
    },
    /// A text several times.
    Repeat {
        /// The text.
        text: Text,
        /// How often.
        times: u32,
    },
}

/// A derived text has at most this many bytes.
const LONGEST: usize = 64 * 1024;

impl Derivation {
    /// The value.
    pub fn value(&self) -> Result<Text, String> {
        match self {
            Self::FlipDigit { of, digit } => flip(of, *digit),
            Self::First { of, length } => {
                let kept: String = of.expose().chars().take(*length as usize).collect();
                Ok(kept.into())
            }
            Self::Repeat { text, times } => {
                let text = text.expose();
                match text.len().checked_mul(*times as usize) {
                    Some(length) if length <= LONGEST => Ok(text.repeat(*times as usize).into()),
                    _ => Err(format!("the text would be longer than {LONGEST} bytes")),
                }
            }
        }
    }
}

fn flip(of: &Text, digit: u32) -> Result<Text, String> {
    let text = of.expose();
    let Some(c) = text.chars().nth(digit as usize) else {
        let length = text.chars().count();
        return Err(format!("there is no digit {digit} among {length}"));
    };
    let Some(value) = c.to_digit(16) else {
        return Err(format!("character {digit} is {c:?}, no hex digit"));
    };
    let other = char::from_digit(value ^ 1, 16).unwrap_or(c);
    let other = match c.is_ascii_uppercase() {
        true => other.to_ascii_uppercase(),
        false => other,
    };
    let flipped: String = text
        .chars()
        .enumerate()
        .map(|(index, c)| if index == digit as usize { other } else { c })
        .collect();
    Ok(flipped.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("19e2", 0, Ok("09e2"))]
    #[case("19E2", 2, Ok("19F2"))]
    #[case("19e2", 3, Ok("19e3"))]
    #[case("19e2", 4, Err("there is no digit 4 among 4"))]
    #[case("xyz", 1, Err("character 1 is 'y', no hex digit"))]
    fn flips_one_digit(#[case] of: &str, #[case] digit: u32, #[case] expected: Result<&str, &str>) {
        let derivation = Derivation::FlipDigit {
            of: of.into(),
            digit,
        };
        let value = derivation.value();
        let value = value.as_ref().map(Text::expose).map_err(String::as_str);
        assert_eq!(value, expected);
    }
}
