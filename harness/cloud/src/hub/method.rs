//! Direct methods (IoT Hub documentation, "Understand and invoke direct methods").

use std::collections::BTreeMap;

use az3166_event::VirtualTime;
use serde_json::Value;

use super::DeviceKey;

/// A call of a device's method.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// The method's name.
    pub(crate) method: String,
    /// What the device gets.
    pub(crate) payload: Vec<u8>,
    /// Until when the device must be there.
    pub(crate) connect_by: VirtualTime,
    /// How long it may take then.
    pub(crate) response_time: core::time::Duration,
    /// The connection whose request is answered in the end.
    pub(crate) connection: u32,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CallEnd {
    /// The connection whose request it answers.
    pub(crate) connection: u32,
    pub(crate) device_id: String,
    pub(crate) method: String,
    pub(crate) result: Result<MethodResult, CallError>,
}

/// What a device answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MethodResult {
    pub(crate) status: i32,
    pub(crate) payload: Value,
}

/// Why a device did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The device is not online.
    #[error("Timed out waiting for device to connect.")]
    NotOnline,
    /// The device did not answer in time.
    #[error("Timed out waiting for the response from device.")]
    NoAnswer,
    /// The device's answer is not JSON.
    #[error("The response from device is not JSON.")]
    NotJson,
}

impl CallError {
    /// The hub's error code.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::NotOnline => 404_103,
            Self::NoAnswer => 504_101,
            Self::NotJson => 502_000,
        }
    }
}

/// The calls that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    calls: BTreeMap<u64, Pending>,
    last: u64,
}

#[derive(Clone, Debug)]
struct Pending {
    device: DeviceKey,
    call: Call,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The device is not there yet.
    Waiting,
    /// It has the request.
    Sent { answer_by: VirtualTime },
}

impl Calls {
    pub(super) fn push(&mut self, device: DeviceKey, call: Call) {
        self.last += 1;
        let state = State::Waiting;
        self.calls.insert(
            self.last,
            Pending {
                device,
                call,
                state,
            },
        );
    }

    /// The requests that wait for a device which is there now: their ids, names and payloads.
    pub(super) fn send(
        &mut self,
        now: VirtualTime,
        device: &DeviceKey,
    ) -> Vec<(u64, String, Vec<u8>)> {
        let mut sent = Vec::new();
        for (id, pending) in &mut self.calls {
            if pending.device == *device && matches!(pending.state, State::Waiting) {
                pending.state = State::Sent {
                    answer_by: now + pending.call.response_time,
                };
                sent.push((
                    *id,
                    pending.call.method.clone(),
                    pending.call.payload.clone(),
                ));
            }
        }
        sent
    }

    /// A device answered.
    pub(super) fn answer(
        &mut self,
        device: &DeviceKey,
        id: u64,
        status: i32,
        payload: &[u8],
    ) -> Option<CallEnd> {
        let pending = self.calls.get(&id).filter(|own| own.device == *device)?;
        if matches!(pending.state, State::Waiting) {
            return None;
        }
        let result = match payload.trim_ascii() {
            [] => Ok(Value::Null),
            text => serde_json::from_slice(text).map_err(|_| CallError::NotJson),
        };
        self.end(id, result.map(|payload| MethodResult { status, payload }))
    }

    /// When the next call gives up.
    pub(super) fn next_deadline(&self) -> Option<VirtualTime> {
        self.calls.values().map(Pending::deadline).min()
    }

    /// Ends the calls whose time is over.
    pub(super) fn advance(&mut self, now: VirtualTime) -> Vec<CallEnd> {
        let late = self.calls.iter().filter(|(_, own)| own.deadline() <= now);
        let late: Vec<_> = late
            .map(|(id, pending)| match pending.state {
                State::Waiting => (*id, CallError::NotOnline),
                State::Sent { .. } => (*id, CallError::NoAnswer),
            })
            .collect();
        late.into_iter()
            .filter_map(|(id, error)| self.end(id, Err(error)))
            .collect()
    }

    /// The connection that made calls is gone.
    pub(super) fn forget(&mut self, connection: u32) {
        self.calls
            .retain(|_, own| own.call.connection != connection);
    }

    fn end(&mut self, id: u64, result: Result<MethodResult, CallError>) -> Option<CallEnd> {
        let pending = self.calls.remove(&id)?;
        Some(CallEnd {
            connection: pending.call.connection,
            device_id: pending.device.device_id,
            method: pending.call.method,
            result,
        })
    }
}

impl Pending {
    fn deadline(&self) -> VirtualTime {
        match self.state {
            State::Waiting => self.call.connect_by,
            State::Sent { answer_by } => answer_by,
        }
    }
}
