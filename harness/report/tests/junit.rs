//! The JUnit report, read by another XML parser.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use az3166_event::{Failure, ScenarioResult, Verdict};
use az3166_report::{junit, printable};
use proptest::prelude::*;
use roxmltree::Document;

fn xml(results: &[ScenarioResult]) -> String {
    junit(&support::RUN, results, Path::new("target/hil")).unwrap()
}

#[test]
fn every_verdict_has_its_form() {
    insta::assert_snapshot!(xml(&support::results()));
}

#[test]
fn cases_of_one_name_stay_apart() {
    let twice = [
        support::result("a", Verdict::Passed),
        support::result("a", Verdict::Passed),
    ];
    let text = xml(&twice);
    let document = Document::parse(&text).unwrap();
    let names: Vec<_> = cases(&document)
        .filter_map(|case| case.attribute("name"))
        .collect();
    assert_eq!(names, ["a", "a (2)"]);
}

fn cases<'a>(document: &'a Document<'a>) -> impl Iterator<Item = roxmltree::Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
}

/// Bytes that XML writers fail on, among any others.
fn nasty_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just(b"]]>".to_vec()),
        Just(b"\x1b[31m".to_vec()),
        Just(b"\x1b]0;title".to_vec()),
        Just(b"\0".to_vec()),
        Just("\u{fffe}\u{ffff}".as_bytes().to_vec()),
        Just("\u{9b}x".as_bytes().to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"<a b='\"'>&amp;".to_vec()),
        Just(b"\xed\xa0\x80".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn nasty_text() -> impl Strategy<Value = String> {
    nasty_bytes().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

proptest! {
    #[test]
    fn any_bytes_make_a_file_that_parsers_read(
        console in nasty_bytes(),
        name in nasty_text(),
        reason in nasty_text(),
        kind in 0..5,
    ) {
        let failure = Failure {
            expected: reason.clone(),
            seen: reason.clone(),
            verb: reason.clone(),
            ..support::failure()
        };
        let verdict = match kind {
            0 | 1 => Verdict::Passed,
            2 => Verdict::Skipped { reason: reason.clone() },
            3 => Verdict::Error { what: reason.clone(), todo: reason.clone() },
            _ => Verdict::Failed(Box::new(failure.clone())),
        };
        let attempts = if kind == 1 { vec![failure] } else { Vec::new() };
        let nasty = ScenarioResult {
            console: console.clone(),
            earlier_attempts: attempts,
            file: reason.clone(),
            tags: vec![reason.clone()],
            ..support::result(&name, verdict)
        };
        let results = [nasty.clone(), nasty];
        let text = xml(&results);
        let document = Document::parse(&text).map_err(|error| {
            TestCaseError::fail(format!("{error} in {text}"))
        })?;
        let seen: BTreeSet<_> = cases(&document)
            .map(|case| (case.attribute("classname"), case.attribute("name")))
            .collect();
        prop_assert_eq!(seen.len(), 2);
        let out = document.descendants().find(|node| node.has_tag_name("system-out")).unwrap();
        let out = out.text().unwrap_or_default();
        for line in printable(&console).lines() {
            prop_assert!(out.contains(line), "{line:?} is not in {out:?}");
        }
    }
}
