//! `index.html`: the whole run in one file that needs no server and no other file.

mod flakes;
mod markup;
mod scenario;
mod timeline;

use az3166_event::{ScenarioResult, folder_name};

use crate::{Counts, RunInfo};
use markup::{attribute, escape};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("filter.js");

/// The text of `index.html`.
pub fn html(run: &RunInfo<'_>, results: &[ScenarioResult]) -> String {
    let counts = Counts::of(results);
    let state = match counts.failed + counts.errors {
        0 => "passed",
        _ => "failed",
    };
    let rows: String = results.iter().map(row).collect();
    let details: String = results.iter().map(scenario::section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{passed}/{all} passed on {target}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body class=\"{state}\">\n<header>\n<h1>AZ3166 scenarios</h1>\n{pills}\n\
         <p class=\"facts\">{facts}</p>\n</header>\n<main>\n\
         <table class=\"scenarios\">\n<thead><tr><th>Verdict</th><th>Scenario</th><th>File</th>\
         <th class=\"number\">Virtual</th><th class=\"number\">Wall</th>\
         <th class=\"number\">Instructions</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n\
         {flakes}{details}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        passed = counts.passed,
        all = counts.all(),
        target = escape(run.target),
        pills = pills(&counts),
        facts = facts(run, results),
        flakes = flakes::section(results),
    )
}

/// Buttons that count verdicts and choose which rows are shown.
fn pills(counts: &Counts) -> String {
    let all = [
        ("all", counts.all(), "scenarios"),
        ("passed", counts.passed, "passed"),
        ("failed", counts.failed, "failed"),
        ("error", counts.errors, "not judged"),
        ("skipped", counts.skipped, "skipped"),
    ];
    let buttons: String = all
        .into_iter()
        .filter(|(kind, count, _)| *count > 0 || *kind == "all")
        .map(|(kind, count, word)| {
            format!(
                "<button class=\"pill {kind}\" data-show=\"{kind}\"><b>{count}</b> {word}</button>"
            )
        })
        .collect();
    format!("<nav class=\"pills\">{buttons}</nav>")
}

fn facts(run: &RunInfo<'_>, results: &[ScenarioResult]) -> String {
    let mut facts = vec![
        format!("target <b>{}</b>", escape(run.target)),
        format!("seed <b>{}</b>", run.seed),
        format!("<b>{:.1} s</b> on the host", run.wall.as_secs_f64()),
    ];
    let mut firmwares: Vec<&str> = results
        .iter()
        .filter_map(|result| result.firmware_sha256.as_deref())
        .collect();
    firmwares.sort_unstable();
    firmwares.dedup();
    for sha256 in firmwares {
        facts.push(format!("firmware <code>{}</code>", escape(&short(sha256))));
    }
    facts.join(" · ")
}

/// The first digits of a hash.
fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}

fn row(result: &ScenarioResult) -> String {
    let kind = result.verdict.kind();
    let id = attribute(&folder_name(&result.name));
    let instructions = result.instructions.map(grouped).unwrap_or_default();
    let word = if result.is_flaky() {
        "flaky"
    } else {
        kind.as_str()
    };
    format!(
        "<tr data-verdict=\"{kind}\"><td><span class=\"verdict {word}\">{word}</span></td>\
         <td><a href=\"#{id}\">{name}</a></td><td class=\"file\">{file}</td>\
         <td class=\"number\">{virtual_seconds:.3} s</td><td class=\"number\">{wall:.2} s</td>\
         <td class=\"number\">{instructions}</td></tr>\n",
        name = escape(&result.name),
        file = escape(&result.file),
        virtual_seconds = result.virtual_time.as_secs_f64(),
        wall = result.wall.as_secs_f64(),
    )
}

/// A number in groups of three digits: `125 034 000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
