//! The services that the device reaches: in this process, or elsewhere.

use core::time::Duration;

use az3166_cloud::{Cloud, Device};
use az3166_event::{CloudEvent, VirtualTime};
use az3166_network::{Gateway, Services};

use super::services::CloudServices;
use crate::outside::{OutsideCloud, OutsideError};

/// The services that the device reaches.
pub enum CloudSide {
    /// In this process, on the target's time.
    Local(Box<Cloud>),
    /// Elsewhere, on the wall clock.
    Outside(Box<dyn OutsideCloud>),
}

impl CloudSide {
    /// The local cloud, where it is that.
    pub fn local(&mut self) -> Option<&mut Cloud> {
        match self {
            Self::Local(cloud) => Some(cloud),
            Self::Outside(_) => None,
        }
    }

    /// The client certificates that were shown in complete handshakes, as far as this process
    /// can see them, each with its time.
    pub fn client_certificates(&self) -> &[(VirtualTime, Vec<u8>)] {
        match self {
            Self::Local(cloud) => cloud.client_certificates(),
            Self::Outside(_) => &[],
        }
    }

    /// Keys that decrypt the capture; none of an outside cloud's connections.
    pub fn key_log(&mut self) -> Vec<String> {
        match self {
            Self::Local(cloud) => cloud.key_log(),
            Self::Outside(_) => Vec::new(),
        }
    }

    /// The root that the device must trust besides its own, in DER; none where its own will do.
    pub fn trust_anchor(&self) -> Option<&[u8]> {
        match self {
            Self::Local(cloud) => Some(cloud.trust_anchor()),
            Self::Outside(cloud) => cloud.trust_anchor(),
        }
    }

    /// The device id under which the services know a device whose scenario says `wanted`.
    pub fn device_id(&self, wanted: String) -> String {
        match self {
            Self::Local(_) => wanted,
            Self::Outside(cloud) => cloud.device_id(&wanted),
        }
    }

    /// The devices that the local hub has.
    pub fn devices(&self) -> Box<dyn Iterator<Item = &Device> + '_> {
        match self {
            Self::Local(cloud) => Box::new(cloud.devices()),
            Self::Outside(_) => Box::new(core::iter::empty()),
        }
    }

    /// Removes what was made in an outside cloud.
    pub(crate) fn close(&mut self) -> Result<(), OutsideError> {
        match self {
            Self::Local(_) => Ok(()),
            Self::Outside(cloud) => cloud.close(),
        }
    }

    pub(super) fn advance(&mut self, now: VirtualTime) {
        if let Self::Local(cloud) = self {
            cloud.advance(now);
        }
    }

    pub(super) fn next_deadline(&self, now: VirtualTime) -> Option<VirtualTime> {
        match self {
            Self::Local(cloud) => cloud.next_deadline(),
            Self::Outside(cloud) => Some(now + cloud.poll_interval().max(Duration::from_millis(1))),
        }
    }

    pub(super) fn serve(&mut self, now: VirtualTime, gateway: &mut Gateway) {
        match self {
            Self::Local(cloud) => gateway.poll(now, &mut CloudServices(cloud)),
            Self::Outside(cloud) => {
                let services: &mut dyn OutsideCloud = cloud.as_mut();
                gateway.poll(now, services as &mut dyn Services);
            }
        }
    }

    pub(super) fn drain_events(
        &mut self,
        now: VirtualTime,
    ) -> Result<Vec<(VirtualTime, CloudEvent)>, OutsideError> {
        match self {
            Self::Local(cloud) => Ok(cloud.drain_events()),
            Self::Outside(cloud) => {
                let events = cloud.drain_events()?;
                Ok(events.into_iter().map(|event| (now, event)).collect())
            }
        }
    }

    pub(super) fn take_plaintext_from_device(&mut self) -> Vec<(u32, Vec<u8>)> {
        match self {
            Self::Local(cloud) => cloud.take_plaintext_from_device(),
            Self::Outside(_) => Vec::new(),
        }
    }
}
