//! HTTP of one connection: requests in, answers out, one after the other.

use std::time::Duration;

use az3166_event::VirtualTime;

use super::connection::{Ending, Peer, Reaction};
use super::exchange::{self, Reply};
use super::services::Services;
use crate::http::{Persistence, Request, RequestReader};
use crate::hub::CallEnd;

/// How long a connection may lie idle, or take for one request.
const IDLE_TIME: Duration = Duration::from_secs(120);

/// HTTP of one connection.
#[derive(Default)]
pub(super) struct HttpService {
    reader: RequestReader,
    deadline: Option<VirtualTime>,
    /// A request whose answer comes from elsewhere; later ones wait for it.
    waiting: Option<Box<Request>>,
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
            self.deadline = Some(now + IDLE_TIME);
            let bytes = exchange::answer_call(now, &request, end, peer, services);
            put(bytes, request.persistence, &mut reaction);
            self.serve(now, peer, services, &mut reaction);
        }
        reaction
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
                Ok(None) => return,
                Ok(Some(request)) => {
                    self.deadline = Some(now + IDLE_TIME);
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
