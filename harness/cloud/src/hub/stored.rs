//! Devices as records that outlive a process.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::device::DeviceStatus;
use super::{Authentication, Device, DeviceKey, Hubs, Properties, Thumbprint, Twin};
use crate::clock::Timestamp;
use crate::sas::{SymmetricKey, SymmetricKeys};

/// A hub's device without what belongs to a process: its session, telemetry and messages.
///
/// It is written with its keys in clear text: whoever writes it answers for who may read it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HubDeviceRecord {
    /// The hub's host name.
    pub hub: String,
    /// The device's id.
    pub device_id: String,
    authentication: StoredAuthentication,
    status: DeviceStatus,
    revision: u64,
    created: String,
    #[serde(default)]
    tags: Map<String, Value>,
    desired: StoredProperties,
    reported: StoredProperties,
    twin_version: u64,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredAuthentication {
    SelfSigned(String, Option<String>),
    Sas(String, String),
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct StoredProperties {
    version: u64,
    values: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

impl core::fmt::Debug for HubDeviceRecord {
    /// Keeps keys out.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} of {}", self.device_id, self.hub)
    }
}

impl HubDeviceRecord {
    fn of(device: &Device) -> Self {
        let stored = |properties: &Properties| StoredProperties {
            version: properties.version,
            values: properties.values.clone(),
            metadata: properties.metadata.clone(),
        };
        Self {
            hub: device.hub.clone(),
            device_id: device.device_id.clone(),
            authentication: match &device.authentication {
                Authentication::SelfSigned { primary, secondary } => {
                    StoredAuthentication::SelfSigned(
                        primary.as_str().to_owned(),
                        secondary.as_ref().map(|own| own.as_str().to_owned()),
                    )
                }
                Authentication::Sas(keys) => StoredAuthentication::Sas(
                    keys.primary.expose_base64().to_string(),
                    keys.secondary.expose_base64().to_string(),
                ),
            },
            status: device.status,
            revision: device.revision,
            created: device.created.round_trip(),
            tags: device.twin.tags.clone(),
            desired: stored(&device.twin.desired),
            reported: stored(&device.twin.reported),
            twin_version: device.twin.version,
        }
    }

    /// The device; `None` where a member is not possible.
    fn read(&self) -> Option<Device> {
        let authentication = match &self.authentication {
            StoredAuthentication::SelfSigned(primary, secondary) => Authentication::SelfSigned {
                primary: Thumbprint::parse(primary)?,
                secondary: match secondary {
                    Some(text) => Some(Thumbprint::parse(text)?),
                    None => None,
                },
            },
            StoredAuthentication::Sas(primary, secondary) => Authentication::Sas(SymmetricKeys {
                primary: SymmetricKey::from_base64(primary).ok()?,
                secondary: SymmetricKey::from_base64(secondary).ok()?,
            }),
        };
        let created = Timestamp::parse(&self.created)?;
        let mut device = Device::new(&self.hub, &self.device_id, authentication, created);
        let properties = |stored: &StoredProperties| Properties {
            values: stored.values.clone(),
            version: stored.version,
            metadata: stored.metadata.clone(),
        };
        device.status = self.status;
        device.revision = self.revision;
        device.twin = Twin {
            tags: self.tags.clone(),
            desired: properties(&self.desired),
            reported: properties(&self.reported),
            version: self.twin_version,
        };
        Some(device)
    }

    /// Whether the record is one that a hub can take.
    pub(crate) fn is_usable(&self) -> bool {
        self.read().is_some()
    }

    pub(crate) fn key(&self) -> DeviceKey {
        DeviceKey::new(&self.hub, &self.device_id)
    }
}

impl Hubs {
    /// The devices that changed since the last call, as they are now; none for one that is gone.
    pub(crate) fn take_changes(&mut self) -> Vec<(DeviceKey, Option<HubDeviceRecord>)> {
        let changed = core::mem::take(&mut self.changed);
        let record = |key: &DeviceKey| self.devices.get(key).map(HubDeviceRecord::of);
        changed
            .into_iter()
            .map(|key| (key.clone(), record(&key)))
            .collect()
    }

    /// Every device.
    pub(crate) fn records(&self) -> impl Iterator<Item = HubDeviceRecord> {
        self.devices.values().map(HubDeviceRecord::of)
    }

    /// Takes a device in as it was.
    pub(crate) fn restore(&mut self, record: &HubDeviceRecord) {
        if let Some(device) = record.read() {
            self.devices.insert(record.key(), device);
        }
    }

    /// Forgets a device.
    pub(crate) fn forget_device(&mut self, key: &DeviceKey) {
        self.remove(key);
        self.changed.remove(key);
    }
}
