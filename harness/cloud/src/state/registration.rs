//! Registrations in the state file.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::provisioning::{AttestationKind, HubDevice, Registration, RegistrationState, Substatus};
use crate::service_api::model::ModelError;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredRegistration {
    pub(super) registration_id: String,
    created_date_time_utc: String,
    last_updated_date_time_utc: String,
    etag: String,
    operation_id: String,
    state: StoredState,
    attestation: AttestationKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_assignment: Option<HubDevice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapped_key: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum StoredState {
    Assigning,
    Assigned {
        hub: String,
        device_id: String,
        substatus: Substatus,
    },
    Failed {
        error_code: u32,
        message: String,
    },
    Disabled,
}

impl StoredRegistration {
    pub(super) fn of(registration: &Registration) -> Self {
        Self {
            registration_id: registration.registration_id.clone(),
            created_date_time_utc: registration.created.round_trip(),
            last_updated_date_time_utc: registration.last_updated.round_trip(),
            etag: registration.etag.clone(),
            operation_id: registration.operation_id.clone(),
            state: match registration.state.clone() {
                RegistrationState::Assigning => StoredState::Assigning,
                RegistrationState::Assigned {
                    hub,
                    device_id,
                    substatus,
                } => StoredState::Assigned {
                    hub,
                    device_id,
                    substatus,
                },
                RegistrationState::Failed {
                    error_code,
                    message,
                } => StoredState::Failed {
                    error_code,
                    message,
                },
                RegistrationState::Disabled => StoredState::Disabled,
            },
            attestation: registration.attestation,
            group_id: registration.group_id.clone(),
            last_assignment: registration.last_assignment.clone(),
            wrapped_key: registration.wrapped_key.clone(),
        }
    }

    pub(super) fn read(self) -> Result<Registration, ModelError> {
        let time = |name, text: &str| Timestamp::parse(text).ok_or(ModelError::Time(name));
        Ok(Registration {
            registration_id: self.registration_id,
            created: time("createdDateTimeUtc", &self.created_date_time_utc)?,
            last_updated: time("lastUpdatedDateTimeUtc", &self.last_updated_date_time_utc)?,
            etag: self.etag,
            state: match self.state {
                StoredState::Assigning => RegistrationState::Assigning,
                StoredState::Assigned {
                    hub,
                    device_id,
                    substatus,
                } => RegistrationState::Assigned {
                    hub,
                    device_id,
                    substatus,
                },
                StoredState::Failed {
                    error_code,
                    message,
                } => RegistrationState::Failed {
                    error_code,
                    message,
                },
                StoredState::Disabled => RegistrationState::Disabled,
            },
            operation_id: self.operation_id,
            attestation: self.attestation,
            group_id: self.group_id,
            last_assignment: self.last_assignment,
            wrapped_key: self.wrapped_key,
        })
    }
}
