//! Two targets side by side.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use core::time::Duration;

use az3166_event::{
    CloudEvent, ConsoleEvent, MachineEvent, Payload, ScenarioResult, Verdict, VirtualTime,
};
use az3166_report::{Aspect, EXCEPTIONS, parity};
use rstest::rstest;

fn passed(name: &str) -> ScenarioResult {
    support::result(name, Verdict::Passed)
}

fn with(mut result: ScenarioResult, payload: Payload) -> ScenarioResult {
    let trace = &mut result.trace;
    trace.record(VirtualTime::from_millis(99), Duration::ZERO, payload);
    result
}

fn said(result: ScenarioResult, text: &str) -> ScenarioResult {
    let text = text.into();
    with(result, Payload::Console(ConsoleEvent::Line { text }))
}

/// A result whose trace has these words: `reset`, `GET path`, or a line of the console.
fn doing(words: &[&str]) -> ScenarioResult {
    words.iter().fold(passed("a"), |result, word| {
        let payload = match word.split_once(' ') {
            Some(("GET", path)) => Payload::Cloud(CloudEvent::Http {
                connection: 1,
                method: "GET".into(),
                path: path.into(),
                api_version: None,
                status: 200,
                error_code: None,
                retry_after: None,
            }),
            _ if *word == "reset" => Payload::Machine(MachineEvent::Reset {
                cause: "pin".into(),
            }),
            _ => return said(result, word),
        };
        with(result, payload)
    })
}

/// The exceptions excuse what they say, and nothing beside it.
#[rstest]
#[case::polls(&["GET /operations/1", "GET /operations/1", "b"], &["GET /operations/1", "b"], Some(true))]
#[case::no_poll(&["GET /operations/1", "GET /b"], &["GET /b"], Some(false))]
#[case::another_poll(&["GET /operations/1", "GET /operations/2"], &["GET /operations/1"], Some(false))]
#[case::another_request(&["GET /operations/1", "GET /b"], &["GET /c"], Some(false))]
#[case::end(&["a", "b"], &["a"], Some(true))]
#[case::end_within_a_line(&["a", "bcd"], &["a", "b"], Some(true))]
#[case::silence(&["a", "reset", "b"], &["a", "reset"], Some(false))]
#[case::before_a_reset(&["a", "b", "reset", "c"], &["a", "reset", "c"], Some(true))]
#[case::after_the_same_end(&["a", "reset", "c"], &["a", "b", "reset", "d"], Some(false))]
#[case::another_line(&["a", "b"], &["a", "c"], Some(false))]
#[case::a_reset_more(&["a", "reset", "b"], &["a", "b"], None)]
#[case::a_reset_more_that_is_heard(&["a", "reset", "b"], &["a", "c"], Some(false))]
fn exceptions(#[case] left: &[&str], #[case] right: &[&str], #[case] explained: Option<bool>) {
    let parity = parity(&[doing(left)], &[doing(right)]);
    let found = parity.differences.first();
    assert_eq!(found.map(|it| it.explained.is_some()), explained);
    assert!(found.is_none_or(|it| {
        let reasons = EXCEPTIONS.iter().map(|exception| exception.reason);
        it.explained
            .is_none_or(|reason| reasons.into_iter().any(|it| it == reason))
    }));
}

/// The page for users lists them.
#[test]
fn the_page_lists_all_exceptions() {
    let page = include_str!("../../../renode/README.md");
    for exception in &EXCEPTIONS {
        let row = format!("| {} | {} |", exception.aspect.name(), exception.reason);
        assert!(page.contains(&row), "missing: {row}");
    }
}

#[test]
fn equal_runs_hold_whatever_their_times_are() {
    let mut later = passed("a");
    later.virtual_time = VirtualTime::from_millis(1);
    later.wall = Duration::from_secs(99);
    let parity = parity(&[passed("a")], &[later]);
    assert!(parity.holds() && parity.compared == 1 && parity.differences.is_empty());
}

#[test]
fn each_aspect_is_compared() {
    let failed = support::result("verdict", Verdict::Failed(Box::new(support::failure())));
    let mut other_certificate = passed("certificate");
    other_certificate.certificate_pem = None;
    let left = [
        passed("verdict"),
        passed("certificate"),
        said(passed("console"), "one"),
    ];
    let right = [failed, other_certificate, said(passed("console"), "two")];
    let parity = parity(&left, &right);
    assert!(!parity.holds());
    let seen: Vec<_> = parity
        .differences
        .iter()
        .map(|it| {
            (
                it.scenario.as_str(),
                it.aspect,
                it.left.as_str(),
                it.right.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                "verdict",
                Aspect::Verdict,
                "passed",
                "failed at scenarios/provision.yaml:14:5"
            ),
            (
                "certificate",
                Aspect::Certificate,
                "-----BEGIN CERTIFICATE-----",
                "(nothing more)"
            ),
            ("console", Aspect::Console, "one", "two"),
        ]
    );
}

#[test]
fn what_was_not_judged_is_not_compared_but_counted() {
    let reason = "the target renode lacks bootloader-state".to_owned();
    let skipped = support::result("a", Verdict::Skipped { reason });
    let parity = parity(&[passed("a"), passed("b")], &[skipped]);
    assert_eq!((parity.compared, parity.not_compared.len()), (0, 2));
    assert!(parity.not_compared[0].1.ends_with("lacks bootloader-state"));
}
