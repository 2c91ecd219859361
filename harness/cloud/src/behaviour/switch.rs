//! Choices that can be made by their names, and their help texts, from one table.

use std::time::Duration;

/// A choice that can be made by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The choice's name.
    pub name: &'static str,
    /// What it is about, by lines.
    pub(super) lines: &'static [&'static str],
    /// The name of the value without a wish.
    pub default: &'static str,
    /// The values.
    pub values: &'static [SwitchValue],
}

/// A value of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchValue {
    /// Its name.
    pub name: &'static str,
    /// What it means, by lines.
    pub(super) lines: &'static [&'static str],
}

impl Switch {
    /// What the choice is about.
    pub fn help(&self) -> String {
        text(self.lines)
    }

    /// Whether Azure's own service was never asked about it.
    pub fn is_unverified(&self) -> bool {
        self.help().to_ascii_lowercase().contains("unverified")
    }
}

impl SwitchValue {
    /// What the value means.
    pub fn help(&self) -> String {
        text(self.lines)
    }
}

/// Doc comment lines as one text, without emphasis.
fn text(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ").replace(['*', '`'], "")
}

/// Why a choice could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BehaviourError {
    /// There is no choice {name:?}; there are {known}.
    #[error("there is no choice {name:?}; there are {known}")]
    Name {
        /// What was given.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// {name} cannot be {value:?}; it can be {known}.
    #[error("{name} cannot be {value:?}; it can be {known}")]
    Value {
        /// The choice.
        name: &'static str,
        /// What was given.
        value: String,
        /// The values that there are.
        known: String,
    },
    /// {text:?} is not of the form name=value.
    #[error("{text:?} is not of the form name=value")]
    Form {
        /// What was given.
        text: String,
    },
}

/// The longest time that a choice can be.
const LONGEST: Duration = Duration::from_secs(3600);

/// A time in seconds, with or without an `s` after it, or in milliseconds with `ms` after it.
pub(super) fn duration(name: &'static str, text: &str) -> Result<Duration, BehaviourError> {
    let number = |text: &str| text.trim().parse::<u32>().ok().map(u64::from);
    let time = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(millis), _) => number(millis).map(Duration::from_millis),
        (None, Some(seconds)) => number(seconds).map(Duration::from_secs),
        (None, None) => number(text).map(Duration::from_secs),
    };
    time.filter(|time| *time <= LONGEST)
        .ok_or_else(|| BehaviourError::Value {
            name,
            value: text.to_owned(),
            known: "a time like 4, 4s or 500ms, at most 3600s".to_owned(),
        })
}

