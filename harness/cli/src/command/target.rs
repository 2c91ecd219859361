//! What `--target` names.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use az3166_runner::retry::Retries;
use az3166_runner::suite::TargetFactory;
use az3166_runner::targets::{EmulatorOptions, EmulatorTarget};

use super::renode;
use crate::exit::Failure;

/// What the firmware runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetChoice {
    /// The embedded emulator: needs nothing else.
    Emulator,
    /// Renode, a process of its own.
    Renode,
    /// The board with this id, or any with this tag.
    Board(String),
}

/// A command that runs scenarios, and what it was told about boards.
#[derive(Clone, Copy)]
pub struct Opener<'a> {
    /// The command with the option that names its targets: `run --target board:desk`.
    pub usage: &'a str,
    /// The unique ID of the chip that is emulated.
    pub uid: [u8; 12],
    /// What it may do with boards.
    #[cfg(feature = "board")]
    pub boards: &'a super::board::BoardOptions,
    /// Ends the wait where starting a target takes long.
    pub cancel: &'a Arc<AtomicBool>,
}

/// What scenarios run on.
pub struct Opened {
    /// Makes one for each scenario.
    pub factory: Box<TargetFactory<'static>>,
    /// How many there are, where that is known.
    pub count: Option<NonZeroUsize>,
}

impl Opener<'_> {
    /// Makes ready what scenarios run on.
    ///
    /// # Errors
    /// This machine or this build does not have it.
    pub fn open(&self, choice: &TargetChoice) -> Result<Opened, Failure> {
        let factory: Box<TargetFactory<'static>> = match choice {
            TargetChoice::Emulator => {
                let uid = self.uid;
                Box::new(move |seed| {
                    Ok(Box::new(EmulatorTarget::new(&EmulatorOptions {
                        uid,
                        ..EmulatorOptions::seeded(seed)
                    })))
                })
            }
            TargetChoice::Renode => renode::targets(self.uid, self.cancel)?,
            #[cfg(feature = "board")]
            TargetChoice::Board(selector) => {
                return super::board::open(selector, self);
            }
            #[cfg(not(feature = "board"))]
            TargetChoice::Board(_) => {
                return Err(Failure::infrastructure(format!(
                    "this build of hil cannot reach boards; use `cargo hil-board {}`",
                    self.usage
                )));
            }
        };
        Ok(Opened {
            factory,
            count: None,
        })
    }
}

impl TargetChoice {
    /// What trouble with the infrastructure is worth another try on it.
    pub fn retries(&self) -> Retries {
        match self {
            Self::Board(_) => Retries::FOR_BOARDS,
            Self::Emulator | Self::Renode => Retries::default(),
        }
    }
}

impl fmt::Display for TargetChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emulator => f.write_str("emulator"),
            Self::Renode => f.write_str("renode"),
            Self::Board(selector) => write!(f, "board:{selector}"),
        }
    }
}

impl FromStr for TargetChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "emulator" => Ok(Self::Emulator),
            None if text == "renode" => Ok(Self::Renode),
            Some(("board", selector)) if !selector.is_empty() => Ok(Self::Board(selector.into())),
            _ => Err("give emulator, renode, board:<id> or board:<tag>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("emulator", Some(TargetChoice::Emulator))]
    #[case("renode", Some(TargetChoice::Renode))]
    #[case("board:lab-1", Some(TargetChoice::Board("lab-1".into())))]
    #[case("board:", None)]
    #[case("board", None)]
    #[case("emulator:1", None)]
    #[case("qemu", None)]
    #[case("", None)]
    fn names(#[case] text: &str, #[case] expected: Option<TargetChoice>) {
        let parsed = text.parse::<TargetChoice>().ok();
        assert_eq!(parsed, expected);
        if let Some(choice) = parsed {
            assert_eq!(choice.to_string(), text);
        }
    }
}
