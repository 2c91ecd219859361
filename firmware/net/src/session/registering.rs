//! The registration over one connection.

use alloc::string::String;

use smoltcp::time::Instant;

use crate::channel::{Activity, Channel};
use crate::dps::https::Target as Whom;
use crate::dps::{Assignment, Carrier, Registration, Status, Step, Transport};
use crate::environment::Console;
use crate::failure::Failure;
use crate::messages::Message;
use crate::stack::Stack;

/// For whom, as in [`Whom`], and by what.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) id_scope: String,
    pub(super) registration_id: String,
    pub(super) transport: Transport,
}

impl Target {
    fn whom(&self) -> Whom<'_> {
        Whom {
            host: &self.host,
            id_scope: &self.id_scope,
            registration_id: &self.registration_id,
        }
    }
}

pub(super) struct Registering {
    pub(super) channel: Channel,
    deadline: Instant,
    /// What there is once the TLS connection is up.
    carrier: Option<Carrier>,
    /// What there is once requests can be sent.
    registration: Option<Registration>,
    announced: Announced,
}

/// The last status line, so that each is printed once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Announced {
    Nothing,
    Registering,
    Assigning,
}

impl Registering {
    pub(super) fn new(channel: Channel, deadline: Instant) -> Self {
        Self {
            channel,
            deadline,
            carrier: None,
            registration: None,
            announced: Announced::Nothing,
        }
    }

    pub(super) fn poll(
        &mut self,
        now: Instant,
        stack: &mut Stack,
        target: &Target,
        console: &mut dyn Console,
    ) -> Result<(Option<Assignment>, Activity, Option<Instant>), Failure> {
        let mut activity = self.channel.poll(now, stack)?;
        if !self.channel.is_ready() {
            return Ok((None, activity, self.channel.next()));
        }
        let carrier = match &mut self.carrier {
            Some(carrier) => carrier,
            None => {
                let carrier = Carrier::new(target.transport, now, &target.whom())?;
                self.carrier.insert(carrier)
            }
        };
        let received = self.channel.take();
        if !received.is_empty() {
            activity = Activity::Busy;
        }
        let response = carrier.receive(now, &received)?;
        if let (Some(response), Some(registration)) = (response, &mut self.registration) {
            match registration.answer(now, &response)? {
                Some(Status::Assigned(assignment)) => {
                    carrier.close();
                    self.channel.send(&carrier.take_outgoing())?;
                    return Ok((Some(assignment), activity, None));
                }
                Some(_) if self.announced != Announced::Assigning => {
                    print(console, Message::Assigning);
                    self.announced = Announced::Assigning;
                }
                _ => {}
            }
        }
        if self.channel.is_closed(stack) {
            return Err(carrier.closed());
        }
        let mut next = carrier.opening(now)?;
        if next.is_none() {
            let registration = self.registration.get_or_insert_with(|| {
                print(console, Message::Connected);
                Registration::new(now, self.deadline)
            });
            match registration.poll(now)? {
                Step::Send(request) => {
                    if self.announced == Announced::Nothing {
                        print(console, Message::Registering);
                        self.announced = Announced::Registering;
                    }
                    carrier.send(&request, &target.whom())?;
                }
                Step::Wait(until) => next = Some(until),
            }
        }
        let outgoing = carrier.take_outgoing();
        if !outgoing.is_empty() {
            self.channel.send(&outgoing)?;
            activity = Activity::Busy;
        }
        Ok((None, activity, next))
    }
}

fn print(console: &mut dyn Console, message: Message<'_>) {
    console.line(format_args!("{message}"));
}
