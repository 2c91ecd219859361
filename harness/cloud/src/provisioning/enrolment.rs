//! Individual enrolments: who may register, and what becomes of them.

use super::attestation::Attestation;
use super::id::{self, IdError, RegistrationId};
use super::policy::{Policy, ProvisioningStatus};
use crate::certificate::{CertificateError, DeviceCertificate};

/// An individual enrolment.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolment {
    /// The registration id.
    pub registration_id: String,
    /// The device id that the hub shall know the device by; the registration id without one.
    pub device_id: Option<String>,
    /// How the device proves who it is.
    pub attestation: Attestation,
    /// What becomes of it.
    pub policy: Policy,
}

/// Why an enrolment is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// The registration id is not one.
    #[error(transparent)]
    RegistrationId(#[from] IdError),
    /// The device id {device_id:?} is not one: 1 to 128 ASCII letters, digits and `-.%_*?!(),:=@$'`.
    #[error(
        "the device id {device_id:?} is not one: 1 to 128 ASCII letters, digits and `-.%_*?!(),:=@$'`"
    )]
    DeviceId {
        /// What was given.
        device_id: String,
    },
    /// The certificate is not one.
    #[error("the certificate of {registration_id:?} is {error}")]
    Certificate {
        /// Whose.
        registration_id: String,
        /// What it is instead.
        error: CertificateError,
    },
    /// {registration_id:?} has no primary certificate to which another could be added.
    #[error("{registration_id:?} has no primary certificate to which another could be added")]
    NoPrimary {
        /// Whose.
        registration_id: String,
    },
    /// The group id {group_id:?} is not one.
    #[error(
        "the group id {group_id:?} is not one: 1 to 128 letters, digits and `. _ : -`, at the end letters, digits and `-`"
    )]
    GroupId {
        /// What was given.
        group_id: String,
    },
    /// The hub {hub:?} is none of this service's; known are {known:?}.
    #[error("the hub {hub:?} is none of this service's; known are {known:?}")]
    UnknownHub {
        /// What was given.
        hub: String,
        /// Which hubs there are.
        known: Vec<String>,
    },
}

impl Enrolment {
    /// An enabled enrolment with all defaults.
    pub fn new(registration_id: &str, attestation: Attestation) -> Self {
        Self {
            registration_id: registration_id.to_owned(),
            device_id: None,
            attestation,
            policy: Policy::default(),
        }
    }

    /// An enabled enrolment of the certificate `der` with all defaults.
    ///
    /// # Errors
    /// `der` is not a certificate.
    pub fn x509(registration_id: &str, der: &[u8]) -> Result<Self, EnrolError> {
        let attestation = Attestation::X509 {
            primary: certificate(registration_id, der)?,
            secondary: None,
        };
        Ok(Self::new(registration_id, attestation))
    }

    /// The same enrolment with the certificate `der` as its secondary one.
    ///
    /// # Errors
    /// `der` is not a certificate, or the enrolment has no primary one.
    pub fn with_secondary(mut self, der: &[u8]) -> Result<Self, EnrolError> {
        let certificate = certificate(&self.registration_id, der)?;
        match &mut self.attestation {
            Attestation::X509 { secondary, .. } => *secondary = Some(certificate),
            Attestation::SymmetricKey(_) | Attestation::Tpm(_) => {
                return Err(EnrolError::NoPrimary {
                    registration_id: self.registration_id,
                });
            }
        }
        Ok(self)
    }

    /// The same enrolment with the device id `device_id`.
    #[must_use]
    pub fn with_device_id(mut self, device_id: &str) -> Self {
        self.device_id = Some(device_id.to_owned());
        self
    }

    /// The same enrolment, disabled.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.policy.provisioning_status = ProvisioningStatus::Disabled;
        self
    }
}

fn certificate(registration_id: &str, der: &[u8]) -> Result<DeviceCertificate, EnrolError> {
    DeviceCertificate::from_der(der).map_err(|error| EnrolError::Certificate {
        registration_id: registration_id.to_owned(),
        error,
    })
}

/// Whether `enrolment` could be kept by a service with these hubs.
///
/// # Errors
/// It could not.
pub(super) fn check(enrolment: &Enrolment, hubs: &[String]) -> Result<RegistrationId, EnrolError> {
    let id = RegistrationId::parse(&enrolment.registration_id)?;
    if let Some(device_id) = &enrolment.device_id
        && !id::is_device_id(device_id)
    {
        return Err(EnrolError::DeviceId {
            device_id: device_id.clone(),
        });
    }
    check_hubs(&enrolment.policy, hubs)?;
    Ok(id)
}

/// Whether the service has all hubs that `policy` names.
pub(super) fn check_hubs(policy: &Policy, hubs: &[String]) -> Result<(), EnrolError> {
    let known = |hub: &&String| hubs.iter().any(|own| own.eq_ignore_ascii_case(hub));
    match policy
        .hub
        .iter()
        .chain(&policy.hubs)
        .find(|hub| !known(hub))
    {
        None => Ok(()),
        Some(hub) => Err(EnrolError::UnknownHub {
            hub: hub.clone(),
            known: hubs.to_vec(),
        }),
    }
}
