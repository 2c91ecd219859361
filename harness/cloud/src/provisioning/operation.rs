//! Operations: from a request to register to an assignment or a failure.

use az3166_event::VirtualTime;
use rand_core::Rng;

use super::admission::{Admission, Source};
use super::attestation::Credential;
use super::id::{self, RegistrationId};
use super::policy::{DeviceKind, ProvisioningStatus};
use super::registration::{HubDevice, Registration, RegistrationState, Substatus};
use super::store::Entry;
use super::{Course, Provisioning, Refusal, Register, allocation};
use crate::behaviour::{CertificateMismatch, ConcurrentRegistration};

/// A device that a hub must know from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The hub's host name.
    pub hub: String,
    /// The device's id.
    pub device_id: String,
    /// How the device proves who it is.
    pub credential: Credential,
    /// The twin that it begins with, if the hub does not know it yet: `tags` and
    /// `properties.desired`.
    pub initial_twin: Option<serde_json::Value>,
    /// What kind of device it is.
    pub kind: DeviceKind,
    /// The hub that the device had before, if it was another.
    pub former_hub: Option<String>,
    /// Whether its twin begins anew.
    pub substatus: Substatus,
}

/// An operation that came to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// When.
    pub at: VirtualTime,
    /// The registration as it is now.
    pub registration: Registration,
    /// What the hub must be told.
    pub assignment: Option<Assignment>,
}

/// An operation that is under way.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) due: Option<VirtualTime>,
    outcome: Outcome,
}

#[derive(Clone, Debug)]
enum Outcome {
    Assign(Source),
    Fail(Failure),
}

/// Why an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Custom allocation failed with status code: 400
    #[error("Custom allocation failed with status code: 400")]
    CustomAllocation,
    /// No IoT hub available for the device. *Unverified* text.
    #[error("No IoT hub available for the device.")]
    NoHub,
    /// Unauthorized at the IoT hub. *Unverified* text.
    #[error("Unauthorized at the IoT hub.")]
    HubUnauthorized,
    /// Invalid certificate.
    #[error("Invalid certificate.")]
    InvalidCertificate,
    /// Enrollment not found. *Unverified* text.
    #[error("Enrollment not found.")]
    EnrolmentNotFound,
    /// The operation failed: an injected code.
    #[error("The operation failed.")]
    Injected(
        /// The code.
        u32,
    ),
}

impl Failure {
    fn of_code(code: u32) -> Self {
        let known = [
            Self::CustomAllocation,
            Self::NoHub,
            Self::HubUnauthorized,
            Self::InvalidCertificate,
            Self::EnrolmentNotFound,
        ];
        let same = known.into_iter().find(|known| known.error_code() == code);
        same.unwrap_or(Self::Injected(code))
    }

    fn error_code(self) -> u32 {
        match self {
            Self::CustomAllocation => 400_207,
            Self::NoHub => 400_208,
            Self::HubUnauthorized => 400_209,
            Self::InvalidCertificate => 401_002,
            Self::EnrolmentNotFound => 404_201,
            Self::Injected(code) => code,
        }
    }
}

impl Provisioning {
    /// A device asks to be registered at `now`. The answer is the registration's new state.
    ///
    /// # Errors
    /// The request is refused; nothing changed.
    pub fn register(
        &mut self,
        now: VirtualTime,
        request: Register<'_>,
        entropy: &mut impl Rng,
    ) -> Result<Registration, Refusal> {
        self.set_time(now);
        let code = self.behaviour.throttled;
        self.registering
            .take(now, self.quotas.registrations)
            .map_err(|retry_after| Refusal::Throttled { retry_after, code })?;
        let id = self.identify(request.id_scope, request.registration_id, request.proof)?;
        let admission = self.candidate(now, &id, request.proof)?;
        let busy = self
            .store
            .entry(&id.key())
            .is_some_and(|entry| entry.pending.is_some());
        if busy && self.behaviour.concurrent_registration == ConcurrentRegistration::Conflict {
            return Err(Refusal::ConcurrentRegistration);
        }
        let mismatch = self.behaviour.certificate_mismatch;
        let outcome = match (&admission.verdict, mismatch, request.course) {
            (Err(Refusal::InvalidCertificate), CertificateMismatch::FailOperation, _) => {
                Outcome::Fail(Failure::InvalidCertificate)
            }
            (Err(refusal), _, _) => return Err(*refusal),
            (Ok(()), _, Course::Fails(code)) => Outcome::Fail(Failure::of_code(code)),
            (Ok(()), _, Course::Normal | Course::NeverEnds) => {
                Outcome::Assign(admission.source.clone())
            }
        };
        Ok(self.begin(now, &id, admission, outcome, request.course, entropy))
    }

