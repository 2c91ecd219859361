//! The Device Provisioning Service as a state machine: no transport, no clock, no randomness of
//! its own.
//!
//! A transport turns its messages into [`Register`] and [`Provisioning::operation_status`] calls
//! and their answers back into its own form; what the device proved about itself comes as a
//! [`Proof`]. New ways of attestation are new variants of [`Attestation`] and [`Proof`].

mod admission;
mod allocation;
mod attestation;
mod chain;
mod enrolment;
mod group;
mod id;
mod operation;
mod policy;
mod quota;
mod refusal;
mod registration;
mod store;
mod tpm;

use std::collections::BTreeMap;

use az3166_event::VirtualTime;
use rustls::crypto::WebPkiSupportedAlgorithms;

pub use attestation::{Attestation, Credential, GroupAttestation, TpmIdentity};
pub use enrolment::{EnrolError, Enrolment};
pub use group::EnrolmentGroup;
pub use id::{IdError, RegistrationId};
pub use operation::{Assignment, Completion};
pub use policy::{AllocationPolicy, DeviceKind, Policy, ProvisioningStatus, ReprovisionPolicy};
pub use quota::{Quota, QuotaError, Quotas};
pub use refusal::Refusal;
pub use registration::{AttestationKind, HubDevice, Registration, RegistrationState, Substatus};
pub use store::{Record, Revision};

pub(crate) use id::{is_device_id, uuid};

use crate::behaviour::{Behaviour, DeletedEnrolment};
use crate::certificate::DeviceCertificate;
use crate::clock::Epoch;
use crate::state::Change;
use quota::Window;
use store::Store;
use tpm::Challenge;

/// What a device proved about itself through its transport.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// Nothing.
    Nothing,
    /// Possession of the key of a certificate, in TLS.
    Certificate {
        /// The certificate.
        leaf: &'a DeviceCertificate,
        /// The others that the client sent, in DER.
        intermediates: &'a [Vec<u8>],
    },
    /// What this shared access signature proves, which is not judged yet: the `Authorization`
    /// header of HTTP, the password of MQTT.
    Token(&'a str),
}

/// A request to register.
#[derive(Clone, Copy, Debug)]
pub struct Register<'a> {
    /// The ID scope that the device names.
    pub id_scope: &'a str,
    /// The registration id that it names.
    pub registration_id: &'a str,
    /// What it proved.
    pub proof: Proof<'a>,
    /// How the operation shall go.
    pub course: Course,
}

/// How an operation goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Course {
    /// As the enrolment says.
    #[default]
    Normal,
    /// It stays `assigning`.
    NeverEnds,
    /// It fails with this error code.
    Fails(u32),
}

/// The service.
#[derive(Clone, Debug)]
pub struct Provisioning {
    id_scope: String,
    hubs: Vec<String>,
    behaviour: Behaviour,
    epoch: Epoch,
    verifier: WebPkiSupportedAlgorithms,
    quotas: Quotas,
    registering: Window,
    operating: Window,
    store: Store,
    /// What TPMs were asked to prove, by registration id.
    challenges: BTreeMap<String, Challenge>,
    /// The latest time that the service was told.
    latest: VirtualTime,
}

/// What a service is made from.
pub(crate) struct Settings {
    pub(crate) id_scope: String,
    /// The hubs that devices are assigned to.
    pub(crate) hubs: Vec<String>,
    pub(crate) behaviour: Behaviour,
    pub(crate) epoch: Epoch,
    /// What verifies the signatures of certificates.
    pub(crate) verifier: WebPkiSupportedAlgorithms,
    pub(crate) quotas: Quotas,
}

