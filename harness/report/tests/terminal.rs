//! What people see.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use az3166_event::{Progress, Verdict, VirtualTime};
use az3166_report::{JsonLines, Screen, Style, Terminal};

fn shown(style: Style) -> String {
    let mut out = Vec::new();
    let terminal = Terminal::new(&mut out, Screen::Lines, style);
    let results = support::results();
    let started = Progress::RunStarted {
        scenarios: results.len(),
        target: "emulator",
        seed: 7,
    };
    terminal.take(started).unwrap();
    let what = "compiling the firmware";
    terminal.take(Progress::Preparing { what }).unwrap();
    for result in &results {
        let (name, file) = (result.name.as_str(), result.file.as_str());
        terminal
            .take(Progress::ScenarioStarted { name, file })
            .unwrap();
        let at = VirtualTime::ZERO;
        let step = Progress::StepStarted {
            name,
            step: 1,
            verb: "reset",
            at,
        };
        terminal.take(step).unwrap();
        terminal
            .take(Progress::ScenarioFinished { result })
            .unwrap();
    }
    terminal.finish(&support::RUN, &results).unwrap();
    drop(terminal);
    String::from_utf8(out).unwrap()
}

#[test]
fn lines_tell_verdicts_failures_and_counts() {
    insta::assert_snapshot!(shown(Style::Plain));
}

#[test]
fn colours_are_only_there_when_asked_for() {
    assert!(!shown(Style::Plain).contains('\u{1b}'));
    assert!(shown(Style::Coloured).contains("\u{1b}["));
}

#[test]
fn a_device_cannot_command_the_terminal() {
    let mut failure = support::failure();
    failure.seen = "\u{1b}[2J\u{9b}31m\u{7}gone".into();
    failure.location.text = "  - console: {send: \"\u{1b}[31m\"}".into();
    let mut out = Vec::new();
    let terminal = Terminal::new(&mut out, Screen::Lines, Style::Plain);
    let result = support::result("a\u{1b}[1m", Verdict::Failed(Box::new(failure)));
    terminal
        .take(Progress::ScenarioFinished { result: &result })
        .unwrap();
    drop(terminal);
    let text = String::from_utf8(out).unwrap();
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
    assert!(text.contains("\\x1b[2J\\x9b31m\\x07gone"));
}

#[test]
fn json_lines_are_one_object_each() {
    let mut out = Vec::new();
    let lines = JsonLines::new(&mut out);
    let results = support::results();
    for result in &results {
        lines.take(Progress::ScenarioFinished { result }).unwrap();
    }
    lines.finish(&support::RUN, &results).unwrap();
    let text = String::from_utf8(out).unwrap();
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), results.len() + 1);
    assert_eq!(events[1]["failure"]["line"], 14);
    assert_eq!(events[6]["counts"]["errors"], 1);
}
