//! Single values of a rack file, each with its form.

use core::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $pattern:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        #[schemars(inline, extend("pattern" = $pattern))]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

word! {
    /// A board's name: 1 to 40 lower-case letters, digits and `-`.
    BoardId, "^[a-z0-9][a-z0-9-]{0,39}$"
}

word! {
    /// A word that several boards may share: 1 to 40 lower-case letters, digits and `-`.
    Tag, "^[a-z0-9][a-z0-9-]{0,39}$"
}

fn plain(what: &str, text: String) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match (1..=40).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-') {
        true => Ok(text),
        false => Err(format!(
            "{what} has 1 to 40 lower-case letters, digits and `-`, not `{text}`"
        )),
    }
}

impl TryFrom<String> for BoardId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        plain("a board's id", text).map(Self)
    }
}

impl TryFrom<String> for Tag {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        plain("a tag", text).map(Self)
    }
}

word! {
    /// The serial number of a debug probe on USB: of a ST-Link V2-1, 24 hex digits. Letters are
    /// upper case, so that two spellings are one probe.
    ProbeSerial, "^[0-9A-Za-z]{1,64}$"
}

impl TryFrom<String> for ProbeSerial {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = text.chars().all(|c| c.is_ascii_alphanumeric());
        match fits && (1..=64).contains(&text.len()) {
            true => Ok(Self(text.to_ascii_uppercase())),
            false => Err(format!(
                "a probe's serial number has 1 to 64 letters and digits, not `{text}`"
            )),
        }
    }
}

word! {
    /// The chip's unique id: 96 bits at 0x1FFF7A10, as 24 hex digits in the order of memory.
    ChipUid, "^[0-9A-Fa-f]{24}$"
}

impl ChipUid {
    /// The id that stands in memory as `bytes`.
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The id as it stands in memory.
    pub fn bytes(&self) -> [u8; 12] {
        // 24 hex digits, by construction.
        core::array::from_fn(|at| {
            u8::from_str_radix(&self.0[2 * at..2 * at + 2], 16).unwrap_or_default()
        })
    }
}

impl TryFrom<String> for ChipUid {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.len() == 24 && text.chars().all(|c| c.is_ascii_hexdigit()) {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(format!(
                "a chip's unique id has 24 hex digits, not `{text}`"
            )),
        }
    }
}

/// A clock in kHz, 1 to 50 000.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(try_from = "u32", into = "u32")]
#[schemars(with = "u32")]
#[schemars(inline, extend("minimum" = 1, "maximum" = 50_000))]
pub struct Kilohertz(u32);

impl Kilohertz {
    /// The fastest SWD clock of a ST-Link V2-1.
    pub const FASTEST: Self = Self(4600);
    /// Its default, and the next slower one that wiring of some length bears.
    pub const DEFAULT: Self = Self(1800);
    /// A clock that nearly any wiring bears.
    pub const SLOW: Self = Self(480);

    /// The clock in kHz.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Kilohertz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kHz", self.0)
    }
}

impl From<Kilohertz> for u32 {
    fn from(clock: Kilohertz) -> Self {
        clock.0
    }
}

impl TryFrom<u32> for Kilohertz {
    type Error = String;

    fn try_from(kilohertz: u32) -> Result<Self, String> {
        match (1..=50_000).contains(&kilohertz) {
            true => Ok(Self(kilohertz)),
            false => Err(format!("a clock is 1 to 50000 kHz, not {kilohertz}")),
        }
    }
}

/// A command that works a relay. `{pin}` stands for the button's pin, 4 for A and 10 for B, and
/// `{state}` for `pressed` or `released`. It is started as it is, by no shell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(with = "Vec<String>")]
#[schemars(inline, extend("minItems" = 1))]
pub struct RelayCommand(Vec<String>);

impl RelayCommand {
    /// Program and arguments for the button on `pin` of GPIOA.
    pub fn words(&self, pin: u32, state: &str) -> Vec<String> {
        let filled = |word: &String| {
            word.replace("{pin}", &pin.to_string())
                .replace("{state}", state)
        };
        self.0.iter().map(filled).collect()
    }
}

impl From<RelayCommand> for Vec<String> {
    fn from(command: RelayCommand) -> Self {
        command.0
    }
}

impl TryFrom<Vec<String>> for RelayCommand {
    type Error = String;

    fn try_from(words: Vec<String>) -> Result<Self, String> {
        let has = |place: &str| words.iter().any(|word| word.contains(place));
        match words.first().is_some_and(|program| !program.is_empty()) {
            true if has("{pin}") && has("{state}") => Ok(Self(words)),
            true => Err("a relay's command has `{pin}` and `{state}` among its words".into()),
            false => Err("a relay's command is a list: the program, then its arguments".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("lab-1", true)]
    #[case("", false)]
    #[case("-a", false)]
    #[case("Lab", false)]
    #[case("a/b", false)]
    #[case("a23456789012345678901234567890123456789012", false)]
    fn ids(#[case] text: &str, #[case] good: bool) {
        assert_eq!(BoardId::try_from(text.to_owned()).is_ok(), good);
    }

    #[test]
    fn spellings_of_one_probe_are_equal() {
        let serial = |text: &str| ProbeSerial::try_from(text.to_owned());
        assert_eq!(serial("066eff"), serial("066EFF"));
        assert!(serial("../066").is_err());
    }

    #[test]
    fn a_relay_gets_pin_and_state() {
        let words = ["usbrelay", "HIL_{pin}={state}"].map(str::to_owned);
        let command = RelayCommand::try_from(words.to_vec()).unwrap();
        assert_eq!(command.words(4, "pressed"), ["usbrelay", "HIL_4=pressed"]);
        assert!(RelayCommand::try_from(vec!["usbrelay".to_owned()]).is_err());
        assert!(RelayCommand::try_from(Vec::new()).is_err());
    }

    #[test]
    fn a_chips_id_is_in_the_order_of_memory() {
        let uid = ChipUid::from_bytes([0x31, 0, 0x2f, 0, 1, 2, 3, 4, 5, 6, 7, 0xAB]);
        assert_eq!(uid.as_str(), "31002f0001020304050607ab");
        assert_eq!(ChipUid::from_bytes(uid.bytes()), uid);
    }
}
