//! What many runs of the same scenarios say about their steadiness.

use std::collections::{BTreeMap, BTreeSet};

use az3166_event::{ScenarioResult, VerdictKind};
use serde::Serialize;

use crate::summary::trace_sha256;

/// The name of run `number`, from 1, of the scenario `name`.
pub fn name_of_run(name: &str, number: u32) -> String {
    match number {
        1 => name.to_owned(),
        _ => format!("{name}{RUN}{number})"),
    }
}

const RUN: &str = " (run ";

/// The scenario that a run's name belongs to.
fn scenario_of(name: &str) -> &str {
    let Some((scenario, rest)) = name.rsplit_once(RUN) else {
        return name;
    };
    match rest.strip_suffix(')').map(str::parse::<u32>) {
        Some(Ok(2..)) => scenario,
        _ => name,
    }
}

/// How the runs of one scenario ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Steadiness {
    /// The scenario.
    pub name: String,
    /// Its file.
    pub file: String,
    /// How often it was run.
    pub runs: usize,
    /// How often it passed, at whichever attempt.
    pub passed: usize,
    /// How often it passed only after another attempt.
    pub flaky: usize,
    /// How often it failed.
    pub failed: usize,
    /// How often it could not be judged.
    pub errors: usize,
    /// How often it was not run.
    pub skipped: usize,
    /// How many different traces it left; 1 is what is due where time is virtual.
    pub traces: usize,
}

impl Steadiness {
    /// Whether all runs ended alike, at the first attempt.
    pub fn is_steady(&self) -> bool {
        let all = [self.passed, self.failed, self.errors, self.skipped];
        self.flaky == 0 && all.contains(&self.runs)
    }
}

/// The steadiness of every scenario, in the order of their first runs; none where each was run once.
pub fn steadiness(results: &[ScenarioResult]) -> Vec<Steadiness> {
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut found: BTreeMap<(&str, &str), (Steadiness, BTreeSet<String>)> = BTreeMap::new();
    for result in results {
        let key = (result.file.as_str(), scenario_of(&result.name));
        let (entry, traces) = found.entry(key).or_insert_with(|| {
            order.push(key);
            let entry = Steadiness {
                name: key.1.to_owned(),
                file: key.0.to_owned(),
                ..Steadiness::default()
            };
            (entry, BTreeSet::new())
        });
        entry.runs += 1;
        entry.flaky += usize::from(result.is_flaky());
        match result.verdict.kind() {
            VerdictKind::Passed => entry.passed += 1,
            VerdictKind::Failed => entry.failed += 1,
            VerdictKind::Skipped => entry.skipped += 1,
            VerdictKind::Error => entry.errors += 1,
        }
        // A run that was not judged was perhaps cut short.
        if let VerdictKind::Passed | VerdictKind::Failed = result.verdict.kind() {
            traces.extend(trace_sha256(result));
        }
        entry.traces = traces.len();
    }
    if found.values().all(|(entry, _)| entry.runs == 1) {
        return Vec::new();
    }
    let entries = order.into_iter().filter_map(|key| found.remove(&key));
    entries.map(|(entry, _)| entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_belong_to_their_scenario() {
        for name in ["a", "a (run 1)", "a (run x)", "a (run 2) b"] {
            assert_eq!(scenario_of(name), name);
            assert_eq!(scenario_of(&name_of_run(name, 1)), name);
            assert_eq!(scenario_of(&name_of_run(name, 12)), name);
        }
    }
}
