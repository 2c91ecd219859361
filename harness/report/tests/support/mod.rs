//! Results to report on.

#![allow(dead_code, reason = "each test file uses some of it")]

use core::time::Duration;

use az3166_event::{
    CloudEvent, ConsoleEvent, Expectedness, Failure, Finding, Location, Payload, Picture,
    ScenarioResult, StepEvent, Trace, Verdict, VirtualTime,
};
use az3166_report::RunInfo;

pub const RUN: RunInfo<'static> = RunInfo {
    target: "emulator",
    seed: 7,
    wall: Duration::from_millis(2345),
};

pub fn result(name: &str, verdict: Verdict) -> ScenarioResult {
    let mut trace = Trace::default();
    let mut record = |millis, payload| {
        trace.record(
            VirtualTime::from_millis(millis),
            Duration::from_millis(1),
            payload,
        );
    };
    let text = "MAC: c8934641234b".to_owned();
    record(10, Payload::Console(ConsoleEvent::Line { text }));
    let verb = "expect_registration".to_owned();
    record(20, Payload::Step(StepEvent::Begin { step: 5, verb }));
    record(
        30,
        Payload::Cloud(CloudEvent::Http {
            connection: 1,
            method: "PUT".into(),
            path: "/0ne00000000/registrations/az-1/register".into(),
            api_version: Some("2021-06-01".into()),
            status: 401,
            error_code: Some(401_002),
            retry_after: None,
        }),
    );
    ScenarioResult {
        name: name.into(),
        file: "scenarios/provision.yaml".into(),
        tags: vec!["nightly".into()],
        target: "emulator".into(),
        verdict,
        virtual_time: VirtualTime::from_millis(12_345),
        wall: Duration::from_millis(678),
        instructions: Some(125_034_000),
        trace,
        console: b"AZ3166 DevKit open firmware\r\nMAC: c8934641234b\r\n# \x1b[31mred\x1b[0m ]]> \0\xff\r\n"
            .to_vec(),
        certificate_pem: Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()),
        display: Some(Picture::from_fn(|x, y| (x / 8 + y / 8) % 2 == 0)),
        attachments: Vec::new(),
        pcapng: Some(vec![0x0a, 0x0d, 0x0d, 0x0a]),
        firmware_sha256: Some("ab".repeat(32)),
        seed: 7,
        findings: vec![Finding {
            id: "device-id-key-recoverable".into(),
            text: "the signature's nonce is a constant".into(),
            expected: Expectedness::Expected,
        }],
        earlier_attempts: Vec::new(),
    }
}

pub fn failure() -> Failure {
    Failure {
        step: Some(5),
        verb: "expect_registration".into(),
        location: Location {
            file: "scenarios/provision.yaml".into(),
            line: 14,
            column: 5,
            width: 19,
            text: "  - expect_registration: {status: assigned, within: 60s}".into(),
        },
        expected: "registration assigned within 60s".into(),
        seen: "refused with 401002\nPUT /0ne00000000/registrations/az-1/register -> 401".into(),
        at: VirtualTime::from_millis(60_123),
    }
}

/// One result of each kind.
pub fn results() -> Vec<ScenarioResult> {
    let failed = Verdict::Failed(Box::new(failure()));
    let error = Verdict::Error {
        what: "the firmware does not build:\nerror[E0463]: can't find crate for `core`".into(),
        todo: "rustup target add thumbv7em-none-eabi".into(),
    };
    let skipped = Verdict::Skipped {
        reason: "firmware has no link channel".into(),
    };
    let nothing = |name: &str, verdict| ScenarioResult {
        trace: Trace::default(),
        console: Vec::new(),
        certificate_pem: None,
        display: None,
        pcapng: None,
        instructions: None,
        findings: Vec::new(),
        virtual_time: VirtualTime::ZERO,
        wall: Duration::ZERO,
        tags: Vec::new(),
        ..result(name, verdict)
    };
    let flaky = ScenarioResult {
        earlier_attempts: vec![failure()],
        ..result("packet loss", Verdict::Passed)
    };
    vec![
        result("provision with a fresh UDS", Verdict::Passed),
        result("wrong UDS [digit 3]", failed),
        flaky,
        nothing("no link", skipped.clone()),
        nothing("no link either", skipped),
        nothing("firmware of one's own", error),
    ]
}
