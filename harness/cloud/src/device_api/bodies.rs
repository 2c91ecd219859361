//! The JSON of the device API.

use serde::{Deserialize, Serialize};

use crate::provisioning::{Registration, RegistrationState};

/// The body of a register or look-up request (`DeviceRegistration`); other members are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceRegistration {
    pub(super) registration_id: Option<String>,
}

/// `RegistrationOperationStatus`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationStatus<'a> {
    operation_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_state: Option<DeviceRegistrationResult<'a>>,
}

/// `DeviceRegistrationResult`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceRegistrationResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    x509: Option<X509>,
    registration_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_date_time_utc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_hub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    substatus: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_date_time_utc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
}

/// An empty object, as the service has it for X.509 enrolments.
#[derive(Serialize)]
struct X509 {}

/// `ProvisioningServiceErrorDetails`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDetails<'a> {
    error_code: u32,
    tracking_id: &'a str,
    message: &'a str,
    timestamp_utc: &'a str,
}

/// The answer to a register request.
pub(super) fn accepted(registration: &Registration) -> Vec<u8> {
    encode(&OperationStatus {
        operation_id: &registration.operation_id,
        status: registration.state.status(),
        registration_state: None,
    })
}

/// The answer to an operation status request.
pub(super) fn operation(registration: &Registration) -> Vec<u8> {
    encode(&OperationStatus {
        operation_id: &registration.operation_id,
        status: registration.state.status(),
        registration_state: Some(device_registration_result(registration)),
    })
}

/// The answer to a look-up.
pub(super) fn result(registration: &Registration) -> Vec<u8> {
    encode(&device_registration_result(registration))
}

/// An error.
pub(super) fn error(code: u32, tracking_id: &str, message: &str, timestamp: &str) -> Vec<u8> {
    encode(&ErrorDetails {
        error_code: code,
        tracking_id,
        message,
        timestamp_utc: timestamp,
    })
}

fn device_registration_result(registration: &Registration) -> DeviceRegistrationResult<'_> {
    let mut result = DeviceRegistrationResult {
        x509: None,
        registration_id: &registration.registration_id,
        created_date_time_utc: None,
        assigned_hub: None,
        device_id: None,
        status: registration.state.status(),
        substatus: None,
        error_code: None,
        error_message: None,
        last_updated_date_time_utc: None,
        etag: None,
    };
    if registration.state == RegistrationState::Disabled {
        return result;
    }
    result.created_date_time_utc = Some(registration.created.round_trip());
    result.last_updated_date_time_utc = Some(registration.last_updated.round_trip());
    result.etag = Some(&registration.etag);
    match &registration.state {
        RegistrationState::Assigned {
            hub,
            device_id,
            substatus,
        } => {
            result.x509 = Some(X509 {});
            result.assigned_hub = Some(hub);
            result.device_id = Some(device_id);
            result.substatus = Some(substatus.name());
        }
        RegistrationState::Failed {
            error_code,
            message,
        } => {
            result.error_code = Some(*error_code);
            result.error_message = Some(message);
        }
        RegistrationState::Assigning | RegistrationState::Disabled => {}
    }
    result
}

fn encode(body: &impl Serialize) -> Vec<u8> {
    // These bodies are trees of strings and numbers, which JSON can always hold.
    serde_json::to_vec(body).unwrap_or_default()
}
