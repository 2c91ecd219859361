//! Lines of standard input that are for the board and not for the device: they begin with `~`.

use std::time::Duration;

use az3166_target::Button;

/// What such a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// Press the reset button.
    Reset,
    /// Take power away for a second.
    PowerCycle,
    /// Apply power, or reset where there is power.
    PowerOn,
    /// Remove power.
    PowerOff,
    /// Press this button.
    Hold(Button),
    /// Let this button go.
    Release(Button),
    /// Let time pass on the board.
    Wait(Duration),
}

/// The forms, for messages and help.
pub const FORMS: &str =
    "~reset, ~power, ~power on, ~power off, ~hold A|B, ~release A|B, ~wait SECONDS";

impl Directive {
    /// Reads a line; `None` for one that the device gets. No message repeats the line.
    pub fn parse(line: &[u8]) -> Option<Result<Self, String>> {
        let text = str::from_utf8(line.strip_prefix(b"~")?).unwrap_or_default();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let directive = match *words {
            ["reset"] => Self::Reset,
            ["power"] => Self::PowerCycle,
            ["power", "on"] => Self::PowerOn,
            ["power", "off"] => Self::PowerOff,
            ["hold", "A" | "a"] => Self::Hold(Button::A),
            ["hold", "B" | "b"] => Self::Hold(Button::B),
            ["release", "A" | "a"] => Self::Release(Button::A),
            ["release", "B" | "b"] => Self::Release(Button::B),
            ["wait", seconds] => match seconds.parse() {
                Ok(seconds @ 0..=86_400) => Self::Wait(Duration::from_secs(seconds)),
                _ => return Some(Err("~wait takes 0 to 86400 seconds".into())),
            },
            _ => {
                return Some(Err(format!(
                    "a line that begins with ~ is for the board: {FORMS}"
                )));
            }
        };
        Some(Ok(directive))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("~reset", Directive::Reset)]
    #[case("~ power  off", Directive::PowerOff)]
    #[case("~power", Directive::PowerCycle)]
    #[case("~hold A", Directive::Hold(Button::A))]
    #[case("~release b", Directive::Release(Button::B))]
    #[case("~wait 3", Directive::Wait(Duration::from_secs(3)))]
    fn is_for_the_board(#[case] line: &str, #[case] directive: Directive) {
        assert_eq!(Directive::parse(line.as_bytes()), Some(Ok(directive)));
    }

    #[rstest]
    #[case("")]
    #[case("help")]
    #[case(" ~reset")]
    fn is_for_the_device(#[case] line: &str) {
        assert_eq!(Directive::parse(line.as_bytes()), None);
    }

    #[rstest]
    #[case("~", "~reset")]
    #[case("~hold C", "~hold A|B")]
    #[case("~wait -1", "0 to 86400")]
    #[case("~wait 86401", "0 to 86400")]
    fn is_a_mistake(#[case] line: &str, #[case] message: &str) {
        let error = Directive::parse(line.as_bytes()).unwrap().unwrap_err();
        assert!(error.contains(message), "{error}");
    }
}
