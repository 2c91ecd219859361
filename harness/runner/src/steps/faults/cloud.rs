//! From the scenario language's faults to the cloud's rules.

use az3166_cloud::{Answer, CertificateFault, Cloud, CloudFault, Effect, Pattern, Repeat, Rule};
use az3166_scenario::{CloudFault as Wanted, HubMoment, Operation, Server, ServerChain, Times};

use crate::oracle::Oracle;
use crate::steps::StepError;

pub(super) fn inject(cloud: &mut Cloud, oracle: &Oracle, fault: &Wanted) -> Result<(), StepError> {
    for (rule, effect) in rules(fault, oracle)? {
        cloud
            .inject(CloudFault { rule, effect })
            .map_err(|error| StepError::setup(error.to_string(), "change the step's members"))?;
    }
    if matches!(fault, Wanted::Clear) {
        cloud.clear_faults();
    }
    Ok(())
}

/// Fatal alert `handshake_failure` (RFC 5246 section 7.2).
const HANDSHAKE_FAILURE: u8 = 40;

fn rules(fault: &Wanted, oracle: &Oracle) -> Result<Vec<(Rule, Effect)>, StepError> {
    let answer = |status, error_code, retry_after: &Option<az3166_scenario::HeaderValue>| {
        let retry_after = retry_after
            .as_ref()
            .map(|value| value.0.expose().to_owned());
        Effect::Answer(Answer {
            status,
            error_code,
            retry_after,
        })
    };
    let on_each = |rules: Vec<Rule>, effect: Effect| {
        rules
            .into_iter()
            .map(|rule| (rule, effect.clone()))
            .collect()
    };
    Ok(match fault {
        Wanted::Clear => Vec::new(),
        Wanted::Rule(fault) => super::rule::rules(fault, oracle)?,
        Wanted::Throttle {
            on,
            times,
            retry_after,
        } => on_each(requests(*on, *times), answer(429, None, retry_after)),
        Wanted::Refuse {
            on,
            times,
            status,
            error_code,
            retry_after,
        } => on_each(
            requests(*on, *times),
            answer(*status, *error_code, retry_after),
        ),
        Wanted::Assigning { times } => {
            let on = match times {
                Times::Always => Operation::Register,
                Times::Limited(_) => Operation::Poll,
            };
            on_each(requests(on, *times), Effect::Assigning)
        }
        Wanted::Failed { error_code } => on_each(
            requests(Operation::Register, Times::Always),
            Effect::Fail {
                error_code: *error_code,
            },
        ),
        Wanted::RetryAfter { value, times } => on_each(
            requests(Operation::Any, *times),
            Effect::RetryAfter(value.0.expose().to_owned()),
        ),
        Wanted::Stall { on } => on_each(requests(*on, Times::Always), Effect::Stall),
        Wanted::Close { on, times } => on_each(requests(*on, *times), Effect::Close),
        Wanted::Oversized { on, bytes, times } => on_each(
            requests(*on, *times),
            Effect::Oversize {
                bytes: *bytes as usize,
            },
        ),
        Wanted::TruncatedJson { on, times } => on_each(requests(*on, *times), Effect::TruncateJson),
        Wanted::TlsAlert { at, times } => {
            vec![(handshakes(*at, *times), Effect::Alert(HANDSHAKE_FAILURE))]
        }
        Wanted::NoCommonSuite { at } => {
            vec![(handshakes(*at, Times::Always), Effect::NoCommonSuite)]
        }
        Wanted::TlsStall { at } => vec![(handshakes(*at, Times::Always), Effect::Stall)],
        Wanted::ServerChain { at, chain } => {
            let fault = certificate_fault(*chain).ok_or_else(|| {
                StepError::setup(
                    "the kind of key cannot change while the service runs",
                    "set `server_chain` in `cloud:`, or name a faulty chain here",
                )
            })?;
            vec![(handshakes(*at, Times::Always), Effect::Certificate(fault))]
        }
        Wanted::HubRefuse { return_code, times } => {
            vec![(packets("CONNECT", *times), Effect::Connack(*return_code))]
        }
        Wanted::HubDrop { after, times } => vec![match after {
            HubMoment::Connect => (packets("CONNECT", *times), Effect::Close),
            HubMoment::Connack => (packets("CONNECT", *times), Effect::CloseAfter),
            HubMoment::Telemetry => (packets("PUBLISH", *times), Effect::Close),
        }],
        Wanted::HubStall { after } => vec![match after {
            HubMoment::Connect => (packets("CONNECT", Times::Always), Effect::Stall),
            HubMoment::Connack | HubMoment::Telemetry => {
                (packets("PUBLISH", Times::Always), Effect::Stall)
            }
        }],
    })
}

/// The faulty relative of the configured chain that `chain` stands for.
pub(crate) fn certificate_fault(chain: ServerChain) -> Option<CertificateFault> {
    Some(match chain {
        ServerChain::Expired => CertificateFault::Expired,
        ServerChain::NotYetValid => CertificateFault::NotYetValid,
        ServerChain::WrongName => CertificateFault::WrongName,
        ServerChain::UnknownCa => CertificateFault::UnknownCa,
        ServerChain::ImpostorCa => CertificateFault::ImpostorCa,
        ServerChain::MissingIntermediate => CertificateFault::MissingIntermediate,
        ServerChain::Ecdsa | ServerChain::Rsa4096Sha384 | ServerChain::RsaPss => return None,
    })
}

/// The rules for an operation, one for each transport; a registration uses one of them.
pub(super) fn requests(on: Operation, times: Times) -> Vec<Rule> {
    let (method, path, topic) = match on {
        Operation::Register => (Some("PUT"), "*/register", "$dps/registrations/PUT/*"),
        Operation::Poll => (Some("GET"), "*/operations/*", "$dps/registrations/GET/*"),
        Operation::Any => (None, "/*/registrations/*", "$dps/registrations/*"),
    };
    let rule = |method: Option<&str>, path: &str| Rule {
        method: method.map(Into::into),
        path: Some(Pattern(path.into())),
        times: repeat(times),
        ..Rule::default()
    };
    vec![rule(method, path), rule(Some("PUBLISH"), topic)]
}

const HUBS: &str = "*.azure-devices.net";

fn handshakes(at: Server, times: Times) -> Rule {
    let host = match at {
        Server::Dps => "*.azure-devices-provisioning.net",
        Server::Hub => HUBS,
    };
    Rule {
        host: Some(Pattern(host.into())),
        method: Some("TLS".into()),
        times: repeat(times),
        ..Rule::default()
    }
}

/// What a hub gets.
fn packets(name: &str, times: Times) -> Rule {
    Rule {
        host: Some(Pattern(HUBS.into())),
        method: Some(name.into()),
        times: repeat(times),
        ..Rule::default()
    }
}

pub(super) fn repeat(times: Times) -> Repeat {
    match times {
        Times::Always => Repeat::Always,
        Times::Limited(times) => Repeat::Times(times),
    }
}
