//! The connection to the hub.

use alloc::format;
use alloc::string::String;

use smoltcp::time::Instant;

use crate::channel::{Activity, Channel};
use crate::dps::Assignment;
use crate::environment::Console;
use crate::failure::{Failure, FailureKind};
use crate::messages::Message;
use crate::mqtt::hub::{Event, Hub};
use crate::stack::Stack;

pub(super) struct Online {
    pub(super) channel: Channel,
    assignment: Assignment,
    telemetry: String,
    hub: Option<Hub>,
    /// Whether the telemetry message was acknowledged.
    pub(super) settled: bool,
}

impl Online {
    pub(super) fn new(channel: Channel, assignment: Assignment, telemetry: String) -> Self {
        Self {
            channel,
            assignment,
            telemetry,
            hub: None,
            settled: false,
        }
    }

    pub(super) fn poll(
        &mut self,
        now: Instant,
        stack: &mut Stack,
        console: &mut dyn Console,
    ) -> Result<(Activity, Option<Instant>), Failure> {
        let mut activity = self.channel.poll(now, stack)?;
        if !self.channel.is_ready() {
            return Ok((activity, self.channel.next()));
        }
        let hub = match &mut self.hub {
            Some(hub) => hub,
            None => {
                let telemetry = core::mem::take(&mut self.telemetry);
                self.hub.insert(Hub::new(now, &self.assignment, telemetry)?)
            }
        };
        let received = self.channel.take();
        if !received.is_empty() {
            activity = Activity::Busy;
        }
        for event in hub.receive(now, &received)? {
            let device_id = &self.assignment.device_id;
            let message = match event {
                Event::Connected => Message::HubConnected(device_id),
                Event::TelemetryAcknowledged => {
                    self.settled = true;
                    Message::TelemetrySent
                }
            };
            console.line(format_args!("{message}"));
        }
        if self.channel.is_closed(stack) {
            let reason = format!("{} closed the connection", self.assignment.hub);
            return Err(Failure::new(FailureKind::HubLost, reason));
        }
        hub.poll(now)?;
        if !hub.outgoing().is_empty() {
            self.channel.send(&core::mem::take(hub.outgoing()))?;
            activity = Activity::Busy;
        }
        Ok((activity, Some(hub.next())))
    }
}
