//! HTTP of one connection: requests in, answers out, one after the other.

use std::time::Duration;

use az3166_event::VirtualTime;

use super::connection::{Ending, Peer, Reaction};
use super::exchange::{self, Reply};
use super::services::Services;
use crate::http::{Persistence, Request, RequestError, RequestReader};
use crate::hub::CallEnd;

/// How long a connection may lie idle.
const IDLE_TIME: Duration = Duration::from_secs(120);

/// How long a client may take for one request, from its first byte to its last one.
const REQUEST_TIME: Duration = Duration::from_secs(60);

/// HTTP of one connection.
#[derive(Default)]
pub(super) struct HttpService {
    reader: RequestReader,
    deadline: Option<VirtualTime>,
    /// Whether the deadline is that of a request that is not whole yet: what comes of it does not
    /// move the deadline.
    is_underway: bool,
    /// A request whose answer comes from elsewhere; later ones wait for it.
    waiting: Option<Box<Request>>,
}

impl HttpService {
    pub(super) fn begin(&mut self, now: VirtualTime) {
        self.be_idle(now);
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
        self.reader.push(bytes);
        let mut reaction = Reaction::default();
        self.serve(now, peer, services, &mut reaction);
        reaction
    }

    /// Answers the request that waits, and those after it.
    pub(super) fn answer_call(
        &mut self,
        now: VirtualTime,
        end: &CallEnd,
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        let mut reaction = Reaction::default();
        if let Some(request) = self.waiting.take() {
            self.be_idle(now);
            let bytes = exchange::answer_call(now, &request, end, peer, services);
            put(bytes, request.persistence, &mut reaction);
            self.serve(now, peer, services, &mut reaction);
        }
        reaction
    }

    /// The client was idle for too long, or too slow with its request, which is told so.
    pub(super) fn expire(
        &mut self,
        now: VirtualTime,
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        let mut reaction = Reaction {
            send: Vec::new(),
            ending: Ending::Close,
        };
        if self.is_underway
            && let Reply::Answer { bytes, .. } =
                exchange::malformed(now, RequestError::TooSlow, peer, services)
        {
            reaction.send = bytes;
        }
        reaction
    }

    fn be_idle(&mut self, now: VirtualTime) {
        self.is_underway = false;
        self.deadline = Some(now + IDLE_TIME);
    }

    /// The bytes that belong to the protocol after HTTP.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.reader).into_rest()
    }

    /// Answers every whole request that has come.
    fn serve(
        &mut self,
        now: VirtualTime,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        while reaction.ending == Ending::None && self.waiting.is_none() {
            let limit = |request: &Request| exchange::body_limit(request, peer, services);
            let reply = match self.reader.next(limit) {
                Ok(None) => {
                    if self.reader.has_begun() && !self.is_underway {
                        self.is_underway = true;
                        self.deadline = Some(now + REQUEST_TIME);
                    }
                    return;
                }
                Ok(Some(request)) => {
                    self.be_idle(now);
                    let reply = exchange::answer(now, &request, peer, services);
                    if matches!(reply, Reply::Later) {
                        self.deadline = None;
                        self.waiting = Some(Box::new(request));
                        return;
                    }
                    reply
                }
                Err(error) => exchange::malformed(now, error, peer, services),
            };
            match reply {
                Reply::Answer { bytes, persistence } => put(bytes, persistence, reaction),
                Reply::Later => {}
                Reply::Upgrade(bytes) => {
                    reaction.send.extend(bytes);
                    reaction.ending = Ending::Upgrade;
                }
                Reply::Silence(ending) => reaction.ending = ending,
            }
        }
    }
}

fn put(bytes: Vec<u8>, persistence: Persistence, reaction: &mut Reaction) {
    reaction.send.extend(bytes);
    if persistence == Persistence::Close {
        reaction.ending = Ending::Close;
    }
}
