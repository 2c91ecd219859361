//! IoT Hub as a state machine: devices, their sessions, telemetry, twins, messages and methods. It
//! speaks MQTT packets, but knows no transport, no clock and no randomness of its own.

mod authentication;
mod back_end;
mod cloud_to_device;
mod connect;
mod device;
mod message;
mod method;
mod session;
mod stored;
mod topic;
mod twin;

use std::collections::{BTreeMap, BTreeSet};

use az3166_event::{CloudEvent, VirtualTime};

pub use authentication::{Authentication, Thumbprint};
pub use device::{ConnectionState, Device, DeviceStatus, Telemetry};
pub use stored::HubDeviceRecord;
pub use twin::{Properties, Twin};

pub(crate) use authentication::Shown;
pub(crate) use back_end::{DeviceChange, RegistryError};
pub(crate) use cloud_to_device::{CloudMessage, QueueError, Verdict};
pub(crate) use connect::ConnectRefusal;
pub(crate) use message::{Happened, Violation};
pub(crate) use method::{Call, CallEnd, MethodResult};
pub(crate) use twin::{Mode, Sections, TwinError};

use crate::clock::Epoch;
use crate::mqtt::Packet;
use crate::provisioning::{Assignment, Substatus};
use crate::retention::Retention;
use crate::sas::AccessPolicy;
use method::Calls;
use session::Session;

/// All devices of all hubs, and who is connected.
#[derive(Clone, Debug)]
pub(crate) struct Hubs {
    devices: BTreeMap<DeviceKey, Device>,
    sessions: BTreeMap<u32, Session>,
    calls: Calls,
    outgoing: Vec<Outgoing>,
    notes: Vec<(VirtualTime, CloudEvent)>,
    changed: BTreeSet<DeviceKey>,
    settings: Settings,
}

/// What all hubs have in common.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) epoch: Epoch,
    pub(crate) retention: Retention,
    /// Whose tokens give access to the registry and to every device.
    pub(crate) policy: Option<AccessPolicy>,
}

/// A hub's host name in lower case and a device id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DeviceKey {
    pub(crate) hub: String,
    pub(crate) device_id: String,
}

/// What one connection's traffic means for another connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outgoing {
    /// A packet for a device.
    Packet { connection: u32, packet: Packet },
    /// The hub ends a session.
    Evict {
        connection: u32,
        reason: &'static str,
    },
    /// The answer to a method's call over HTTP.
    CallEnd(CallEnd),
}

impl Hubs {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            devices: BTreeMap::new(),
            sessions: BTreeMap::new(),
            calls: Calls::default(),
            outgoing: Vec::new(),
            notes: Vec::new(),
            changed: BTreeSet::new(),
            settings,
        }
    }

    /// Makes a device known to its hub, or known anew.
    pub(crate) fn put(&mut self, now: VirtualTime, assignment: &Assignment) {
        let key = DeviceKey::new(&assignment.hub, &assignment.device_id);
        let former = assignment
            .former_hub
            .as_ref()
            .map(|hub| DeviceKey::new(hub, &assignment.device_id))
            .and_then(|former| self.remove(&former))
            .filter(|_| assignment.substatus == Substatus::DeviceDataMigrated);
        let authentication = Authentication::from(&assignment.credential);
        let created = self.settings.epoch.timestamp(now);
        let device = self.devices.entry(key.clone()).or_insert_with(|| {
            let mut device = Device::new(&key.hub, &key.device_id, authentication.clone(), created);
            let initial = || Twin::initial(created, assignment.initial_twin.as_ref());
            device.twin = former.map_or_else(initial, |device| device.twin);
            device
        });
        if device.authentication != authentication {
            device.authentication = authentication;
            device.revision += 1;
        }
        self.changed.insert(key);
    }

    /// All devices, by hub and id.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    /// What one connection's traffic meant for others since the last call.
    pub(crate) fn take_outgoing(&mut self) -> Vec<Outgoing> {
        core::mem::take(&mut self.outgoing)
    }

    /// What happened beside the messages of devices since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<(VirtualTime, CloudEvent)> {
        core::mem::take(&mut self.notes)
    }

    /// When a method's call gives up.
    pub(crate) fn next_deadline(&self) -> Option<VirtualTime> {
        self.calls.next_deadline()
    }

    /// Ends the calls whose time is over.
    pub(crate) fn advance(&mut self, now: VirtualTime) {
        for end in self.calls.advance(now) {
            self.end_call(now, end);
        }
    }

    /// The connection is gone, whatever it was for.
    pub(crate) fn forget(&mut self, connection: u32) {
        self.calls.forget(connection);
    }

    fn end_call(&mut self, now: VirtualTime, end: CallEnd) {
        let event = CloudEvent::DirectMethod {
            device_id: end.device_id.clone(),
            method: end.method.clone(),
            status: end.result.as_ref().ok().map(|result| result.status),
            error_code: end.result.as_ref().err().map(|error| error.code()),
        };
        self.notes.push((now, event));
        self.outgoing.push(Outgoing::CallEnd(end));
    }

    fn note_message(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        message_id: String,
        outcome: &str,
    ) {
        let event = CloudEvent::CloudToDevice {
            device_id: key.device_id.clone(),
            message_id,
            outcome: outcome.to_owned(),
        };
        self.notes.push((now, event));
    }

    /// Removes a device and ends its session.
    fn remove(&mut self, key: &DeviceKey) -> Option<Device> {
        let device = self.devices.remove(key)?;
        self.changed.insert(key.clone());
        if let Some(connection) = device.connection() {
            self.sessions.remove(&connection);
            self.outgoing.push(Outgoing::Evict {
                connection,
                reason: "the device was removed from the hub",
            });
        }
        Some(device)
    }
}

impl DeviceKey {
    pub(crate) fn new(hub: &str, device_id: &str) -> Self {
        Self {
            hub: hub.to_ascii_lowercase(),
            device_id: device_id.to_owned(),
        }
    }
}
