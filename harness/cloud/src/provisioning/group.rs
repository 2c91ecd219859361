//! Enrolment groups: many devices that prove who they are through one authority.

use super::attestation::GroupAttestation;
use super::enrolment::{EnrolError, check_hubs};
use super::id::RegistrationId;
use super::policy::Policy;

/// An enrolment group.
#[derive(Clone, Debug, PartialEq)]
pub struct EnrolmentGroup {
    /// The group's id.
    pub group_id: String,
    /// How its devices prove who they are.
    pub attestation: GroupAttestation,
    /// What becomes of them.
    pub policy: Policy,
}

impl EnrolmentGroup {
    /// An enabled group with all defaults.
    pub fn new(group_id: &str, attestation: GroupAttestation) -> Self {
        Self {
            group_id: group_id.to_owned(),
            attestation,
            policy: Policy::default(),
        }
    }
}

/// The key of `group`, if a service with these hubs could keep it.
///
/// # Errors
/// It could not.
pub(super) fn check(group: &EnrolmentGroup, hubs: &[String]) -> Result<String, EnrolError> {
    // Group ids have the form of registration ids (REST reference, "Enrollment Group").
    let id = RegistrationId::parse(&group.group_id).map_err(|_| EnrolError::GroupId {
        group_id: group.group_id.clone(),
    })?;
    check_hubs(&group.policy, hubs)?;
    Ok(id.key())
}
