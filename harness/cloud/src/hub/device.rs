//! What a hub knows of a device.

use std::collections::VecDeque;

use az3166_event::VirtualTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cloud_to_device::Queue;
use super::{Authentication, Twin};
use crate::clock::Timestamp;
use crate::retention::Retention;

/// A device of a hub.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The hub's host name.
    pub hub: String,
    /// The device's id.
    pub device_id: String,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Whether it may connect.
    pub status: DeviceStatus,
    /// Counts the times that its identity changed, from 1.
    pub revision: u64,
    /// When it was made known to the hub.
    pub created: Timestamp,
    /// When it sent something last.
    pub last_activity: Option<Timestamp>,
    /// Whether it is connected.
    pub connection_state: ConnectionState,
    /// What it sent, the oldest first; a service keeps the latest messages.
    pub telemetry: VecDeque<Telemetry>,
    /// How many messages it sent, kept or not.
    pub telemetry_count: u64,
    /// Its twin.
    pub twin: Twin,
    pub(super) queue: Queue,
}

/// Whether a device may connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceStatus {
    /// It may.
    #[default]
    Enabled,
    /// It may not.
    Disabled,
}

/// Whether a device is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It is not.
    Disconnected,
    /// It is.
    Connected {
        /// Number of the TCP connection.
        connection: u32,
        /// Since when.
        since: VirtualTime,
    },
}

/// A message from a device to its hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// When it arrived.
    pub at: VirtualTime,
    /// Its properties, as in the topic.
    pub properties: String,
    /// The message.
    pub body: Vec<u8>,
}

impl Device {
    pub(super) fn new(
        hub: &str,
        device_id: &str,
        authentication: Authentication,
        created: Timestamp,
    ) -> Self {
        Self {
            hub: hub.to_owned(),
            device_id: device_id.to_owned(),
            authentication,
            status: DeviceStatus::default(),
            revision: 1,
            created,
            last_activity: None,
            connection_state: ConnectionState::Disconnected,
            telemetry: VecDeque::new(),
            telemetry_count: 0,
            twin: Twin::default(),
            queue: Queue::default(),
        }
    }

    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        self.connection().is_some()
    }

    /// How many messages from the cloud wait for it.
    pub fn waiting_messages(&self) -> usize {
        self.queue.len()
    }

    /// The identity's etag, as the registry has it.
    pub(crate) fn etag(&self) -> String {
        STANDARD.encode(self.revision.to_string())
    }

    pub(super) fn connection(&self) -> Option<u32> {
        match self.connection_state {
            ConnectionState::Connected { connection, .. } => Some(connection),
            ConnectionState::Disconnected => None,
        }
    }

    /// Keeps a message, and forgets the oldest ones that are too much.
    pub(super) fn keep(&mut self, message: Telemetry, retention: &Retention) {
        self.telemetry_count += 1;
        self.telemetry.push_back(message);
        let size = |kept: &VecDeque<Telemetry>| kept.iter().map(|each| each.body.len()).sum();
        while self.telemetry.len() > 1 {
            let bytes: usize = match retention.telemetry_bytes {
                usize::MAX => 0,
                _ => size(&self.telemetry),
            };
            if self.telemetry.len() <= retention.telemetry && bytes <= retention.telemetry_bytes {
                return;
            }
            self.telemetry.pop_front();
        }
    }
}
