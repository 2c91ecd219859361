//! `summary.json`: one object a scenario, for programs.

use az3166_event::{ScenarioResult, VerdictKind};
use serde::Serialize;

use crate::Counts;
use crate::flake::{Steadiness, steadiness};

#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    counts: Counts,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steadiness: Vec<Steadiness>,
    scenarios: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    file: &'a str,
    verdict: VerdictKind,
    flaky: bool,
    attempts: usize,
    target: &'a str,
    virtual_seconds: f64,
    wall_seconds: f64,
    instructions: Option<u64>,
    trace_sha256: Option<String>,
}

impl<'a> Entry<'a> {
    fn of(result: &'a ScenarioResult) -> Self {
        Self {
            name: &result.name,
            file: &result.file,
            verdict: result.verdict.kind(),
            flaky: result.is_flaky(),
            attempts: result.earlier_attempts.len() + 1,
            target: &result.target,
            virtual_seconds: result.virtual_time.as_secs_f64(),
            wall_seconds: result.wall.as_secs_f64(),
            instructions: result.instructions,
            trace_sha256: trace_sha256(result),
        }
    }
}

/// The hash of the scenario's trace; none where nothing happened.
pub fn trace_sha256(result: &ScenarioResult) -> Option<String> {
    (!result.trace.events().is_empty()).then(|| result.trace.sha256())
}

/// The text of `summary.json`.
pub fn summary(results: &[ScenarioResult]) -> String {
    let summary = Summary {
        counts: Counts::of(results),
        steadiness: steadiness(results),
        scenarios: results.iter().map(Entry::of).collect(),
    };
    // Strings and numbers can always be JSON.
    let mut text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    text.push('\n');
    text
}

/// The scenario names of an earlier `summary.json`; none where it cannot be read.
pub fn names_in(text: &str) -> Vec<String> {
    let Ok(summary) = serde_json::from_str::<serde_json::Value>(text) else {
        return Vec::new();
    };
    let scenarios = summary["scenarios"].as_array();
    let names = scenarios
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["name"].as_str());
    names.map(str::to_owned).collect()
}
