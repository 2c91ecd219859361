//! HTTP exchanges of one connection with the device API.

use std::time::Duration;

use az3166_event::{CloudEvent, VirtualTime};

use super::connection::{Ending, Peer, Reaction};
use super::services::Services;
use super::site::{Site, host_of};
use crate::device_api::{Answer, DeviceApi, Outcome};
use crate::fault::{self, Effect, Exchange};
use crate::http::{Persistence, Request, RequestReader};
use crate::provisioning::{Course, Proof};

/// How long a connection may lie idle.
const IDLE_TIME: Duration = Duration::from_secs(120);

/// 421 Misdirected Request (RFC 9110 section 15.5.20).
const MISDIRECTED: u16 = 421;

/// HTTP exchanges of one connection.
#[derive(Default)]
pub(super) struct HttpService {
    reader: RequestReader,
    deadline: Option<VirtualTime>,
}

impl HttpService {
    pub(super) fn begin(&mut self, now: VirtualTime) {
        self.deadline = Some(now + IDLE_TIME);
    }

    pub(super) fn deadline(&self) -> Option<VirtualTime> {
        self.deadline
    }

    pub(super) fn receive(
        &mut self,
        now: VirtualTime,
        bytes: &[u8],
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        self.deadline = Some(now + IDLE_TIME);
        self.reader.push(bytes);
        let mut reaction = Reaction::default();
        while reaction.ending == Ending::None {
            match self.reader.next() {
                Ok(None) => break,
                Ok(Some(request)) => exchange(now, &request, peer, services, &mut reaction),
                Err(error) => {
                    let answer = api(services, peer).malformed(now, error);
                    note(now, None, &answer, peer, services);
                    reaction.send.extend(
                        answer
                            .response
                            .encode(services.behaviour.framing, Persistence::Close),
                    );
                    reaction.ending = Ending::Close;
                }
            }
        }
        reaction
    }
}

/// Answers one request, or does what a fault says.
fn exchange(
    now: VirtualTime,
    request: &Request,
    peer: Peer<'_>,
    services: &mut Services,
    reaction: &mut Reaction,
) {
    let asked = host_of(request.header("host").unwrap_or_default());
    // What TLS agreed on counts, unless it names none of our services.
    let peer = match services.site_of(peer.host) {
        Some(_) => peer,
        None => Peer {
            host: &asked,
            ..peer
        },
    };
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
        reaction.ending = silence.into();
        return;
    }
    let course = match effect {
        Some(Effect::Assigning) => Course::NeverEnds,
        Some(Effect::Fail { error_code }) => Course::Fails(error_code),
        _ => Course::Normal,
    };
    let proof = proof(request, peer);
    let mut answer = match fault::answer(effect.as_ref()) {
        Some((status, code)) => api(services, peer).error(now, status, code, "Injected fault."),
        None => match services.site_of(peer.host) {
            Some(Site::Provisioning) => api(services, peer).answer(now, request, proof, course),
            Some(Site::Hub) => api(services, peer).error(now, 404, 404_000, "Not found."),
            None => {
                let message = format!("No service is called {:?}.", peer.host);
                api(services, peer).error(now, MISDIRECTED, u32::from(MISDIRECTED) * 1000, &message)
            }
        },
    };
    fault::spoil(effect.as_ref(), &mut answer.response);
    let framing = services.behaviour.framing;
    let persistence = match effect {
        Some(Effect::CloseAfter | Effect::Truncate { .. }) => Persistence::Close,
        _ => request.persistence,
    };
    reaction.send.extend(match effect {
        Some(Effect::Truncate { keep }) => answer.response.encode_truncated(framing, keep),
        _ => answer.response.encode(framing, request.persistence),
    });
    if persistence == Persistence::Close {
        reaction.ending = Ending::Close;
    }
    note(now, Some(request), &answer, peer, services);
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

fn api<'a>(services: &'a mut Services, peer: Peer<'a>) -> DeviceApi<'a, rand_chacha::ChaCha20Rng> {
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
