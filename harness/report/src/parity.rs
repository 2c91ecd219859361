//! Whether a scenario does the same on two targets.

use std::collections::BTreeMap;

use az3166_event::{CloudEvent, ConsoleEvent, MachineEvent, Payload, ScenarioResult, Verdict};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// Passed, failed or error.
    Verdict,
    /// The bytes of the certificate that the device presented last.
    Certificate,
    /// What the device asked the services and what they answered, without times.
    Registration,
    /// The console's lines, without times.
    Console,
}

impl Aspect {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Certificate => "certificate",
            Self::Registration => "registration",
            Self::Console => "console",
        }
    }
}

/// One scenario that is not the same on two targets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The scenario's name.
    pub scenario: String,
    /// What differs.
    pub aspect: Aspect,
    /// The first thing that differs, on the first target.
    pub left: String,
    /// The same on the second.
    pub right: String,
    /// Why it may differ, where that is known.
    pub explained: Option<&'static str>,
}

/// What came out of comparing two targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Parity {
    /// How many scenarios both targets judged.
    pub compared: usize,
    /// Scenarios that a target skipped or could not run, with the reason.
    pub not_compared: Vec<(String, String)>,
    /// All differences, in the scenarios' order.
    pub differences: Vec<Difference>,
}

impl Parity {
    /// Whether nothing differs that nobody has explained.
    pub fn holds(&self) -> bool {
        self.differences.iter().all(|it| it.explained.is_some())
    }
}

/// A difference that is expected: a property of a target, never of the firmware.
pub struct Exception {
    /// What it may be found in.
    pub aspect: Aspect,
    /// Why it comes about.
    pub reason: &'static str,
    /// Whether two results are the same but for it.
    excuses: fn(&ScenarioResult, &ScenarioResult) -> bool,
}

/// All differences that are expected.
pub const EXCEPTIONS: [Exception; 2] = [
    Exception {
        aspect: Aspect::Registration,
        reason: "how often the device polls an operation depends on how long TLS takes the target, \
                 in its own time",
        excuses: same_but_for_polls,
    },
    Exception {
        aspect: Aspect::Console,
        reason: "a reset or the end of the run came while the device had more to say: a console \
                 without a baud rate, or one that is looked at less often, is heard further",
        excuses: same_but_for_ends,
    },
];

/// Compares what two targets made of the same scenarios; `left` gives the order.
pub fn parity(left: &[ScenarioResult], right: &[ScenarioResult]) -> Parity {
    let others: BTreeMap<&str, &ScenarioResult> =
        right.iter().map(|it| (it.name.as_str(), it)).collect();
    let mut parity = Parity::default();
    for one in left {
        let Some(other) = others.get(one.name.as_str()) else {
            let reason = "the other target did not come to it".to_owned();
            parity.not_compared.push((one.name.clone(), reason));
            continue;
        };
        if let Some(reason) = unjudged(one).or_else(|| unjudged(other)) {
            parity.not_compared.push((one.name.clone(), reason));
            continue;
        }
        parity.compared += 1;
        for aspect in [
            Aspect::Verdict,
            Aspect::Certificate,
            Aspect::Registration,
            Aspect::Console,
        ] {
            parity.differences.extend(difference(aspect, one, other));
        }
    }
    parity
}

fn unjudged(result: &ScenarioResult) -> Option<String> {
    match &result.verdict {
        Verdict::Skipped { reason } => Some(format!("{}: {reason}", result.target)),
        Verdict::Error { what, .. } => Some(format!("{}: error: {what}", result.target)),
        Verdict::Passed | Verdict::Failed(_) => None,
    }
}

fn difference(aspect: Aspect, one: &ScenarioResult, other: &ScenarioResult) -> Option<Difference> {
    let (left, right) = (lines(aspect, one), lines(aspect, other));
    if left == right {
        return None;
    }
    let place = left
        .iter()
        .zip(&right)
        .take_while(|(left, right)| left == right)
        .count();
    let nothing = || "(nothing more)".to_owned();
    let left = left.get(place).cloned().unwrap_or_else(nothing);
    let right = right.get(place).cloned().unwrap_or_else(nothing);
    let mut exceptions = EXCEPTIONS.iter();
    let exception = exceptions.find(|it| it.aspect == aspect && (it.excuses)(one, other));
    Some(Difference {
        scenario: one.name.clone(),
        aspect,
        left,
        right,
        explained: exception.map(|exception| exception.reason),
    })
}

/// What of a result is compared, in lines.
fn lines(aspect: Aspect, result: &ScenarioResult) -> Vec<String> {
    let payloads = || result.trace.events().iter().map(|event| &event.payload);
    match aspect {
        Aspect::Verdict => vec![match &result.verdict {
            Verdict::Passed => "passed".into(),
            Verdict::Failed(failure) => format!("failed at {}", failure.location),
            Verdict::Skipped { .. } => "skipped".into(),
            Verdict::Error { .. } => "error".into(),
        }],
        Aspect::Certificate => {
            let pem = result.certificate_pem.as_deref().unwrap_or_default();
            pem.lines().map(Into::into).collect()
        }
        Aspect::Registration => payloads().filter_map(exchange).collect(),
        Aspect::Console => payloads()
            .filter_map(|payload| said(payload).map(Into::into))
            .collect(),
    }
}

fn said(payload: &Payload) -> Option<&str> {
    match payload {
        Payload::Console(ConsoleEvent::Line { text }) => Some(text),
        _ => None,
    }
}

/// Whether a poll that is answered like the one before is the only thing that is there more often.
fn same_but_for_polls(one: &ScenarioResult, other: &ScenarioResult) -> bool {
    let [one, other] = [one, other].map(|result| {
        let mut lines = lines(Aspect::Registration, result);
        lines.dedup_by(|next, line| next.contains("/operations/") && next == line);
        lines
    });
    one == other
}

/// Whether what is said between two resets begins alike, and no target is silent at last.
fn same_but_for_ends(one: &ScenarioResult, other: &ScenarioResult) -> bool {
    let (one, other) = (starts(one), starts(other));
    let is_silent = |starts: &[String]| starts.last().is_none_or(String::is_empty);
    one.len() == other.len()
        && is_silent(&one) == is_silent(&other)
        && one
            .iter()
            .zip(&other)
            .all(|(one, other)| one.starts_with(other) || other.starts_with(one))
}

/// The console's text after each reset.
fn starts(result: &ScenarioResult) -> Vec<String> {
    let mut starts = vec![String::new()];
    for event in result.trace.events() {
        if let Payload::Machine(MachineEvent::Reset { .. }) = event.payload {
            starts.push(String::new());
        }
        if let (Some(text), Some(start)) = (said(&event.payload), starts.last_mut()) {
            if !start.is_empty() {
                start.push('\n');
            }
            start.push_str(text);
        }
    }
    starts
}

/// An exchange with a service in one line.
fn exchange(payload: &Payload) -> Option<String> {
    match payload {
        Payload::Cloud(CloudEvent::Http {
            method,
            path,
            status,
            ..
        }) => Some(format!("{method} {path} -> {status}")),
        Payload::Cloud(event @ CloudEvent::Registration { .. }) => {
            serde_json::to_string(event).ok()
        }
        _ => None,
    }
}