/// Makes the choices' types, the struct of all choices, and the table of their texts.
macro_rules! switches {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident: $kind:ident = $default:ident {
            $( $(#[doc = $value_doc:literal])+ $variant:ident = $text:literal, )+
        }
    )+) => {
        /// The choices. The defaults are what public evidence makes most likely; one that says
        /// *unverified* was never compared with Azure's own service.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Behaviour {
            /// How long an assignment takes, in the target's time. Longer than
            /// [`retry_after`](Self::retry_after), so that a device sees `assigning` in a poll too.
            pub assignment_time: Duration,
            /// `Retry-After` of an answer that says `assigning`, in whole seconds.
            pub retry_after: Duration,
            $( $(#[doc = $doc])+ pub $field: $kind, )+
        }

        impl Default for Behaviour {
            fn default() -> Self {
                Self {
                    assignment_time: ASSIGNMENT_TIME,
                    retry_after: RETRY_AFTER,
                    $( $field: $kind::default(), )+
                }
            }
        }

        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            pub enum $kind {
                $( $(#[doc = $value_doc])+ #[serde(rename = $text)] $variant, )+
            }

            impl Default for $kind {
                fn default() -> Self {
                    Self::$default
                }
            }

            impl $kind {
                /// The value's name.
                pub fn name(self) -> &'static str {
                    match self {
                        $( Self::$variant => $text, )+
                    }
                }
            }

            impl core::str::FromStr for $kind {
                type Err = BehaviourError;

                fn from_str(text: &str) -> Result<Self, BehaviourError> {
                    match text.replace('-', "_").as_str() {
                        $( $text => Ok(Self::$variant), )+
                        _ => Err(BehaviourError::Value {
                            name: stringify!($field),
                            value: text.to_owned(),
                            known: [$( $text ),+].join(", "),
                        }),
                    }
                }
            }
        )+

        impl Behaviour {
            /// Every choice among named values; `assignment_time` and `retry_after` are times.
            pub const SWITCHES: &'static [Switch] = &[$(
                Switch {
                    name: stringify!($field),
                    lines: &[$( $doc ),+],
                    default: {
                        match $kind::$default {
                            $( $kind::$variant => $text, )+
                        }
                    },
                    values: &[$( SwitchValue { name: $text, lines: &[$( $value_doc ),+] } ),+],
                }
            ),+];

            /// Makes the choice `name`; `-` in names is as good as `_`.
            ///
            /// # Errors
            /// There is no such choice, or no such value.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), BehaviourError> {
                match name.replace('-', "_").as_str() {
                    "assignment_time" => {
                        self.assignment_time = switch::duration("assignment_time", value)?;
                    }
                    "retry_after" => self.retry_after = switch::duration("retry_after", value)?,
                    $( stringify!($field) => self.$field = value.parse()?, )+
                    _ => {
                        let times = ["assignment_time", "retry_after"];
                        let names = times.into_iter().chain([$( stringify!($field) ),+]);
                        return Err(BehaviourError::Name {
                            name: name.to_owned(),
                            known: names.collect::<Vec<_>>().join(", "),
                        });
                    }
                }
                Ok(())
            }

            /// Makes the choice `name=value`.
            ///
            /// # Errors
            /// The text has another form, or there is no such choice or value.
            pub fn set_text(&mut self, text: &str) -> Result<(), BehaviourError> {
                match text.split_once('=') {
                    Some((name, value)) => self.set(name.trim(), value.trim()),
                    None => Err(BehaviourError::Form {
                        text: text.to_owned(),
                    }),
                }
            }
        }
    };
}

pub(super) use switches;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::{Behaviour, IdCase, WrongScope};
    use super::*;

    #[test]
    fn every_value_can_be_set_and_the_default_is_one_of_them() {
        for switch in Behaviour::SWITCHES {
            let mut behaviour = Behaviour::default();
            behaviour.set(switch.name, switch.default).unwrap();
            assert_eq!(behaviour, Behaviour::default());
            for value in switch.values {
                behaviour.set(switch.name, value.name).unwrap();
                let is_default = behaviour == Behaviour::default();
                assert_eq!(is_default, value.name == switch.default, "{}", switch.name);
                assert!(!value.help().is_empty());
            }
        }
    }

    #[test]
    fn choices_are_made_from_text() {
        let mut behaviour = Behaviour::default();
        for text in [
            "id-case=fold",
            "wrong_scope = not-found",
            "assignment_time=500ms",
        ] {
            behaviour.set_text(text).unwrap();
        }
        assert_eq!(behaviour.id_case, IdCase::Fold);
        assert_eq!(behaviour.wrong_scope, WrongScope::NotFound);
        assert_eq!(behaviour.assignment_time, Duration::from_millis(500));
    }

    #[rstest]
    #[case("id_case", "\"id_case\" is not of the form name=value")]
    #[case(
        "id_case=x",
        "id_case cannot be \"x\"; it can be refuse_upper_case, fold"
    )]
    #[case(
        "retry_after=soon",
        "retry_after cannot be \"soon\"; it can be a time like 4, 4s or 500ms, at most 3600s"
    )]
    #[case(
        "x=y",
        "there is no choice \"x\"; there are assignment_time, retry_after, framing,"
    )]
    fn refusals(#[case] text: &str, #[case] expected: &str) {
        let error = Behaviour::default().set_text(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn help_says_what_is_unverified() {
        let scope = Behaviour::SWITCHES
            .iter()
            .find(|switch| switch.name == "wrong_scope");
        let scope = scope.unwrap();
        assert!(scope.is_unverified());
        insta::assert_snapshot!(scope.help(), @"The answer to an ID scope that is not ours. Unverified: no public record of it was found.");
        insta::assert_snapshot!(scope.values[1].help(), @"404 with 404201.");
    }
}
