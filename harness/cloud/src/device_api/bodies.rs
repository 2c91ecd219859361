//! The JSON of the device API.

use serde::{Deserialize, Serialize};

use crate::provisioning::{AttestationKind, Registration, RegistrationState};

/// The body of a register or look-up request (`DeviceRegistration`); other members are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceRegistration {
    pub(super) registration_id: Option<String>,
    pub(super) tpm: Option<TpmKeys>,
}

/// `TpmAttestation`: public keys in base64.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TpmKeys {
    pub(super) endorsement_key: String,
    pub(super) storage_root_key: Option<String>,
}

/// The body of a challenge. It has no `status`: that is how SDKs know it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Challenge<'a> {
    message: &'static str,
    key_name: &'static str,
    authentication_key: &'a str,
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
    x509: Option<Attested<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symmetric_key: Option<Attested<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tpm: Option<TpmRegistrationResult<'a>>,
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

/// `X509RegistrationResult` and `SymmetricKeyRegistrationResult`: empty but for groups.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attested<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    enrollment_group_id: Option<&'a str>,
}

/// `TpmRegistrationResult`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TpmRegistrationResult<'a> {
    authentication_key: &'a str,
}

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

/// The answer to a look-up (`DeviceRegistrationResult`).
pub(crate) fn result(registration: &Registration) -> Vec<u8> {
    encode(&device_registration_result(registration))
}

/// The challenge to a TPM.
pub(super) fn challenge(authentication_key: &str) -> Vec<u8> {
    encode(&Challenge {
        message: "Unauthorized",
        key_name: "registration",
        authentication_key,
    })
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
        symmetric_key: None,
        tpm: None,
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
            let group = registration.group_id.as_deref();
            let attested = Attested {
                enrollment_group_id: group,
            };
            match registration.attestation {
                AttestationKind::X509 => result.x509 = Some(attested),
                // Individual enrolments get no such member.
                AttestationKind::SymmetricKey => {
                    result.symmetric_key = group.map(|_| attested);
                }
                AttestationKind::Tpm => {
                    result.tpm = registration
                        .wrapped_key
                        .as_deref()
                        .map(|authentication_key| TpmRegistrationResult { authentication_key });
                }
            }
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
