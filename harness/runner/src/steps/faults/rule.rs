//! From the scenario language's faults by rule to the cloud's.

use az3166_cloud::{Answer, Effect, Pattern, Rule};
use az3166_scenario::{Exchanges, FaultEffect as Wanted, FaultRule};

use super::cloud::{certificate_fault, repeat, requests};
use crate::oracle::Oracle;
use crate::steps::StepError;

/// The cloud's rules; more than one where an operation has more than one form.
pub(super) fn rules(fault: &FaultRule, oracle: &Oracle) -> Result<Vec<(Rule, Effect)>, StepError> {
    let pattern = |text: &az3166_scenario::Text| Pattern(text.expose().to_owned());
    let device = match &fault.device {
        Some(id) => Some(Pattern(oracle.registration_id_text(id)?)),
        None => None,
    };
    let exchanges = match &fault.exchanges {
        Exchanges::Operation(on) => requests(*on, fault.times),
        Exchanges::Words { method, path } => vec![Rule {
            method: method.as_ref().map(|method| method.expose().to_owned()),
            path: path.as_ref().map(pattern),
            ..Rule::default()
        }],
    };
    let effect = effect(&fault.effect)?;
    let complete = |rule| Rule {
        host: fault.host.as_ref().map(pattern),
        device: device.clone(),
        nth: fault.nth,
        times: repeat(fault.times),
        ..rule
    };
    Ok(exchanges
        .into_iter()
        .map(|rule| (complete(rule), effect.clone()))
        .filter(|(rule, effect)| match fault.exchanges {
            // Some effects have a meaning over one transport only.
            Exchanges::Operation(_) => rule.method.as_deref().is_none_or(|m| effect.is_possible(m)),
            Exchanges::Words { .. } => true,
        })
        .collect())
}

fn effect(wanted: &Wanted) -> Result<Effect, StepError> {
    let text = |value: &az3166_scenario::HeaderValue| value.0.expose().to_owned();
    let milliseconds = |interval: az3166_scenario::Interval| {
        u64::try_from(interval.0.as_millis()).unwrap_or(u64::MAX)
    };
    Ok(match wanted {
        Wanted::Answer {
            status,
            error_code,
            retry_after,
        } => Effect::Answer(Answer {
            status: *status,
            error_code: *error_code,
            retry_after: retry_after.as_ref().map(text),
        }),
        Wanted::Assigning => Effect::Assigning,
        Wanted::Failed { error_code } => Effect::Fail {
            error_code: *error_code,
        },
        Wanted::RetryAfter(value) => Effect::RetryAfter(text(value)),
        Wanted::ContentType(value) => Effect::ContentType(text(value)),
        Wanted::AnswerTopic(value) => Effect::AnswerTopic(text(value)),
        Wanted::Truncated { keep } => Effect::Truncate {
            keep: *keep as usize,
        },
        Wanted::TruncatedJson => Effect::TruncateJson,
        Wanted::Oversized { bytes } => Effect::Oversize {
            bytes: *bytes as usize,
        },
        Wanted::Stall => Effect::Stall,
        Wanted::Close => Effect::Close,
        Wanted::Reset => Effect::Reset,
        Wanted::CloseAfter => Effect::CloseAfter,
        Wanted::Connack(code) => Effect::Connack(*code),
        Wanted::Delay(by) => Effect::Delay {
            ms: milliseconds(*by),
        },
        Wanted::Records { bytes } => Effect::Records {
            bytes: *bytes as usize,
        },
        Wanted::Segments { bytes, every } => Effect::Segments {
            bytes: *bytes as usize,
            every_ms: milliseconds(*every),
        },
        Wanted::ServerChain(chain) => {
            Effect::Certificate(certificate_fault(*chain).ok_or_else(|| {
                StepError::setup(
                    "the kind of key cannot change while the service runs",
                    "set `server_chain` in `cloud:`, or name a faulty chain here",
                )
            })?)
        }
        Wanted::Alert(description) => Effect::Alert(*description),
        Wanted::NoCommonSuite => Effect::NoCommonSuite,
    })
}
