//! What the services remember, as changes that can be written to a file and read back.
//!
//! A [`Change`] puts or deletes one record. [`Cloud::take_changes`](crate::Cloud::take_changes)
//! hands out what changed since the last call, [`Cloud::snapshot`](crate::Cloud::snapshot) every
//! record, and [`Cloud::apply`](crate::Cloud::apply) takes either back in, in the same order. A
//! change is whole by itself: a file that ends after any line is a good one, the last change of a
//! key counts, and applying a change twice changes nothing.

mod line;
mod registration;

pub use line::StateError;

use crate::hub::HubDeviceRecord;
use crate::provisioning::{Enrolment, EnrolmentGroup, Record, Registration};

/// One record was put or deleted.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// This is the record now.
    Put(Box<Item>),
    /// There is no such record any more.
    Delete(ItemKey),
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An individual enrolment.
    Enrolment(Record<Enrolment>),
    /// An enrolment group.
    Group(Record<EnrolmentGroup>),
    /// A registration whose operation has ended.
    Registration(Registration),
    /// A hub's device.
    Device(HubDeviceRecord),
}

/// What a record is found by. Ids are in the one spelling by which records are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKey {
    /// An individual enrolment's registration id.
    Enrolment(String),
    /// An enrolment group's id.
    Group(String),
    /// A registration's id.
    Registration(String),
    /// A hub's host name and a device's id.
    Device(String, String),
}

impl Change {
    /// The key of the record that changed.
    pub fn key(&self) -> ItemKey {
        match self {
            Self::Put(item) => item.key(),
            Self::Delete(key) => key.clone(),
        }
    }
}

impl Item {
    /// The key of this record.
    pub fn key(&self) -> ItemKey {
        match self {
            Self::Enrolment(record) => {
                ItemKey::Enrolment(record.value.registration_id.to_ascii_lowercase())
            }
            Self::Group(record) => ItemKey::Group(record.value.group_id.to_ascii_lowercase()),
            Self::Registration(registration) => {
                ItemKey::Registration(registration.registration_id.to_ascii_lowercase())
            }
            Self::Device(record) => {
                ItemKey::Device(record.hub.to_ascii_lowercase(), record.device_id.clone())
            }
        }
    }
}
