//! The registration over one HTTPS connection.

use alloc::string::String;

use smoltcp::time::Instant;

use crate::channel::{Activity, Channel};
use crate::dps::{self, Assignment, Registration, Status, Step, https};
use crate::environment::Console;
use crate::failure::Failure;
use crate::http::ResponseReader;
use crate::messages::Message;
use crate::stack::Stack;

/// For whom, as in [`https::Target`].
pub(super) struct Target {
    pub(super) host: String,
    pub(super) id_scope: String,
    pub(super) registration_id: String,
}

pub(super) struct Registering {
    pub(super) channel: Channel,
    deadline: Instant,
    exchange: Option<Exchange>,
    announced: Announced,
}

/// What there is once the connection is up.
struct Exchange {
    registration: Registration,
    reader: ResponseReader,
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
            exchange: None,
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
        let exchange = self.exchange.get_or_insert_with(|| {
            print(console, Message::Connected);
            let registration = Registration::new(now, self.deadline);
            Exchange {
                registration,
                reader: ResponseReader::default(),
            }
        });
        let received = self.channel.take();
        if !received.is_empty() {
            activity = Activity::Busy;
            let response = exchange.reader.push(&received).map_err(dps::malformed)?;
            if let Some(response) = response {
                match exchange.registration.answer(now, &response)? {
                    Some(Status::Assigned(assignment)) => {
                        return Ok((Some(assignment), activity, None));
                    }
                    Some(_) if self.announced != Announced::Assigning => {
                        print(console, Message::Assigning);
                        self.announced = Announced::Assigning;
                    }
                    _ => {}
                }
            }
        }
        if self.channel.is_closed(stack) {
            return Err(dps::closed(exchange.reader.is_partial()));
        }
        match exchange.registration.poll(now)? {
            Step::Send(request) => {
                if self.announced == Announced::Nothing {
                    print(console, Message::Registering);
                    self.announced = Announced::Registering;
                }
                let target = https::Target {
                    host: &target.host,
                    id_scope: &target.id_scope,
                    registration_id: &target.registration_id,
                };
                self.channel
                    .send(https::encode(&request, &target).as_bytes())?;
                Ok((None, Activity::Busy, None))
            }
            Step::Wait(until) => Ok((None, activity, Some(until))),
        }
    }
}

fn print(console: &mut dyn Console, message: Message<'_>) {
    console.line(format_args!("{message}"));
}
