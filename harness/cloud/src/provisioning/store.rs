//! The service's records: enrolments, groups, registrations, and which of them changed.

use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};

use az3166_event::VirtualTime;
use sha2::{Digest as _, Sha256};

use super::enrolment::Enrolment;
use super::group::EnrolmentGroup;
use super::id;
use super::operation::Pending;
use super::quota::Window;
use super::registration::{Registration, RegistrationState};
use crate::clock::Timestamp;
use crate::state::{Change, Item, ItemKey};

/// A record of the service and which one of its versions this is.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<T> {
    /// The record.
    pub value: T,
    /// Which version.
    pub revision: Revision,
}

/// Which version of a record this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Changes with every change of the record.
    pub etag: String,
    /// When the record was made.
    pub created: Timestamp,
    /// When it changed last.
    pub last_updated: Timestamp,
}

/// A registration and the operation that is under way.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) registration: Registration,
    /// The registration before this operation, which is what a restart goes back to.
    pub(super) former: Option<Box<Registration>>,
    pub(super) pending: Option<Pending>,
    /// When the device polled.
    pub(super) polls: Window,
}

/// All records.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    enrolments: BTreeMap<String, Record<Enrolment>>,
    groups: BTreeMap<String, Record<EnrolmentGroup>>,
    registrations: BTreeMap<String, Entry>,
    /// When operations end, the earliest first.
    deadlines: BTreeSet<(VirtualTime, String)>,
    changed: BTreeSet<ItemKey>,
    revisions: u64,
}

impl Store {
    pub(super) fn enrolment(&self, key: &str) -> Option<&Record<Enrolment>> {
        self.enrolments.get(key)
    }

    pub(super) fn enrolments(&self) -> impl Iterator<Item = &Record<Enrolment>> {
        self.enrolments.values()
    }

    pub(super) fn enrolments_after(
        &self,
        key: Option<&str>,
    ) -> impl Iterator<Item = (&String, &Record<Enrolment>)> {
        self.enrolments.range::<str, _>(after(key))
    }

    pub(super) fn groups_after(
        &self,
        key: Option<&str>,
    ) -> impl Iterator<Item = (&String, &Record<EnrolmentGroup>)> {
        self.groups.range::<str, _>(after(key))
    }

    pub(super) fn entries_after(
        &self,
        key: Option<&str>,
    ) -> impl Iterator<Item = (&String, &Entry)> {
        self.registrations.range::<str, _>(after(key))
    }

    pub(super) fn put_enrolment(&mut self, key: String, enrolment: Enrolment, now: Timestamp) {
        let former = self.enrolments.get(&key).map(|record| &record.revision);
        let revision = revision(&key, former, self.revisions, now);
        self.revisions += 1;
        self.changed.insert(ItemKey::Enrolment(key.clone()));
        let record = Record {
            value: enrolment,
            revision,
        };
        self.enrolments.insert(key, record);
    }

    pub(super) fn remove_enrolment(&mut self, key: &str) -> Option<Enrolment> {
        let removed = self.enrolments.remove(key)?;
        self.changed.insert(ItemKey::Enrolment(key.to_owned()));
        Some(removed.value)
    }

    pub(super) fn group(&self, key: &str) -> Option<&Record<EnrolmentGroup>> {
        self.groups.get(key)
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &Record<EnrolmentGroup>> {
        self.groups.values()
    }

    pub(super) fn put_group(&mut self, key: String, group: EnrolmentGroup, now: Timestamp) {
        let former = self.groups.get(&key).map(|record| &record.revision);
        let revision = revision(&key, former, self.revisions, now);
        self.revisions += 1;
        self.changed.insert(ItemKey::Group(key.clone()));
        let record = Record {
            value: group,
            revision,
        };
        self.groups.insert(key, record);
    }

    pub(super) fn remove_group(&mut self, key: &str) -> Option<EnrolmentGroup> {
        let removed = self.groups.remove(key)?;
        self.changed.insert(ItemKey::Group(key.to_owned()));
        Some(removed.value)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.registrations.get(key)
    }

    pub(super) fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.registrations.get_mut(key)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.registrations.values()
    }

    pub(super) fn put_entry(&mut self, key: String, entry: Entry) {
        self.take_entry(&key);
        if let Some(due) = entry.pending.as_ref().and_then(|pending| pending.due) {
            self.deadlines.insert((due, key.clone()));
        }
        if entry.pending.is_none() {
            self.changed.insert(ItemKey::Registration(key.clone()));
        }
        self.registrations.insert(key, entry);
    }

