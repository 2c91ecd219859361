//! From a whole frame to a latched response.

use az3166_event::{SecureElementEvent, VirtualTime};

use super::SecureElement;
use super::state::{CutAfter, State};
use crate::command::{self, Command};
use crate::execute::{self, Action, Outcome};
use crate::frame::Frame;
use crate::nvm_write::Programming;
use crate::response::Response;
use crate::{AtomicUpdate, Configuration, Effect, Opcode, Status};

impl SecureElement {
    /// Executes a frame and latches the response.
    pub(super) fn run(&mut self, now: VirtualTime, frame: &[u8]) {
        let code = frame.first().map_or(0, |header| header & 0x1F);
        let opcode = Opcode::from_code(code);
        let command = self.parse(frame);
        let outcome = self.decide(now, opcode, &command);
        let (status, outcome) = match outcome {
            Ok(outcome) => (Status::Ok, outcome),
            Err(status) => (status, self.refusal()),
        };
        self.tell_command(now, code, command.ok(), status);

        let State::Awake(awake) = &mut self.state else {
            return;
        };
        let fresh = Response::new(status, &outcome.payload);
        let previous = awake.response.replace(fresh);
        awake.ready_at = now + outcome.busy;
        match outcome.effect {
            Action::Answer => {}
            Action::Write(write) => {
                if let Some(zone) = self.nvm.zone_mut(write.zone) {
                    zone.writes = zone.writes.saturating_add(1);
                }
                let programming = Programming::new(write, now, outcome.busy);
                let cut = self
                    .faults
                    .strike(opcode, now, &mut self.events, |effect| {
                        cut_of(effect, &programming)
                    })
                    .into_iter()
                    .min()
                    .map(CutAfter);
                awake.programming = Some((programming, cut));
            }
            Action::Hibernate(wake) => {
                awake.response = None;
                awake.hibernates = Some(wake);
            }
        }
        for effect in self
            .faults
            .strike(opcode, now, &mut self.events, spoils_response)
        {
            match effect {
                Effect::Busy(duration) => awake.ready_at = awake.ready_at.max(now + duration),
                Effect::BusyForever => awake.ready_at = VirtualTime::MAX,
                Effect::Stale => awake.response = previous.clone(),
                _ => {
                    if let Some(response) = &mut awake.response {
                        response.spoil(effect);
                    }
                }
            }
        }
        self.advance(now);
    }

    /// The command in a frame, or why the chip refuses it.
    fn parse<'a>(&self, frame: &'a [u8]) -> Result<Command<'a>, Status> {
        if frame.len() > usize::from(self.configuration.product.io_buffer) {
            return Err(self.configuration.unverified.over_long_frame);
        }
        let frame = Frame::parse(frame)?;
        let opcode = Opcode::from_code(frame.code).ok_or(Status::UnsupportedCommand)?;
        if frame.protection != 0 {
            return Err(self.configuration.unverified.protected_frame);
        }
        command::parse(opcode, frame.payload)
    }

    fn decide(
        &mut self,
        now: VirtualTime,
        opcode: Option<Opcode>,
        command: &Result<Command<'_>, Status>,
    ) -> Result<Outcome, Status> {
        let forced = |effect: &Effect| match effect {
            Effect::Status(status) => Some(*status),
            _ => None,
        };
        let forced = self.faults.strike(opcode, now, &mut self.events, forced);
        let command = (*command)?;
        if let Some(status) = forced.first() {
            return Err(*status);
        }
        let is_atomic = matches!(
            command,
            Command::Update {
                atomicity: command::Atomicity::AllOrNothing,
                ..
            }
        );
        let refused = |effect: &Effect| {
            (is_atomic && *effect == Effect::AtomicRefused).then_some(AtomicUpdate::Refused)
        };
        let refused = self.faults.strike(opcode, now, &mut self.events, refused);
        let configuration = match refused.first() {
            Some(atomic_update) => &Configuration {
                atomic_update: *atomic_update,
                ..self.configuration.clone()
            },
            None => &self.configuration,
        };
        execute::execute(command, &self.nvm, configuration, &mut self.random)
    }

    fn refusal(&self) -> Outcome {
        Outcome {
            payload: zeroize::Zeroizing::default(),
            busy: self.configuration.busy.refusal,
            effect: Action::Answer,
        }
    }

    fn tell_command(
        &mut self,
        now: VirtualTime,
        code: u8,
        command: Option<Command<'_>>,
        status: Status,
    ) {
        let place = command.and_then(|command| command.place());
        let event = SecureElementEvent::Command {
            name: Opcode::from_code(code)
                .map_or_else(|| format!("0x{code:02X}"), |opcode| opcode.name().into()),
            zone: place.map(|place| place.zone),
            offset: place.map(|place| place.offset),
            length: command.and_then(|command| command.length()),
            status: status.code(),
        };
        self.events.push((now, event));
    }
}

/// After how many bytes of this write the power goes.
fn cut_of(effect: &Effect, programming: &Programming) -> Option<usize> {
    match effect {
        Effect::PowerCut { zone, after_bytes }
            if *zone == programming.zone() && usize::from(*after_bytes) <= programming.length() =>
        {
            Some(usize::from(*after_bytes))
        }
        _ => None,
    }
}

/// The effects that change when and how the response comes.
fn spoils_response(effect: &Effect) -> Option<Effect> {
    match effect {
        Effect::Busy(_)
        | Effect::BusyForever
        | Effect::WrongCrc
        | Effect::Length(_)
        | Effect::AllZeros
        | Effect::AllOnes
        | Effect::Truncated(_)
        | Effect::BitFlip(_)
        | Effect::Stale => Some(*effect),
        Effect::Absent
        | Effect::Nack { .. }
        | Effect::PowerCut { .. }
        | Effect::AtomicRefused
        | Effect::Status(_) => None,
    }
}
