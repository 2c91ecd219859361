//! `IndividualEnrollment` and `EnrollmentGroup`.

use serde::{Deserialize, Serialize};

use super::attestation::{AttestationMechanism, Supplement};
use super::{Detail, ModelError};
use crate::clock::Timestamp;
use crate::provisioning::{
    AllocationPolicy, Attestation, DeviceKind, Enrolment, EnrolmentGroup, GroupAttestation, Policy,
    ProvisioningStatus, Record, ReprovisionPolicy, Revision,
};

/// `IndividualEnrollment`; members that are not listed are ignored.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IndividualEnrollment {
    pub(crate) registration_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    attestation: AttestationMechanism,
    #[serde(flatten)]
    policy: PolicyMembers,
    #[serde(flatten)]
    pub(crate) revision: RevisionMembers,
}

/// `EnrollmentGroup`; members that are not listed are ignored.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    pub(crate) enrollment_group_id: String,
    attestation: AttestationMechanism,
    #[serde(flatten)]
    policy: PolicyMembers,
    #[serde(flatten)]
    pub(crate) revision: RevisionMembers,
}

/// The members that both have.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyMembers {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capabilities: Option<Capabilities>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iot_hub_host_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial_twin: Option<serde_json::Value>,
    #[serde(default)]
    provisioning_status: Option<ProvisioningStatus>,
    #[serde(default)]
    reprovision_policy: Option<Reprovision>,
    #[serde(default)]
    allocation_policy: Option<AllocationPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iot_hubs: Option<Vec<String>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    #[serde(default)]
    iot_edge: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reprovision {
    #[serde(default)]
    update_hub_assignment: bool,
    #[serde(default)]
    migrate_device_data: bool,
}

/// The members that the service writes.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevisionMembers {
    #[serde(default)]
    pub(crate) etag: Option<String>,
    #[serde(default)]
    created_date_time_utc: Option<String>,
    #[serde(default)]
    last_updated_date_time_utc: Option<String>,
}

impl IndividualEnrollment {
    pub(crate) fn of(record: &Record<Enrolment>, detail: Detail) -> Self {
        let enrolment = &record.value;
        Self {
            registration_id: enrolment.registration_id.clone(),
            device_id: enrolment.device_id.clone(),
            attestation: AttestationMechanism::of(&enrolment.attestation, detail),
            policy: PolicyMembers::of(&enrolment.policy),
            revision: RevisionMembers::of(&record.revision),
        }
    }

    pub(crate) fn read(
        self,
        supplement: Supplement<'_, Attestation>,
    ) -> Result<Enrolment, ModelError> {
        Ok(Enrolment {
            registration_id: self.registration_id,
            device_id: self.device_id.filter(|id| !id.is_empty()),
            attestation: self.attestation.read(supplement)?,
            policy: self.policy.read(),
        })
    }
}

impl Group {
    pub(crate) fn of(record: &Record<EnrolmentGroup>, detail: Detail) -> Self {
        let group = &record.value;
        Self {
            enrollment_group_id: group.group_id.clone(),
            attestation: AttestationMechanism::of_group(&group.attestation, detail),
            policy: PolicyMembers::of(&group.policy),
            revision: RevisionMembers::of(&record.revision),
        }
    }

    pub(crate) fn read(
        self,
        supplement: Supplement<'_, GroupAttestation>,
    ) -> Result<EnrolmentGroup, ModelError> {
        Ok(EnrolmentGroup {
            group_id: self.enrollment_group_id,
            attestation: self.attestation.read_group(supplement)?,
            policy: self.policy.read(),
        })
    }
}

impl PolicyMembers {
    fn of(policy: &Policy) -> Self {
        let (update_hub_assignment, migrate_device_data) = match policy.reprovision_policy {
            ReprovisionPolicy::MigrateData => (true, true),
            ReprovisionPolicy::ResetData => (true, false),
            ReprovisionPolicy::Never => (false, false),
        };
        Self {
            capabilities: Some(Capabilities {
                iot_edge: policy.kind == DeviceKind::Edge,
            }),
            iot_hub_host_name: policy.hub.clone(),
            initial_twin: policy.initial_twin.clone(),
            provisioning_status: Some(policy.provisioning_status),
            reprovision_policy: Some(Reprovision {
                update_hub_assignment,
                migrate_device_data,
            }),
            allocation_policy: Some(policy.allocation),
            iot_hubs: Some(policy.hubs.clone()).filter(|hubs| !hubs.is_empty()),
        }
    }

    fn read(self) -> Policy {
        let reprovision_policy = match self.reprovision_policy {
            None => ReprovisionPolicy::default(),
            Some(policy) if !policy.update_hub_assignment => ReprovisionPolicy::Never,
            Some(policy) if policy.migrate_device_data => ReprovisionPolicy::MigrateData,
            Some(_) => ReprovisionPolicy::ResetData,
        };
        Policy {
            provisioning_status: self.provisioning_status.unwrap_or_default(),
            reprovision_policy,
            allocation: self.allocation_policy.unwrap_or_default(),
            hubs: self.iot_hubs.unwrap_or_default(),
            hub: self.iot_hub_host_name.filter(|hub| !hub.is_empty()),
            initial_twin: self.initial_twin,
            kind: match self.capabilities {
                Some(Capabilities { iot_edge: true }) => DeviceKind::Edge,
                _ => DeviceKind::Leaf,
            },
        }
    }
}

impl RevisionMembers {
    fn of(revision: &Revision) -> Self {
        Self {
            etag: Some(revision.etag.clone()),
            created_date_time_utc: Some(revision.created.round_trip()),
            last_updated_date_time_utc: Some(revision.last_updated.round_trip()),
        }
    }

    /// The revision, of a record that was kept whole.
    pub(crate) fn read(self) -> Result<Revision, ModelError> {
        let time = |name, text: Option<String>| {
            let time = text.as_deref().and_then(Timestamp::parse);
            time.ok_or(ModelError::Time(name))
        };
        Ok(Revision {
            etag: self.etag.unwrap_or_default(),
            created: time("createdDateTimeUtc", self.created_date_time_utc)?,
            last_updated: time("lastUpdatedDateTimeUtc", self.last_updated_date_time_utc)?,
        })
    }
}
