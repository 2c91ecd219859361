//! One HTTP exchange: which service it is for, the fault that strikes it, its record.

use az3166_event::{CloudEvent, VirtualTime};

use super::connection::{Ending, Peer};
use super::services::Services;
use super::site::{Site, host_of};
use crate::device_api::{Answer, DeviceApi, Outcome};
use crate::fault::{self, Effect, Exchange};
use crate::http::{Persistence, Request, RequestError};
use crate::hub::{CallEnd, Shown};
use crate::provisioning::{Course, Proof};
use crate::registry_api::{self, RegistryApi};
use crate::service_api::{ServiceApi, is_service_path};
use crate::websocket;

/// 421 Misdirected Request (RFC 9110 section 15.5.20).
const MISDIRECTED: u16 = 421;

/// The longest body of a request to the provisioning service (DPS documentation, "Quotas and
/// limits": a message has at most 96 KB).
const PROVISIONING_BODY: usize = 96 * 1024;
/// The longest body of a request to a hub (IoT Hub documentation, "Quotas and throttling": a
/// message has at most 256 KB).
const HUB_BODY: usize = 256 * 1024;

/// What becomes of a request.
pub(super) enum Reply {
    /// It is answered.
    Answer {
        bytes: Vec<u8>,
        /// What happens to the connection then.
        persistence: Persistence,
    },
    /// It is answered when a method's call ends.
    Later,
    /// It opens a WebSocket connection.
    Upgrade(Vec<u8>),
    /// It is not, because of a fault.
    Silence(Ending),
}

/// How long the body of this request may be.
pub(super) fn body_limit(request: &Request, peer: Peer<'_>, services: &Services) -> usize {
    let asked = asked_host(request);
    match services.site_of(addressed(peer, &asked, services).host) {
        Some(Site::Hub) => HUB_BODY,
        Some(Site::Provisioning) | None => PROVISIONING_BODY,
    }
}

/// Answers bytes that are no request.
pub(super) fn malformed(
    now: VirtualTime,
    error: RequestError,
    peer: Peer<'_>,
    services: &mut Services,
) -> Reply {
    let answer = api(services, peer).malformed(now, error);
    note(now, None, &answer, peer, services);
    Reply::Answer {
        bytes: answer
            .response
            .encode(services.behaviour.framing, Persistence::Close),
        persistence: Persistence::Close,
    }
}

fn asked_host(request: &Request) -> String {
    host_of(request.header("host").unwrap_or_default())
}

/// The peer with the host that the request is for: what TLS agreed on counts, unless it names none
/// of our services.
fn addressed<'a>(peer: Peer<'a>, asked: &'a str, services: &Services) -> Peer<'a> {
    match services.site_of(peer.host) {
        Some(_) => peer,
        None => Peer {
            host: asked,
            ..peer
        },
    }
}

/// Answers one request, or does what a fault says.
pub(super) fn answer(
    now: VirtualTime,
    request: &Request,
    peer: Peer<'_>,
    services: &mut Services,
) -> Reply {
    let asked = asked_host(request);
    let peer = addressed(peer, &asked, services);
    let effect = services.strike(
        now,
        Exchange::request(peer.host, &request.method, &request.path),
    );
    if let Some(silence) = fault::silence(effect.as_ref()) {
        services.journal.note(
            now,
            CloudEvent::HttpUnanswered {
                connection: peer.connection,
                method: request.method.clone(),
                path: request.path.clone(),
                api_version: api_version(request),
            },
        );
        return Reply::Silence(silence.into());
    }
    if effect.is_none() && websocket::is_requested(request) {
        return upgrade(now, request, peer, services);
    }
    let mut answer = match fault::answer(effect.as_ref()) {
        Some((status, code)) => api(services, peer).error(now, status, code, "Injected fault."),
        None => match serve(now, request, course(effect.as_ref()), peer, services) {
            Some(answer) => answer,
            None => return Reply::Later,
        },
    };
    fault::spoil(effect.as_ref(), &mut answer.response);
    note(now, Some(request), &answer, peer, services);
    let framing = services.behaviour.framing;
    Reply::Answer {
        bytes: match effect {
            Some(Effect::Truncate { keep }) => answer.response.encode_truncated(framing, keep),
            _ => answer.response.encode(framing, request.persistence),
        },
        persistence: match effect {
            Some(Effect::CloseAfter | Effect::Truncate { .. }) => Persistence::Close,
            _ => request.persistence,
        },
    }
}

/// Opens a WebSocket connection, whatever the host: the MQTT session in it says whom it is for.
fn upgrade(now: VirtualTime, request: &Request, peer: Peer<'_>, services: &mut Services) -> Reply {
    let framing = services.behaviour.framing;
    match websocket::accept(request) {
        Ok(response) => {
            let bytes = response.encode(framing, Persistence::KeepAlive);
            let outcome = Outcome::None;
            let answer = Answer {
                response,
                error_code: None,
                outcome,
            };
            note(now, Some(request), &answer, peer, services);
            Reply::Upgrade(bytes)
        }
        Err(error) => {
            let code = u32::from(error.status()) * 1000;
            let mut answer =
                api(services, peer).error(now, error.status(), code, &error.to_string());
            answer.response.headers.extend(error.header());
            note(now, Some(request), &answer, peer, services);
            Reply::Answer {
                bytes: answer.response.encode(framing, request.persistence),
                persistence: request.persistence,
            }
        }
    }
}

