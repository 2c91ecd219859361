//! The events of a scenario: a strip over virtual time, and a table.

use az3166_event::{Event, ScenarioResult, VerdictKind};
use serde_json::{Map, Value};

use super::markup::{attribute, escape};

/// The strip's rows, from the top.
const LANES: [&str; 8] = [
    "step",
    "finding",
    "console",
    "display",
    "machine",
    "secure_element",
    "network",
    "cloud",
];
/// How many rows the table has, by what is of interest; the whole trace is in the folder.
const ROWS_PASSED: usize = 80;
const ROWS_FAILED: usize = 300;
/// The strip's width in its own units.
const WIDTH: f64 = 1000.0;
const LANE_HEIGHT: usize = 14;

/// An event as the page needs it, and how many like it came in a row.
struct Entry {
    source: String,
    kind: String,
    members: Map<String, Value>,
    seconds: f64,
    count: usize,
}

/// The strip and the table; nothing where nothing happened.
pub fn timeline(result: &ScenarioResult) -> String {
    let entries = merged(result.trace.events());
    if entries.is_empty() {
        return String::new();
    }
    let rows = match result.verdict.kind() {
        VerdictKind::Passed | VerdictKind::Skipped => ROWS_PASSED,
        VerdictKind::Failed | VerdictKind::Error => ROWS_FAILED,
    };
    format!(
        "<h3>Timeline</h3>\n{}<details><summary>Events</summary>{}</details>\n",
        strip(&entries),
        table(&entries, rows)
    )
}

/// The events with runs of the same source, kind and name, such as commands of the secure
/// element, made one.
fn merged(events: &[Event]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for event in events {
        let Ok(Value::Object(mut members)) = serde_json::to_value(event) else {
            continue;
        };
        let mut word = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let (source, kind) = (word("source"), word("kind"));
        members.remove("virtual_ns");
        members.remove("wall_ns");
        let seconds = event.virtual_ns.as_secs_f64();
        match entries.last_mut() {
            Some(last) if last.source == source && last.kind == kind && last.members == members => {
                last.count += 1;
            }
            _ => entries.push(Entry {
                source,
                kind,
                members,
                seconds,
                count: 1,
            }),
        }
    }
    entries
}

fn strip(entries: &[Entry]) -> String {
    let last = entries
        .iter()
        .map(|entry| entry.seconds)
        .fold(1e-9, f64::max);
    let height = LANES.len() * LANE_HEIGHT;
    let mut drawn = std::collections::BTreeSet::new();
    let mut marks = String::new();
    for entry in entries {
        let Some(lane) = LANES.iter().position(|lane| *lane == entry.source) else {
            continue;
        };
        let x = (entry.seconds / last * (WIDTH - 4.0)).round();
        // Marks on the same spot would only make the page larger.
        if !drawn.insert((lane, x as u64)) {
            continue;
        }
        let y = lane * LANE_HEIGHT + 2;
        let bad = if entry.kind == "failed" { " bad" } else { "" };
        marks.push_str(&format!(
            "<rect class=\"{source}{bad}\" x=\"{x}\" y=\"{y}\" width=\"3\" height=\"10\">\
             <title>{seconds:.6} s {kind}</title></rect>",
            source = attribute(&entry.source),
            seconds = entry.seconds,
            kind = escape(&entry.kind),
        ));
    }
    let labels: String = LANES
        .iter()
        .map(|lane| format!("<span class=\"{lane}\">{}</span>", lane.replace('_', " ")))
        .collect();
    format!(
        "<div class=\"strip\"><div class=\"lanes\">{labels}</div>\
         <svg viewBox=\"0 0 {WIDTH} {height}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"events over {last:.3} seconds of virtual time\">{marks}</svg></div>\n\
         <p class=\"scale\"><span>0 s</span><span>{last:.3} s</span></p>\n"
    )
}

fn table(entries: &[Entry], rows: usize) -> String {
    let head = entries.len().min(rows / 4);
    let tail = entries.len().saturating_sub(rows - rows / 4).max(head);
    let mut text = String::from("<table class=\"events\"><tbody>\n");
    text.extend(entries[..head].iter().map(line));
    if tail > head {
        let left_out = tail - head;
        text.push_str(&format!(
            "<tr class=\"gap\"><td colspan=\"3\">{left_out} events more in trace.jsonl</td></tr>\n"
        ));
    }
    text.extend(entries[tail..].iter().map(line));
    text.push_str("</tbody></table>");
    text
}

fn line(entry: &Entry) -> String {
    let members: Vec<String> = entry
        .members
        .iter()
        .map(|(name, value)| format!("<i>{}</i>&nbsp;{}", escape(name), escape(&text_of(value))))
        .collect();
    let count = match entry.count {
        1 => String::new(),
        count => format!(" <b>×{count}</b>"),
    };
    format!(
        "<tr><td class=\"number\">{seconds:.6}</td>\
         <td><span class=\"source {source}\">{source}</span> {kind}{count}</td><td>{members}</td></tr>\n",
        seconds = entry.seconds,
        source = attribute(&entry.source),
        kind = escape(&entry.kind),
        members = members.join(" &nbsp; "),
    )
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(" / "),
        other => other.to_string(),
    }
}
