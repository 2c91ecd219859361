//! When a scenario is tried again. A retry buys a label, `flaky`, and hides nothing.

use az3166_event::{Failure, Location, ScenarioResult, Verdict, VirtualTime};
use az3166_scenario::{Scenario, Span};

/// What stands for trouble of the infrastructure among earlier attempts.
pub const INFRASTRUCTURE: &str = "infrastructure";

/// How often a scenario is tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    /// After trouble with the infrastructure.
    pub errors: u8,
    /// After a step that did not hold.
    pub failures: u8,
}

impl Retries {
    /// The most that is sensible: what fails three times is no matter of chance.
    pub const MOST: u8 = 2;

    /// What boards get: probes, hubs and wires give trouble that says nothing of the firmware.
    pub const FOR_BOARDS: Self = Self {
        errors: Self::MOST,
        failures: 0,
    };

    /// The attempt that ended in `result` as one of the earlier ones, if there is to be another.
    pub(crate) fn next(
        &self,
        scenario: &Scenario,
        result: &ScenarioResult,
        earlier: &[Failure],
    ) -> Option<Failure> {
        let errors = earlier.iter().filter(|it| it.verb == INFRASTRUCTURE);
        let errors = errors.count();
        let failures = earlier.len() - errors;
        match &result.verdict {
            Verdict::Failed(failure) if failures < usize::from(self.failures) => {
                Some((**failure).clone())
            }
            Verdict::Error { what, .. } if errors < usize::from(self.errors) => {
                // Of several boards, the one to look at.
                let what = format!("on {}: {what}", result.target);
                Some(trouble(scenario, what, result.virtual_time))
            }
            _ => None,
        }
    }
}

/// Trouble with the infrastructure, at the head of the scenario's file.
fn trouble(scenario: &Scenario, what: String, at: VirtualTime) -> Failure {
    let location: Location = scenario.source.location(Span::default());
    Failure {
        step: None,
        verb: INFRASTRUCTURE.into(),
        location,
        expected: "infrastructure that works".into(),
        seen: what,
        at,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use az3166_scenario::{Source, parse};
    use rstest::rstest;

    use super::*;
    use crate::suite::blank;

    fn check(retries: Retries, verdicts: &[Verdict]) -> usize {
        let source = Source::new("a.yaml", "name: a\nsteps: [{power: off}]\n");
        let file = parse(&source, &BTreeMap::new()).unwrap();
        let scenario = &file.scenarios[0];
        let mut earlier = Vec::new();
        for verdict in verdicts {
            let mut result = blank(scenario, "board:x", 0);
            result.verdict = verdict.clone();
            match retries.next(scenario, &result, &earlier) {
                Some(attempt) => earlier.push(attempt),
                None => break,
            }
        }
        earlier.len()
    }

    fn error() -> Verdict {
        Verdict::Error {
            what: "no probe".into(),
            todo: String::new(),
        }
    }

    #[rstest]
    #[case::never(Retries::default(), &[error()], 0)]
    #[case::twice_and_no_more(Retries::FOR_BOARDS, &[error(), error(), error()], 2)]
    #[case::until_it_passes(Retries::FOR_BOARDS, &[error(), Verdict::Passed], 1)]
    #[case::not_after_a_skip(Retries::FOR_BOARDS, &[Verdict::Skipped { reason: "x".into() }], 0)]
    fn errors(#[case] retries: Retries, #[case] verdicts: &[Verdict], #[case] attempts: usize) {
        assert_eq!(check(retries, verdicts), attempts);
    }

    #[test]
    fn failures_are_counted_apart() {
        let source = Source::new("a.yaml", "name: a\nsteps: [{power: off}]\n");
        let failed = Verdict::Failed(Box::new(Failure {
            verb: "console".into(),
            ..trouble(
                &parse(&source, &BTreeMap::new()).unwrap().scenarios[0],
                String::new(),
                VirtualTime::ZERO,
            )
        }));
        let verdicts = [failed.clone(), error(), failed.clone(), error(), error()];
        let all = Retries {
            errors: 2,
            failures: 2,
        };
        assert_eq!(check(all, &verdicts), 4);
        assert_eq!(check(Retries::FOR_BOARDS, &verdicts), 0);
    }
}