    /// Takes an entry out, which is not a change yet.
    pub(super) fn take_entry(&mut self, key: &str) -> Option<Entry> {
        let entry = self.registrations.remove(key)?;
        if let Some(due) = entry.pending.as_ref().and_then(|pending| pending.due) {
            self.deadlines.remove(&(due, key.to_owned()));
        }
        Some(entry)
    }

    pub(super) fn remove_registration(&mut self, key: &str) -> Option<Registration> {
        let removed = self.take_entry(key)?;
        self.changed.insert(ItemKey::Registration(key.to_owned()));
        Some(removed.registration)
    }

    pub(super) fn next_deadline(&self) -> Option<VirtualTime> {
        self.deadlines.first().map(|(due, _)| *due)
    }

    /// The key of the operation that ends first, if it is due at `now`.
    pub(super) fn due(&self, now: VirtualTime) -> Option<(VirtualTime, String)> {
        self.deadlines
            .first()
            .filter(|(due, _)| *due <= now)
            .cloned()
    }

    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let changed = core::mem::take(&mut self.changed);
        let change = |key| match self.item(&key) {
            Some(item) => Change::Put(Box::new(item)),
            None => Change::Delete(key),
        };
        changed.into_iter().map(change).collect()
    }

    pub(super) fn snapshot(&self) -> impl Iterator<Item = Change> {
        let enrolments = self.enrolments.values().cloned().map(Item::Enrolment);
        let groups = self.groups.values().cloned().map(Item::Group);
        let registrations = self.registrations.values().filter_map(kept);
        enrolments
            .chain(groups)
            .chain(registrations.map(Item::Registration))
            .map(|item| Change::Put(Box::new(item)))
    }

    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Put(item) => self.put_item(*item),
            Change::Delete(ItemKey::Enrolment(key)) => {
                self.enrolments.remove(&key);
            }
            Change::Delete(ItemKey::Group(key)) => {
                self.groups.remove(&key);
            }
            Change::Delete(ItemKey::Registration(key)) => {
                self.take_entry(&key);
            }
            // The hubs' own.
            Change::Delete(ItemKey::Device(..)) => {}
        }
    }

    fn put_item(&mut self, item: Item) {
        match (item.key(), item) {
            (ItemKey::Enrolment(key), Item::Enrolment(record)) => {
                self.enrolments.insert(key, record);
            }
            (ItemKey::Group(key), Item::Group(record)) => {
                self.groups.insert(key, record);
            }
            (ItemKey::Registration(key), Item::Registration(registration)) => {
                self.take_entry(&key);
                let entry = Entry {
                    registration,
                    former: None,
                    pending: None,
                    polls: Window::default(),
                };
                self.registrations.insert(key, entry);
            }
            // A key is of the kind of its item.
            _ => {}
        }
    }

    fn item(&self, key: &ItemKey) -> Option<Item> {
        match key {
            ItemKey::Enrolment(key) => self.enrolments.get(key).cloned().map(Item::Enrolment),
            ItemKey::Group(key) => self.groups.get(key).cloned().map(Item::Group),
            ItemKey::Device(..) => None,
            ItemKey::Registration(key) => self
                .registrations
                .get(key)
                .and_then(kept)
                .map(Item::Registration),
        }
    }
}

/// Every key after `key`.
fn after(key: Option<&str>) -> (Bound<&str>, Bound<&str>) {
    (
        key.map_or(Bound::Unbounded, Bound::Excluded),
        Bound::Unbounded,
    )
}

/// What outlives a restart of an entry: the last registration whose operation has ended.
fn kept(entry: &Entry) -> Option<Registration> {
    match (&entry.registration.state, entry.former.as_deref()) {
        (RegistrationState::Assigning, former) => former.cloned(),
        _ => Some(entry.registration.clone()),
    }
}

/// The revision that follows `former`. It draws nothing from the service's randomness, so that
/// enrolments change no operation id.
fn revision(key: &str, former: Option<&Revision>, number: u64, now: Timestamp) -> Revision {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"etag")
        .chain_update(key)
        .chain_update(former.map_or("", |former| &former.etag))
        .chain_update(number.to_be_bytes())
        .chain_update(now.since_1970().as_nanos().to_be_bytes())
        .finalize()
        .into();
    Revision {
        etag: id::etag_of(&digest),
        created: former.map_or(now, |former| former.created),
        last_updated: now,
    }
}
