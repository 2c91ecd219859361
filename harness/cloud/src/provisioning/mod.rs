//! The Device Provisioning Service as a state machine: no transport, no clock, no randomness of
//! its own.
//!
//! A transport turns its messages into [`Register`] and [`Provisioning::operation_status`] calls
//! and their answers back into its own form; what the device proved about itself comes as a
//! [`Proof`]. New ways of attestation are new variants of [`Attestation`] and [`Proof`].

mod enrolment;
mod id;
mod refusal;
mod registration;

use std::collections::BTreeMap;

use az3166_event::VirtualTime;
use rand_core::Rng;
use sha2::{Digest as _, Sha256};

pub use enrolment::{Attestation, EnrolError, Enrolment, ProvisioningStatus, ReprovisionPolicy};
pub use id::{IdError, RegistrationId};
pub use refusal::Refusal;
pub use registration::{Registration, RegistrationState, Substatus};

pub(crate) use id::uuid;

use crate::behaviour::{Behaviour, CertificateMismatch, ConcurrentRegistration, IdCase};
use crate::certificate::DeviceCertificate;
use enrolment::Enrolments;
use id::LONGEST_COMMON_NAME;

/// What a device proved about itself through its transport.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// Nothing.
    Nothing,
    /// Possession of this certificate's key.
    Certificate(&'a DeviceCertificate),
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

/// A device that a hub must know from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The hub's host name.
    pub hub: String,
    /// The device's id.
    pub device_id: String,
    /// How the device proves who it is.
    pub attestation: Attestation,
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

/// The service.
#[derive(Clone, Debug)]
pub struct Provisioning {
    id_scope: String,
    hubs: Vec<String>,
    behaviour: Behaviour,
    enrolments: Enrolments,
    records: BTreeMap<String, Record>,
}

#[derive(Clone, Debug)]
struct Record {
    registration: Registration,
    /// The hub and device id of the last assignment that was made.
    assigned: Option<(String, String)>,
    pending: Option<Pending>,
}

#[derive(Clone, Debug)]
struct Pending {
    due: Option<VirtualTime>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Assign,
    Fail(u32),
}

impl Provisioning {
    /// A service with the scope `id_scope` that assigns devices to `hubs`.
    pub fn new(id_scope: &str, hubs: &[String], behaviour: Behaviour) -> Self {
        Self {
            id_scope: id_scope.to_owned(),
            hubs: hubs.to_vec(),
            behaviour,
            enrolments: Enrolments::default(),
            records: BTreeMap::new(),
        }
    }

    /// Adds or replaces an enrolment.
    ///
    /// # Errors
    /// One of its members is not possible.
    pub fn enrol(&mut self, enrolment: Enrolment) -> Result<(), EnrolError> {
        self.enrolments.put(enrolment, &self.hubs)
    }

    /// Removes the enrolment of `registration_id`; its registration stays.
    pub fn remove_enrolment(&mut self, registration_id: &str) -> Option<Enrolment> {
        let id = RegistrationId::parse(registration_id).ok()?;
        self.enrolments.remove(&id)
    }

    /// All enrolments, by registration id.
    pub fn enrolments(&self) -> impl Iterator<Item = &Enrolment> {
        self.enrolments.iter()
    }

    /// All registrations, by registration id.
    pub fn registrations(&self) -> impl Iterator<Item = &Registration> {
        self.records.values().map(|record| &record.registration)
    }

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
        let (id, enrolment) =
            self.admit(request.id_scope, request.registration_id, request.proof)?;
        let enrolment = enrolment.clone();
        let attested = attest(&id, &enrolment.attestation, request.proof);
        let outcome = match (
            attested,
            self.behaviour.certificate_mismatch,
            request.course,
        ) {
            (Err(Refusal::InvalidCertificate), CertificateMismatch::FailOperation, _) => {
                Outcome::Fail(Refusal::InvalidCertificate.error_code())
            }
            (Err(refusal), _, _) => return Err(refusal),
            (Ok(()), _, Course::Fails(code)) => Outcome::Fail(code),
            (Ok(()), _, Course::Normal | Course::NeverEnds) => Outcome::Assign,
        };
        let former = self.records.remove(&id.key());
        let (pending, state) = match enrolment.provisioning_status {
            ProvisioningStatus::Disabled => (None, RegistrationState::Disabled),
            ProvisioningStatus::Enabled => {
                let due = match request.course {
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
        let registration = Registration {
            registration_id: id.as_str().to_owned(),
            created: former.as_ref().map_or(now, |old| old.registration.created),
            last_updated: now,
            etag: id::etag(entropy),
            state,
            operation_id,
        };
        let record = Record {
            registration: registration.clone(),
            assigned: former.and_then(|old| old.assigned),
            pending,
        };
        self.records.insert(id.key(), record);
        Ok(registration)
    }

    /// A device asks how its operation goes.
    ///
    /// # Errors
    /// The request is refused.
    pub fn operation_status(
        &self,
        id_scope: &str,
        registration_id: &str,
        operation_id: &str,
        proof: Proof<'_>,
    ) -> Result<&Registration, Refusal> {
        let registration = self.look_up(id_scope, registration_id, proof)?;
        if registration.operation_id == operation_id {
            Ok(registration)
        } else {
            Err(Refusal::RegistrationNotFound)
        }
    }

    /// A device asks what the service remembers of it.
    ///
    /// # Errors
    /// The request is refused.
    pub fn look_up(
        &self,
        id_scope: &str,
        registration_id: &str,
        proof: Proof<'_>,
    ) -> Result<&Registration, Refusal> {
        let (id, enrolment) = self.identify(id_scope, registration_id, proof)?;
        // With `FailOperation` a device with a wrong certificate may learn that it failed.
        if self.behaviour.certificate_mismatch == CertificateMismatch::RefuseAtOnce {
            attest(&id, &enrolment.attestation, proof)?;
        }
        self.records
            .get(&id.key())
            .map(|record| &record.registration)
            .ok_or(Refusal::RegistrationNotFound)
    }

    /// When the next operation ends.
    pub fn next_deadline(&self) -> Option<VirtualTime> {
        self.records
            .values()
            .filter_map(|record| record.pending.as_ref()?.due)
            .min()
    }

    /// Ends every operation that is due at `now`, the earliest first.
    pub fn advance(&mut self, now: VirtualTime, entropy: &mut impl Rng) -> Vec<Completion> {
        let mut due: Vec<(VirtualTime, String)> = self
            .records
            .iter()
            .filter_map(|(key, record)| Some((record.pending.as_ref()?.due?, key.clone())))
            .filter(|(at, _)| *at <= now)
            .collect();
        due.sort();
        due.into_iter()
            .filter_map(|(at, key)| self.complete(at, &key, entropy))
            .collect()
    }

    fn complete(
        &mut self,
        at: VirtualTime,
        key: &str,
        entropy: &mut impl Rng,
    ) -> Option<Completion> {
        let id = RegistrationId::parse(key).ok()?;
        let enrolment = self.enrolments.get(&id);
        let record = self.records.get_mut(key)?;
        let outcome = record.pending.take()?.outcome;
        let result = match outcome {
            Outcome::Fail(code) => Err((code, failure_message(code))),
            Outcome::Assign => match enrolment {
                None => Err((404_201, Refusal::EnrolmentNotFound.to_string())),
                Some(enrolment) => assign(&self.hubs, &id, enrolment, record.assigned.as_ref())
                    .ok_or_else(|| (NO_HUB, failure_message(NO_HUB))),
            },
        };
        let assignment = match result {
            Ok(assignment) => {
                record.assigned = Some((assignment.hub.clone(), assignment.device_id.clone()));
                record.registration.state = RegistrationState::Assigned {
                    hub: assignment.hub.clone(),
                    device_id: assignment.device_id.clone(),
                    substatus: assignment.substatus,
                };
                Some(assignment)
            }
            Err((error_code, message)) => {
                record.registration.state = RegistrationState::Failed {
                    error_code,
                    message,
                };
                None
            }
        };
        record.registration.last_updated = at;
        record.registration.etag = id::etag(entropy);
        Some(Completion {
            at,
            registration: record.registration.clone(),
            assignment,
        })
    }

    /// Checks scope, id and enrolment, in this order, and that no operation stands in the way.
    fn admit(
        &self,
        id_scope: &str,
        registration_id: &str,
        proof: Proof<'_>,
    ) -> Result<(RegistrationId, &Enrolment), Refusal> {
        let (id, enrolment) = self.identify(id_scope, registration_id, proof)?;
        let busy = self
            .records
            .get(&id.key())
            .is_some_and(|record| record.pending.is_some());
        match self.behaviour.concurrent_registration {
            ConcurrentRegistration::Conflict if busy => Err(Refusal::ConcurrentRegistration),
            _ => Ok((id, enrolment)),
        }
    }

    fn identify(
        &self,
        id_scope: &str,
        registration_id: &str,
        proof: Proof<'_>,
    ) -> Result<(RegistrationId, &Enrolment), Refusal> {
        let id =
            RegistrationId::parse(registration_id).map_err(|_| Refusal::InvalidRegistrationId)?;
        let refuse_case = self.behaviour.id_case == IdCase::RefuseUpperCase && id.has_upper_case();
        let too_long_for_x509 =
            matches!(proof, Proof::Certificate(_)) && id.as_str().len() > LONGEST_COMMON_NAME;
        if refuse_case || too_long_for_x509 {
            return Err(Refusal::InvalidRegistrationId);
        }
        if id_scope != self.id_scope {
            return Err(Refusal::WrongScope(self.behaviour.wrong_scope));
        }
        let enrolment = self.enrolments.get(&id).ok_or(Refusal::EnrolmentNotFound)?;
        Ok((id, enrolment))
    }
}

/// Whether `proof` shows that the device is the enrolled one.
fn attest(id: &RegistrationId, attestation: &Attestation, proof: Proof<'_>) -> Result<(), Refusal> {
    match (attestation, proof) {
        (Attestation::X509 { .. }, Proof::Nothing) => Err(Refusal::Unauthorized),
        (Attestation::X509 { primary, secondary }, Proof::Certificate(shown)) => {
            let enrolled = shown == primary || Some(shown) == secondary.as_ref();
            let named = shown.common_name().is_some_and(|name| id.is(name));
            if enrolled && named {
                Ok(())
            } else {
                Err(Refusal::InvalidCertificate)
            }
        }
    }
}

fn assign(
    hubs: &[String],
    id: &RegistrationId,
    enrolment: &Enrolment,
    former: Option<&(String, String)>,
) -> Option<Assignment> {
    let stays = former.filter(|_| enrolment.reprovision_policy == ReprovisionPolicy::Never);
    let hub = match stays {
        Some((hub, _)) => hub.clone(),
        None => enrolment.hub.clone().or_else(|| hashed(hubs, id))?,
    };
    let device_id = match stays {
        Some((_, device_id)) => device_id.clone(),
        None => enrolment.device_id.clone().unwrap_or_else(|| id.key()),
    };
    let former_hub = former
        .map(|(hub, _)| hub.clone())
        .filter(|former| *former != hub);
    let substatus = match (former, &former_hub, enrolment.reprovision_policy) {
        (None, _, _) | (Some(_), _, ReprovisionPolicy::Never) => Substatus::InitialAssignment,
        (Some(_), None, _) => Substatus::ReprovisionedToInitialAssignment,
        (Some(_), Some(_), ReprovisionPolicy::MigrateData) => Substatus::DeviceDataMigrated,
        (Some(_), Some(_), ReprovisionPolicy::ResetData) => Substatus::DeviceDataReset,
    };
    Some(Assignment {
        hub,
        device_id,
        attestation: enrolment.attestation.clone(),
        former_hub,
        substatus,
    })
}

/// The hub of an id when all hubs are equally good: evenly spread, the same in every run.
fn hashed(hubs: &[String], id: &RegistrationId) -> Option<String> {
    let digest = Sha256::digest(id.key());
    let number = u64::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ]);
    let count = u64::try_from(hubs.len()).ok().filter(|count| *count > 0)?;
    hubs.get(usize::try_from(number % count).ok()?).cloned()
}

/// No hub for the device.
const NO_HUB: u32 = 400_208;

/// The service's words for a failed operation; *unverified* but for 400207 and 401002.
fn failure_message(error_code: u32) -> String {
    match error_code {
        400_207 => "Custom allocation failed with status code: 400",
        NO_HUB => "No IoT hub available for the device.",
        400_209 => "Unauthorized at the IoT hub.",
        401_002 => "Invalid certificate.",
        404_201 => "Enrollment not found.",
        _ => "The operation failed.",
    }
    .to_owned()
}
