//! What the back end does to devices through a hub's registry.

use az3166_event::{CloudEvent, VirtualTime};

use super::message::at_most_once;
use super::topic::Feed;
use super::{
    Authentication, Call, CloudMessage, Device, DeviceKey, DeviceStatus, Hubs, Mode, Outgoing,
    QueueError, Sections, TwinError,
};

/// The most devices of all hubs together: what a computer holds, not the service's limit of a
/// million.
const DEVICES: usize = 100_000;

/// What a device's identity becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceChange {
    pub(crate) authentication: Authentication,
    pub(crate) status: DeviceStatus,
}

/// Why the registry refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegistryError {
    /// Device not registered.
    #[error("Device {0} not registered")]
    NotFound(String),
    /// A device with this id exists.
    #[error("A device with ID '{0}' is already registered.")]
    Exists(String),
    /// The etag is another one.
    #[error("Precondition failed: Device version did not match, existingVersion:{0}")]
    Precondition(String),
    /// There are too many devices.
    #[error("Total number of devices on this service exceeds {DEVICES}.")]
    TooMany,
    /// The queue does not take the message.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The twin cannot become so.
    #[error(transparent)]
    Twin(#[from] TwinError),
}

impl RegistryError {
    /// The hub's error code and its name (IoT Hub REST reference, "Common error codes").
    pub(crate) fn code(&self) -> (u32, &'static str) {
        match self {
            Self::NotFound(_) => (404_001, "DeviceNotFound"),
            Self::Exists(_) => (409_001, "DeviceAlreadyExists"),
            Self::Precondition(_) => (412_001, "PreconditionFailed"),
            Self::TooMany => (403_002, "IotHubQuotaExceeded"),
            Self::Queue(QueueError::Full) => (403_004, "DeviceMaximumQueueDepthExceeded"),
            Self::Queue(QueueError::TooLarge) => (413_001, "MessageTooLarge"),
            Self::Twin(TwinError::TooLarge { .. }) => (413_001, "RequestTooLarge"),
            Self::Twin(_) => (400_000, "GenericBadRequest"),
        }
    }
}

impl Hubs {
    /// The device, if the hub knows it.
    pub(crate) fn device(&self, key: &DeviceKey) -> Result<&Device, RegistryError> {
        self.devices.get(key).ok_or_else(|| not_found(key))
    }

    /// The devices of `hub` by id, those after `after` first.
    pub(crate) fn devices_of(
        &self,
        hub: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = &Device> {
        let hub = hub.to_ascii_lowercase();
        let start = DeviceKey::new(&hub, after.unwrap_or_default());
        let skipped = after.map(str::to_owned);
        self.devices
            .range(start..)
            .take_while(move |(key, _)| key.hub == hub)
            .filter(move |(key, _)| Some(&key.device_id) != skipped.as_ref())
            .map(|(_, device)| device)
    }

    /// Makes a device known.
    pub(crate) fn create(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        change: DeviceChange,
    ) -> Result<&Device, RegistryError> {
        if self.devices.contains_key(key) {
            return Err(RegistryError::Exists(key.device_id.clone()));
        }
        if self.devices.len() >= DEVICES {
            return Err(RegistryError::TooMany);
        }
        let created = self.settings.epoch.timestamp(now);
        let mut device = Device::new(&key.hub, &key.device_id, change.authentication, created);
        device.status = change.status;
        self.changed.insert(key.clone());
        Ok(self.devices.entry(key.clone()).or_insert(device))
    }

    /// Changes a device's identity; `etag` is what it must have been, or `*`. What its session was
    /// made with may be gone, so the session ends.
    pub(crate) fn update(
        &mut self,
        key: &DeviceKey,
        etag: &str,
        change: DeviceChange,
    ) -> Result<&Device, RegistryError> {
        let device = self.devices.get_mut(key).ok_or_else(|| not_found(key))?;
        match_etag(etag, &device.etag())?;
        let differs = device.authentication != change.authentication
            || (device.status, change.status) == (DeviceStatus::Enabled, DeviceStatus::Disabled);
        device.authentication = change.authentication;
        device.status = change.status;
        device.revision += 1;
        self.changed.insert(key.clone());
        if let Some(connection) = device.connection().filter(|_| differs) {
            self.outgoing.push(Outgoing::Evict {
                connection,
                reason: "the device's identity changed",
            });
            self.disconnect(connection);
        }
        self.device(key)
    }

    /// Removes a device; `etag` as before.
    pub(crate) fn delete(&mut self, key: &DeviceKey, etag: &str) -> Result<(), RegistryError> {
        match_etag(etag, &self.device(key)?.etag())?;
        self.remove(key);
        Ok(())
    }

    /// Changes a twin; `etag` as before, but the twin's.
    pub(crate) fn change_twin(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        etag: &str,
        mode: Mode,
        sections: Sections,
    ) -> Result<&Device, RegistryError> {
        let time = self.settings.epoch.timestamp(now);
        let device = self.devices.get_mut(key).ok_or_else(|| not_found(key))?;
        match_etag(etag, &device.twin.etag())?;
        let notice = device.twin.change(time, mode, sections)?;
        self.changed.insert(key.clone());
        if let Some(notice) = notice {
            let event = CloudEvent::Twin {
                device_id: key.device_id.clone(),
                operation: "desired_changed".to_owned(),
            };
            self.notes.push((now, event));
            let version = device.twin.desired.version;
            let listens = |connection: &u32| {
                self.sessions
                    .get(connection)
                    .is_some_and(|session| session.feeds.contains_key(&Feed::DesiredChanges))
            };
            if let Some(connection) = device.connection().filter(listens) {
                let topic = format!("$iothub/twin/PATCH/properties/desired/?$version={version}");
                let packet = at_most_once(topic, notice.to_string().into_bytes());
                self.outgoing.push(Outgoing::Packet { connection, packet });
            }
        }
        self.device(key)
    }

    /// Queues a message for a device.
    pub(crate) fn send(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        message: CloudMessage,
    ) -> Result<(), RegistryError> {
        let message_id = message.message_id.clone();
        let device = self.devices.get_mut(key).ok_or_else(|| not_found(key))?;
        device.queue.purge(now);
        device.queue.push(now, message)?;
        self.note_message(now, key, message_id, "queued");
        self.deliver(now, key);
        Ok(())
    }

    /// Calls a method of a device; the answer comes later.
    pub(crate) fn call(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        call: Call,
    ) -> Result<(), RegistryError> {
        self.device(key)?;
        self.calls.push(key.clone(), call);
        self.deliver(now, key);
        self.advance(now);
        Ok(())
    }
}

fn not_found(key: &DeviceKey) -> RegistryError {
    RegistryError::NotFound(key.device_id.clone())
}

/// `If-Match` of HTTP: `*`, or the etag with or without quotes.
fn match_etag(wanted: &str, own: &str) -> Result<(), RegistryError> {
    let wanted = wanted.trim().trim_matches('"');
    match wanted == "*" || wanted == own {
        true => Ok(()),
        false => Err(RegistryError::Precondition(own.to_owned())),
    }
}
