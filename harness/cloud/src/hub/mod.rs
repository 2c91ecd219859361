//! IoT Hub as a state machine: devices, their sessions, telemetry and twins. It speaks MQTT
//! packets, but knows no transport, no clock and no randomness of its own.

mod connect;
mod device;
mod message;
mod topic;
mod twin;

use std::collections::BTreeMap;

use az3166_event::VirtualTime;

pub use device::{Authentication, ConnectionState, Device, Telemetry, Thumbprints};
pub use twin::{Properties, Twin};

pub(crate) use connect::ConnectRefusal;
pub(crate) use message::{Happened, Violation};

use crate::certificate::DeviceCertificate;
use crate::mqtt::{Connect, Packet, Publish, QoS, Subscription};
use crate::provisioning::{Assignment, Substatus};

/// All devices of all hubs, and who is connected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hubs {
    devices: BTreeMap<DeviceKey, Device>,
    sessions: BTreeMap<u32, Session>,
}

/// A hub's host name in lower case and a device id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DeviceKey {
    hub: String,
    device_id: String,
}

#[derive(Clone, Debug)]
struct Session {
    device: DeviceKey,
    filters: Vec<String>,
}

/// A session that began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connected {
    /// The connection whose session it ended: a device has one at most (error 400027).
    pub(crate) replaced: Option<u32>,
}

impl Hubs {
    /// Makes a device known to its hub, or known anew.
    pub(crate) fn put(&mut self, assignment: &Assignment) {
        let key = DeviceKey::new(&assignment.hub, &assignment.device_id);
        let former = assignment
            .former_hub
            .as_ref()
            .and_then(|hub| {
                self.devices
                    .remove(&DeviceKey::new(hub, &assignment.device_id))
            })
            .filter(|_| assignment.substatus == Substatus::DeviceDataMigrated);
        let authentication = Authentication::from(&assignment.credential);
        match self.devices.get_mut(&key) {
            Some(device) => device.authentication = authentication,
            None => {
                let twin = former.map(|device| device.twin).unwrap_or_default();
                let device = Device::new(&key.hub, &key.device_id, authentication, twin);
                self.devices.insert(key, device);
            }
        }
    }

    /// All devices, by hub and id.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    /// A client of `hub` asks for a session on `connection`.
    ///
    /// # Errors
    /// It is refused.
    pub(crate) fn connect(
        &mut self,
        now: VirtualTime,
        connection: u32,
        hub: &str,
        packet: &Connect,
        certificate: Option<&DeviceCertificate>,
    ) -> Result<Connected, ConnectRefusal> {
        let device_id = connect::device_id(hub, packet)?;
        let key = DeviceKey::new(hub, device_id);
        let device = self
            .devices
            .get_mut(&key)
            .ok_or(ConnectRefusal::UnknownDevice)?;
        connect::authenticate(&device.authentication, certificate)?;
        let replaced = match device.connection_state {
            ConnectionState::Connected { connection, .. } => Some(connection),
            ConnectionState::Disconnected => None,
        };
        device.connection_state = ConnectionState::Connected {
            connection,
            since: now,
        };
        if let Some(old) = replaced {
            self.sessions.remove(&old);
        }
        let session = Session {
            device: key,
            filters: Vec::new(),
        };
        self.sessions.insert(connection, session);
        Ok(Connected { replaced })
    }

    /// The session on `connection` ended, if there was one.
    pub(crate) fn disconnect(&mut self, connection: u32) {
        if let Some(session) = self.sessions.remove(&connection)
            && let Some(device) = self.devices.get_mut(&session.device)
        {
            device.connection_state = ConnectionState::Disconnected;
        }
    }

    /// A device wants messages.
    pub(crate) fn subscribe(
        &mut self,
        connection: u32,
        wanted: &[Subscription],
    ) -> Vec<Option<QoS>> {
        let Some(session) = self.sessions.get_mut(&connection) else {
            return vec![None; wanted.len()];
        };
        let grant = |subscription: &Subscription| {
            if !topic::may_subscribe(&session.device.device_id, &subscription.filter) {
                return None;
            }
            session.filters.push(subscription.filter.clone());
            // The hub has no QoS 2 (IoT Hub documentation, "MQTT support").
            Some(subscription.qos.min(QoS::AtLeastOnce))
        };
        wanted.iter().map(grant).collect()
    }

    /// A device wants no more messages.
    pub(crate) fn unsubscribe(&mut self, connection: u32, filters: &[String]) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.filters.retain(|own| !filters.contains(own));
        }
    }

    /// A device sent a message: what it means, and packets for the device.
    ///
    /// # Errors
    /// The hub closes the connection.
    pub(crate) fn publish(
        &mut self,
        now: VirtualTime,
        connection: u32,
        message: &Publish,
    ) -> Result<(Happened, Vec<Packet>), Violation> {
        let session = self.sessions.get(&connection).ok_or(Violation::NoSession)?;
        let device = self
            .devices
            .get_mut(&session.device)
            .ok_or(Violation::NoSession)?;
        message::handle(now, device, &session.filters, message)
    }
}

impl DeviceKey {
    fn new(hub: &str, device_id: &str) -> Self {
        Self {
            hub: hub.to_ascii_lowercase(),
            device_id: device_id.to_owned(),
        }
    }
}