/// Hands a request to the interface that it is for; no answer where it comes later.
fn serve(
    now: VirtualTime,
    request: &Request,
    course: Course,
    peer: Peer<'_>,
    services: &mut Services,
) -> Option<Answer> {
    Some(match services.site_of(peer.host) {
        Some(Site::Provisioning) if is_service_path(&request.path) => {
            let policy = services.service_policy.clone();
            let mut service_api = ServiceApi {
                device_api: api(services, peer),
                policy: policy.as_ref(),
            };
            service_api.answer(now, request)
        }
        Some(Site::Provisioning) => {
            let proof = proof(request, peer);
            api(services, peer).answer(now, request, proof, course)
        }
        Some(Site::Hub) => {
            let token = request.header("authorization");
            match registry_api(services, peer, token).answer(now, request) {
                registry_api::Reply::Now(answer, event) => {
                    if let Some(event) = event {
                        services.journal.note(now, *event);
                    }
                    *answer
                }
                registry_api::Reply::Later => return None,
            }
        }
        None => {
            let message = format!("No service is called {:?}.", peer.host);
            let code = u32::from(MISDIRECTED) * 1000;
            api(services, peer).error(now, MISDIRECTED, code, &message)
        }
    })
}

/// Answers a request that waited for a method's call.
pub(super) fn answer_call(
    now: VirtualTime,
    request: &Request,
    end: &CallEnd,
    peer: Peer<'_>,
    services: &mut Services,
) -> Vec<u8> {
    let asked = asked_host(request);
    let peer = addressed(peer, &asked, services);
    let answer = registry_api(services, peer, None).call_end(now, end);
    note(now, Some(request), &answer, peer, services);
    let framing = services.behaviour.framing;
    answer.response.encode(framing, request.persistence)
}

/// A hub's HTTP interfaces on what all connections share.
fn registry_api<'a>(
    services: &'a mut Services,
    peer: Peer<'a>,
    token: Option<&'a str>,
) -> RegistryApi<'a, rand_chacha::ChaCha20Rng> {
    RegistryApi {
        hubs: &mut services.hubs,
        policy: services.hub_policy.as_ref(),
        epoch: services.epoch,
        entropy: &mut services.entropy,
        hub: peer.host,
        connection: peer.connection,
        shown: Shown {
            certificate: peer.certificate,
            token,
        },
    }
}

/// How an operation shall go by the fault that strikes its request.
pub(super) fn course(effect: Option<&Effect>) -> Course {
    match effect {
        Some(Effect::Assigning) => Course::NeverEnds,
        Some(Effect::Fail { error_code }) => Course::Fails(*error_code),
        _ => Course::Normal,
    }
}

/// What the client proves about itself: a token where it sent one.
fn proof<'a>(request: &'a Request, peer: Peer<'a>) -> Proof<'a> {
    match (request.header("authorization"), peer.certificate) {
        (Some(token), _) => Proof::Token(token),
        (None, Some(leaf)) => Proof::Certificate {
            leaf,
            intermediates: peer.issuers,
        },
        (None, None) => Proof::Nothing,
    }
}

/// The device API on what all connections share.
pub(super) fn api<'a>(
    services: &'a mut Services,
    peer: Peer<'a>,
) -> DeviceApi<'a, rand_chacha::ChaCha20Rng> {
    DeviceApi {
        provisioning: &mut services.provisioning,
        behaviour: &services.behaviour,
        epoch: services.epoch,
        entropy: &mut services.entropy,
        host: peer.host,
    }
}

/// Notes the exchange and what it did to registrations.
fn note(
    now: VirtualTime,
    request: Option<&Request>,
    answer: &Answer,
    peer: Peer<'_>,
    services: &mut Services,
) {
    services.journal.note(
        now,
        CloudEvent::Http {
            connection: peer.connection,
            method: request.map_or_else(String::new, |request| request.method.clone()),
            path: request.map_or_else(String::new, |request| request.path.clone()),
            api_version: request.and_then(api_version),
            status: answer.response.status,
            error_code: answer.error_code,
            retry_after: answer.response.header("Retry-After").map(str::to_owned),
        },
    );
    note_outcome(now, answer, services);
}

/// Notes what an exchange did to registrations.
pub(super) fn note_outcome(now: VirtualTime, answer: &Answer, services: &mut Services) {
    match &answer.outcome {
        Outcome::None => {}
        Outcome::Begun(registration) => services.note_registration(now, registration),
        Outcome::Refused { registration_id } => {
            services.note_refusal(now, registration_id.clone(), answer.error_code);
        }
    }
}

fn api_version(request: &Request) -> Option<String> {
    request.query_parameter("api-version").map(str::to_owned)
}
