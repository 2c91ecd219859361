//! Steps that touch power, reset, buttons, plugs and the clock.

use schemars::JsonSchema;
use serde::Deserialize;

/// Resets the board by its reset pin, powering it first where it is off.
///
/// Before the firmware runs, the harness writes the trust anchor record (see `trust_anchor`).
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(try_from = "RawReset")]
#[schemars(with = "RawReset")]
pub struct Reset {
    /// The button that is held while the firmware starts.
    pub hold: Option<Hold>,
}

/// A button that is down while the firmware starts, and who pressed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The button.
    pub button: Button,
    /// How it is pressed.
    pub by: PressedBy,
}

/// A button of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Button {
    /// Button A: held at start, it enters configuration mode.
    A,
    /// Button B.
    B,
}

/// How a button is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PressedBy {
    /// By the switch itself: a finger, a relay, the emulator's pin.
    #[default]
    Switch,
    /// By a debugger that drives the pin low and locks it with the LCKR key sequence.
    Debugger,
}

/// Resets the board by its reset pin, powering it first where it is off.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawReset {
    /// The button that is held while the firmware starts.
    #[serde(default)]
    hold: Option<Button>,
    /// How the button is pressed.
    #[serde(default)]
    by: Option<PressedBy>,
}

impl TryFrom<RawReset> for Reset {
    type Error = &'static str;

    fn try_from(raw: RawReset) -> Result<Self, Self::Error> {
        let hold = match (raw.hold, raw.by) {
            (Some(button), by) => Some(Hold {
                button,
                by: by.unwrap_or_default(),
            }),
            (None, None) => None,
            (None, Some(_)) => return Err("`by` says how a button is pressed; name it by `hold`"),
        };
        Ok(Self { hold })
    }
}

/// What happens to the board's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Applied; the firmware starts.
    On,
    /// Removed; RAM is lost.
    Off,
    /// Removed for a second and applied again.
    Cycle,
}

/// A part that can be taken off the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The OLED.
    Display,
}