impl Provisioning {
    /// A service without enrolments.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            id_scope: settings.id_scope,
            hubs: settings.hubs,
            behaviour: settings.behaviour,
            epoch: settings.epoch,
            verifier: settings.verifier,
            quotas: settings.quotas,
            registering: Window::default(),
            operating: Window::default(),
            store: Store::default(),
            challenges: BTreeMap::new(),
            latest: VirtualTime::ZERO,
        }
    }

    /// Adds or replaces an enrolment.
    ///
    /// # Errors
    /// One of its members is not possible.
    pub fn enrol(&mut self, enrolment: Enrolment) -> Result<(), EnrolError> {
        let id = enrolment::check(&enrolment, &self.hubs)?;
        let now = self.epoch.timestamp(self.latest);
        self.store.put_enrolment(id.key(), enrolment, now);
        Ok(())
    }

    /// Adds or replaces a group.
    ///
    /// # Errors
    /// One of its members is not possible.
    pub fn enrol_group(&mut self, group: EnrolmentGroup) -> Result<(), EnrolError> {
        let key = group::check(&group, &self.hubs)?;
        let now = self.epoch.timestamp(self.latest);
        self.store.put_group(key, group, now);
        Ok(())
    }

    /// Removes the enrolment of `registration_id`; its registration stays.
    pub fn remove_enrolment(&mut self, registration_id: &str) -> Option<Enrolment> {
        let key = registration_id.to_ascii_lowercase();
        let removed = self.store.remove_enrolment(&key)?;
        if self.behaviour.deleted_enrolment == DeletedEnrolment::DeleteRegistration {
            self.store.remove_registration(&key);
        }
        Some(removed)
    }

    /// Removes a group; the registrations of its devices stay.
    pub fn remove_group(&mut self, group_id: &str) -> Option<EnrolmentGroup> {
        self.store.remove_group(&group_id.to_ascii_lowercase())
    }

    /// Forgets a registration and the operation that is under way; the enrolment stays, and so
    /// does the hub's device.
    pub fn remove_registration(&mut self, registration_id: &str) -> Option<Registration> {
        let key = registration_id.to_ascii_lowercase();
        self.store.remove_registration(&key)
    }

    /// All enrolments, by registration id.
    pub fn enrolments(&self) -> impl Iterator<Item = &Enrolment> {
        self.store.enrolments().map(|record| &record.value)
    }

    /// All enrolment groups, by id.
    pub fn groups(&self) -> impl Iterator<Item = &EnrolmentGroup> {
        self.store.groups().map(|record| &record.value)
    }

    /// All registrations, by registration id.
    pub fn registrations(&self) -> impl Iterator<Item = &Registration> {
        self.store.entries().map(|entry| &entry.registration)
    }

    /// The registration of `registration_id`, whatever the case of its letters.
    pub fn registration(&self, registration_id: &str) -> Option<&Registration> {
        let entry = self.store.entry(&registration_id.to_ascii_lowercase())?;
        Some(&entry.registration)
    }

    /// It is `now`: what follows happens then.
    pub(crate) fn set_time(&mut self, now: VirtualTime) {
        self.latest = self.latest.max(now);
    }

    /// Somebody uses the service API at `now`.
    ///
    /// # Errors
    /// That was too often.
    pub(crate) fn operate(&mut self, now: VirtualTime) -> Result<(), Refusal> {
        self.set_time(now);
        let code = self.behaviour.throttled;
        let taken = self.operating.take(now, self.quotas.operations);
        taken.map_err(|retry_after| Refusal::Throttled { retry_after, code })
    }

    /// The enrolment of `registration_id` and its revision.
    pub fn enrolment_record(&self, registration_id: &str) -> Option<&Record<Enrolment>> {
        self.store.enrolment(&registration_id.to_ascii_lowercase())
    }

    /// The group `group_id` and its revision.
    pub fn group_record(&self, group_id: &str) -> Option<&Record<EnrolmentGroup>> {
        self.store.group(&group_id.to_ascii_lowercase())
    }

    pub(crate) fn enrolments_after(
        &self,
        key: Option<&str>,
    ) -> impl Iterator<Item = (&String, &Record<Enrolment>)> {
        self.store.enrolments_after(key)
    }

    pub(crate) fn groups_after(
        &self,
        key: Option<&str>,
    ) -> impl Iterator<Item = (&String, &Record<EnrolmentGroup>)> {
        self.store.groups_after(key)
    }

    pub(crate) fn registrations_after(
        &self,
        key: Option<&str>,
    ) -> impl Iterator<Item = (&String, &Registration)> {
        let entries = self.store.entries_after(key);
        entries.map(|(key, entry)| (key, &entry.registration))
    }

    /// A device asks at `now` how its operation goes.
    ///
    /// # Errors
    /// The request is refused.
    pub fn operation_status(
        &mut self,
        now: VirtualTime,
        id_scope: &str,
        registration_id: &str,
        operation_id: &str,
        proof: Proof<'_>,
    ) -> Result<&Registration, Refusal> {
        let found = self.look_up(now, id_scope, registration_id, proof)?;
        let key = found.registration_id.to_ascii_lowercase();
        let code = self.behaviour.throttled;
        let limit = self.quotas.polls;
        let entry = self
            .store
            .entry_mut(&key)
            .ok_or(Refusal::RegistrationNotFound)?;
        entry
            .polls
            .take(now, limit)
            .map_err(|retry_after| Refusal::Throttled { retry_after, code })?;
        if entry.registration.operation_id == operation_id {
            Ok(&entry.registration)
        } else {
            Err(Refusal::RegistrationNotFound)
        }
    }

    /// A device asks at `now` what the service remembers of it.
    ///
    /// # Errors
    /// The request is refused.
    pub fn look_up(
        &self,
        now: VirtualTime,
        id_scope: &str,
        registration_id: &str,
        proof: Proof<'_>,
    ) -> Result<&Registration, Refusal> {
        let id = self.identify(id_scope, registration_id, proof)?;
        self.may_look(now, &id, proof)?;
        self.store
            .entry(&id.key())
            .map(|entry| &entry.registration)
            .ok_or(Refusal::RegistrationNotFound)
    }

    /// The records that changed since the last call. Registrations count when their operation has
    /// ended: a restart in between lets the device begin anew.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        self.store.take_changes()
    }

    /// All records, as changes.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Change> {
        self.store.snapshot()
    }

    /// Takes a change back in; it is not handed out again.
    pub(crate) fn apply(&mut self, change: Change) {
        self.store.apply(change);
    }
}
