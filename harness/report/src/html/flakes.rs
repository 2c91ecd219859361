//! The table of scenarios that were run several times.

use az3166_event::ScenarioResult;

use super::markup::escape;
use crate::flake::{Steadiness, steadiness};

/// The section; empty where each scenario was run once.
pub fn section(results: &[ScenarioResult]) -> String {
    let all = steadiness(results);
    if all.is_empty() {
        return String::new();
    }
    let rows: String = all.iter().map(row).collect();
    format!(
        "<section class=\"flakes\">\n<h2>Runs of the same scenario</h2>\n\
         <table class=\"scenarios\">\n<thead><tr><th>Steady</th><th>Scenario</th>\
         <th class=\"number\">Runs</th><th class=\"number\">Passed</th><th class=\"number\">Flaky</th>\
         <th class=\"number\">Failed</th><th class=\"number\">Not judged</th>\
         <th class=\"number\">Traces</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n"
    )
}

fn row(entry: &Steadiness) -> String {
    let (class, word) = match entry.is_steady() {
        true => ("passed", "steady"),
        false => ("flaky", "flaky"),
    };
    let numbers = [
        entry.runs,
        entry.passed,
        entry.flaky,
        entry.failed,
        entry.errors,
        entry.traces,
    ];
    let numbers: String = numbers
        .iter()
        .map(|number| format!("<td class=\"number\">{number}</td>"))
        .collect();
    format!(
        "<tr><td><span class=\"verdict {class}\">{word}</span></td><td>{}</td>{numbers}</tr>\n",
        escape(&entry.name)
    )
}
