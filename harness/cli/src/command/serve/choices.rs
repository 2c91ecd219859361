//! Choices that the documentation leaves open, and quotas.

use std::fmt;
use std::str::FromStr;

use az3166_cloud::{Behaviour, Quota, Quotas};

use crate::exit::Failure;
use crate::terminal::{LABEL, WARNING};

/// The behaviour with these choices, `name=value` each.
pub(super) fn behaviour(choices: &[String]) -> Result<Behaviour, Failure> {
    let mut behaviour = Behaviour::default();
    for choice in choices {
        let made = behaviour.set_text(choice);
        made.map_err(|error| Failure::usage(format!("--behaviour {choice}: {error}")))?;
    }
    Ok(behaviour)
}

/// Every choice with its values; the default is marked.
pub(super) struct Help;

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Choices for --behaviour NAME=VALUE; * is the default.\n")?;
        let default = Behaviour::default();
        for (name, time, about) in [
            (
                "assignment_time",
                default.assignment_time,
                "How long an assignment takes: 4s, 500ms, 0s",
            ),
            (
                "retry_after",
                default.retry_after,
                "Retry-After of an answer that says assigning",
            ),
        ] {
            writeln!(f, "{LABEL}{name}{LABEL:#} = {time:?}*\n    {about}.\n")?;
        }
        for switch in Behaviour::SWITCHES {
            write!(f, "{LABEL}{}{LABEL:#}", switch.name)?;
            if switch.is_unverified() {
                write!(f, " {WARNING}unverified{WARNING:#}")?;
            }
            writeln!(f, "\n    {}", switch.help())?;
            for value in switch.values {
                let mark = match value.name == switch.default {
                    true => "*",
                    false => "",
                };
                writeln!(f, "  = {}{mark}\n    {}", value.name, value.help())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// `polls=5/10`, or `documented`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaArgument {
    /// All as Azure documents them.
    Documented,
    /// Polls of one device.
    Polls(Quota),
    /// Registrations of all devices.
    Registrations(Quota),
    /// Requests to the service API.
    Operations(Quota),
}

impl FromStr for QuotaArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "documented" {
            return Ok(Self::Documented);
        }
        let Some((kind, quota)) = text.split_once('=') else {
            return Err("say `documented` or KIND=COUNT/SECONDS".into());
        };
        let quota = quota.parse::<Quota>().map_err(|error| error.to_string())?;
        match kind {
            "polls" => Ok(Self::Polls(quota)),
            "registrations" => Ok(Self::Registrations(quota)),
            "operations" => Ok(Self::Operations(quota)),
            _ => Err(format!(
                "`{kind}` is none of polls, registrations, operations"
            )),
        }
    }
}

/// All of them together; a later one precedes.
pub(super) fn quotas(arguments: &[QuotaArgument]) -> Quotas {
    let mut quotas = Quotas::default();
    for argument in arguments {
        match *argument {
            QuotaArgument::Documented => quotas = Quotas::DOCUMENTED,
            QuotaArgument::Polls(quota) => quotas.polls = Some(quota),
            QuotaArgument::Registrations(quota) => quotas.registrations = Some(quota),
            QuotaArgument::Operations(quota) => quotas.operations = Some(quota),
        }
    }
    quotas
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("documented", Ok(QuotaArgument::Documented))]
    #[case("polls=5/10", Ok(QuotaArgument::Polls("5/10".parse().unwrap())))]
    #[case("pols=5/10", Err("`pols` is none of polls, registrations, operations"))]
    #[case("5/10", Err("say `documented` or KIND=COUNT/SECONDS"))]
    fn quota_arguments(#[case] text: &str, #[case] expected: Result<QuotaArgument, &str>) {
        assert_eq!(text.parse(), expected.map_err(str::to_owned));
    }

    #[test]
    fn the_help_names_what_is_unverified() {
        let help = Help.to_string();
        assert!(help.contains("wrong_scope"), "{help}");
        assert!(help.contains("unverified"), "{help}");
    }
}
