//! Two targets side by side.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use core::time::Duration;

use az3166_event::{ConsoleEvent, Payload, ScenarioResult, Verdict, VirtualTime};
use az3166_report::{Aspect, parity};

fn passed(name: &str) -> ScenarioResult {
    support::result(name, Verdict::Passed)
}

fn said(mut result: ScenarioResult, text: &str) -> ScenarioResult {
    let line = Payload::Console(ConsoleEvent::Line { text: text.into() });
    let trace = &mut result.trace;
    trace.record(VirtualTime::from_millis(99), Duration::ZERO, line);
    result
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