    fn begin(
        &mut self,
        now: VirtualTime,
        id: &RegistrationId,
        admission: Admission,
        outcome: Outcome,
        course: Course,
        entropy: &mut impl Rng,
    ) -> Registration {
        let former = self.store.take_entry(&id.key());
        let (pending, state) = match admission.provisioning_status {
            ProvisioningStatus::Disabled => (None, RegistrationState::Disabled),
            ProvisioningStatus::Enabled => {
                let due = match course {
                    Course::NeverEnds => None,
                    _ => Some(now + self.behaviour.assignment_time),
                };
                (Some(Pending { due, outcome }), RegistrationState::Assigning)
            }
        };
        let operation_id = match state {
            RegistrationState::Disabled => String::new(),
            _ => id::operation_id(entropy),
        };
        let time = self.epoch.timestamp(now);
        // Registering again gives no more polls.
        let polls = former.as_ref().map(|former| former.polls.clone());
        let old = former.as_ref().map(|former| &former.registration);
        let registration = Registration {
            registration_id: id.as_str().to_owned(),
            created: old.map_or(time, |old| old.created),
            last_updated: time,
            etag: id::etag(entropy),
            state,
            operation_id,
            attestation: admission.attestation,
            group_id: admission.source.group_id().map(str::to_owned),
            last_assignment: old.and_then(|old| old.last_assignment.clone()),
            wrapped_key: None,
        };
        let ended = former.and_then(|former| match former.registration.state {
            RegistrationState::Assigning => former.former,
            _ => Some(Box::new(former.registration)),
        });
        let entry = Entry {
            registration: registration.clone(),
            former: ended,
            pending,
            polls: polls.unwrap_or_default(),
        };
        self.store.put_entry(id.key(), entry);
        registration
    }

    /// When the next operation ends.
    pub fn next_deadline(&self) -> Option<VirtualTime> {
        self.store.next_deadline()
    }

    /// Ends every operation that is due at `now`, the earliest first.
    pub fn advance(&mut self, now: VirtualTime, entropy: &mut impl Rng) -> Vec<Completion> {
        let mut completions = Vec::new();
        while let Some((at, key)) = self.store.due(now) {
            self.latest = self.latest.max(at);
            completions.extend(self.complete(at, key, entropy));
        }
        completions
    }

    fn complete(
        &mut self,
        at: VirtualTime,
        key: String,
        entropy: &mut impl Rng,
    ) -> Option<Completion> {
        let mut entry = self.store.take_entry(&key)?;
        let pending = entry.pending.take()?;
        let id = RegistrationId::parse(&key).ok()?;
        let registration = &mut entry.registration;
        let result = match pending.outcome {
            Outcome::Fail(failure) => Err(failure),
            Outcome::Assign(source) => {
                let former = registration.last_assignment.as_ref();
                self.assign(&id, &source, former, entropy)
            }
        };
        let assignment = match result {
            Ok((assignment, wrapped_key)) => {
                registration.wrapped_key = wrapped_key;
                registration.last_assignment = Some(HubDevice {
                    hub: assignment.hub.clone(),
                    device_id: assignment.device_id.clone(),
                });
                registration.state = RegistrationState::Assigned {
                    hub: assignment.hub.clone(),
                    device_id: assignment.device_id.clone(),
                    substatus: assignment.substatus,
                };
                Some(assignment)
            }
            Err(failure) => {
                registration.state = RegistrationState::Failed {
                    error_code: failure.error_code(),
                    message: failure.to_string(),
                };
                None
            }
        };
        registration.last_updated = self.epoch.timestamp(at);
        registration.etag = id::etag(entropy);
        entry.former = None;
        let registration = registration.clone();
        self.store.put_entry(key, entry);
        Some(Completion {
            at,
            registration,
            assignment,
        })
    }

    /// Assigns the device `id` as its enrolment says now, which need not be what it said when the
    /// device asked. With it comes the hub's key, wrapped for a TPM.
    fn assign(
        &self,
        id: &RegistrationId,
        source: &Source,
        former: Option<&HubDevice>,
        entropy: &mut impl Rng,
    ) -> Result<(Assignment, Option<String>), Failure> {
        let gone = Failure::EnrolmentNotFound;
        match source {
            Source::Individual => {
                let enrolment = &self.store.enrolment(&id.key()).ok_or(gone)?.value;
                let (credential, wrapped_key) = match Credential::of(&enrolment.attestation) {
                    Some(credential) => (credential, None),
                    None => {
                        let (keys, wrapped) = self.hub_keys(&id.key(), entropy).ok_or(gone)?;
                        (Credential::SymmetricKey(keys), Some(wrapped))
                    }
                };
                let device_id = enrolment.device_id.as_deref();
                let policy = &enrolment.policy;
                allocation::assign(&self.hubs, id, device_id, policy, credential, former)
                    .map(|assignment| (assignment, wrapped_key))
            }
            Source::Group {
                group_id,
                credential,
            } => {
                let group = &self.store.group(group_id).ok_or(gone)?.value;
                let credential = credential.clone();
                allocation::assign(&self.hubs, id, None, &group.policy, credential, former)
                    .map(|assignment| (assignment, None))
            }
        }
    }
}
