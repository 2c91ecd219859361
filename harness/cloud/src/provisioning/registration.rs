//! What the service remembers of a device that registered.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The state of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// The service is at it.
    Assigning,
    /// The device has a hub.
    Assigned {
        /// The hub's host name.
        hub: String,
        /// The device's id there.
        device_id: String,
        /// How it came about.
        substatus: Substatus,
    },
    /// It could not be done.
    Failed {
        /// The service's error code.
        error_code: u32,
        /// The service's words.
        message: String,
    },
    /// The enrolment is disabled.
    Disabled,
}

impl RegistrationState {
    /// The state's name in the service's JSON.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Assigning => "assigning",
            Self::Assigned { .. } => "assigned",
            Self::Failed { .. } => "failed",
            Self::Disabled => "disabled",
        }
    }
}

/// How an assignment came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Substatus {
    /// The first one.
    InitialAssignment,
    /// To another hub, with its twin.
    DeviceDataMigrated,
    /// To another hub, with a new twin.
    DeviceDataReset,
    /// To the hub that the device had before.
    ReprovisionedToInitialAssignment,
}

impl Substatus {
    /// The name in the service's JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::InitialAssignment => "initialAssignment",
            Self::DeviceDataMigrated => "deviceDataMigrated",
            Self::DeviceDataReset => "deviceDataReset",
            Self::ReprovisionedToInitialAssignment => "reprovisionedToInitialAssignment",
        }
    }
}

/// What the service remembers of a device that registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The registration id as the device spelled it.
    pub registration_id: String,
    /// When it registered first.
    pub created: Timestamp,
    /// When this record changed last.
    pub last_updated: Timestamp,
    /// Changes with every change of this record.
    pub etag: String,
    /// How far the registration is.
    pub state: RegistrationState,
    /// The id of the last operation.
    pub operation_id: String,
    /// How the device proved who it is.
    pub attestation: AttestationKind,
    /// The group that it registered through, if it was one.
    pub group_id: Option<String>,
    /// The hub and device id of the last assignment that was made, which a later failure does not
    /// undo.
    pub last_assignment: Option<HubDevice>,
    /// The hub's key for the device, wrapped for its TPM, in base64.
    pub wrapped_key: Option<String>,
}

/// A device of a hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HubDevice {
    /// The hub's host name.
    pub hub: String,
    /// The device's id.
    pub device_id: String,
}

/// How a device proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AttestationKind {
    /// By a certificate.
    X509,
    /// By a token.
    SymmetricKey,
    /// By its TPM.
    Tpm,
}
