//! One scenario's part of the page.

use az3166_event::{
    Expectedness, Failure, Finding, Location, ScenarioResult, Verdict, folder_name,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::markup::{attribute, escape};
use super::{grouped, short, timeline};
use crate::failure::title;
use crate::folder::files_of;
use crate::text::last_lines;

/// How many of the last console lines the page shows; all of them are in the scenario's folder.
const CONSOLE_LINES: usize = 200;

/// The scenario's section; open where it did not pass.
pub fn section(result: &ScenarioResult) -> String {
    let kind = result.verdict.kind();
    let open = match result.verdict {
        Verdict::Failed(_) | Verdict::Error { .. } => " open",
        Verdict::Passed | Verdict::Skipped { .. } => "",
    };
    format!(
        "<details class=\"scenario\" id=\"{id}\" data-verdict=\"{kind}\"{open}>\n<summary>\
         <span class=\"verdict {kind}\">{kind}</span> {name}</summary>\n\
         {explanation}{findings}<div class=\"columns\">{display}{facts}</div>\n\
         {timeline}{console}{certificate}</details>\n",
        id = attribute(&folder_name(&result.name)),
        name = escape(&result.name),
        explanation = explanation(&result.verdict),
        findings = findings(&result.findings),
        display = display(result),
        facts = facts(result),
        timeline = timeline::timeline(result),
        console = console(result),
        certificate = certificate(result),
    )
}

fn explanation(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => String::new(),
        Verdict::Skipped { reason } => format!("<p class=\"reason\">{}</p>\n", escape(reason)),
        Verdict::Error { what, todo } => format!(
            "<div class=\"failure\"><h3>{}</h3><p>{}</p></div>\n",
            escape(what),
            escape(todo)
        ),
        Verdict::Failed(failure) => failed(failure),
    }
}

fn failed(failure: &Failure) -> String {
    format!(
        "<div class=\"failure\"><h3>{title}</h3>\n<p class=\"file\">{location}</p>\n\
         <pre class=\"source\">{source}</pre>\n\
         <dl><dt>expected</dt><dd>{expected}</dd><dt>seen</dt><dd>{seen}</dd></dl></div>\n",
        title = escape(&title(failure)),
        location = escape(&failure.location.to_string()),
        source = source(&failure.location),
        expected = escape(&failure.expected),
        seen = escape(&failure.seen),
    )
}

/// The line of the file with the meant part marked, which is the page's caret.
fn source(location: &Location) -> String {
    let chars: Vec<char> = location.text.chars().collect();
    let start = (location.column as usize)
        .saturating_sub(1)
        .min(chars.len());
    let end = start
        .saturating_add(location.width as usize)
        .min(chars.len());
    let text = |part: &[char]| escape(&part.iter().collect::<String>());
    format!(
        "<span class=\"line\">{}</span>{}<mark>{}</mark>{}",
        location.line,
        text(&chars[..start]),
        text(&chars[start..end]),
        text(&chars[end..])
    )
}

fn findings(findings: &[Finding]) -> String {
    let item = |finding: &Finding| {
        let word = match finding.expected {
            Expectedness::Expected => "expected",
            Expectedness::Unexpected => "unexpected",
        };
        format!(
            "<li class=\"{word}\"><b>{}</b> <i>{word}</i> {}</li>",
            escape(&finding.id),
            escape(&finding.text)
        )
    };
    match findings {
        [] => String::new(),
        _ => format!(
            "<ul class=\"findings\">{}</ul>\n",
            findings.iter().map(item).collect::<String>()
        ),
    }
}

fn display(result: &ScenarioResult) -> String {
    let Some(Ok(png)) = result.display.as_ref().map(crate::display::png) else {
        return String::new();
    };
    format!(
        "<img class=\"display\" alt=\"the display at the end\" width=\"402\" height=\"210\" \
         src=\"data:image/png;base64,{}\">",
        STANDARD.encode(png)
    )
}

fn facts(result: &ScenarioResult) -> String {
    let mut facts = vec![
        ("file", escape(&result.file)),
        ("target", escape(&result.target)),
        ("seed", result.seed.to_string()),
        (
            "virtual time",
            format!("{:.6} s", result.virtual_time.as_secs_f64()),
        ),
        ("wall time", format!("{:.3} s", result.wall.as_secs_f64())),
    ];
    if let Some(instructions) = result.instructions {
        facts.push(("instructions", grouped(instructions)));
    }
    if let Some(sha256) = &result.firmware_sha256 {
        facts.push((
            "firmware",
            format!("<code>{}</code>", escape(&short(sha256))),
        ));
    }
    if let Some(sha256) = crate::summary::trace_sha256(result) {
        facts.push(("trace", format!("<code>{}</code>", escape(&short(&sha256)))));
    }
    if !result.tags.is_empty() {
        facts.push(("tags", escape(&result.tags.join(", "))));
    }
    let folder = attribute(&folder_name(&result.name));
    let links: Vec<String> = files_of(result)
        .into_iter()
        .map(|name| format!("<a href=\"{folder}/{name}\">{name}</a>"))
        .collect();
    if !links.is_empty() {
        facts.push(("files", links.join(" ")));
    }
    let rows: String = facts
        .into_iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>"))
        .collect();
    format!("<dl class=\"facts\">{rows}</dl>")
}

fn console(result: &ScenarioResult) -> String {
    let lines = last_lines(&result.console, CONSOLE_LINES);
    match lines.is_empty() {
        true => String::new(),
        false => format!(
            "<details><summary>Console</summary><pre class=\"console\">{}</pre></details>\n",
            escape(&lines.join("\n"))
        ),
    }
}

fn certificate(result: &ScenarioResult) -> String {
    match &result.certificate_pem {
        None => String::new(),
        Some(pem) => format!(
            "<details><summary>Certificate</summary><pre>{}</pre></details>\n",
            escape(pem)
        ),
    }
}
