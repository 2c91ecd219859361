//! Individual enrolments: who may register, and what becomes of them.

use std::collections::BTreeMap;

use super::id::{self, IdError, RegistrationId};
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
    /// Whether the device may register.
    pub provisioning_status: ProvisioningStatus,
    /// What happens to a device that registers again.
    pub reprovision_policy: ReprovisionPolicy,
    /// The only hub for this device; all hubs of the service without one.
    pub hub: Option<String>,
}

/// How a device proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// By a certificate that is, byte for byte, one of these, shown in TLS by who has its key.
    X509 {
        /// The certificate.
        primary: DeviceCertificate,
        /// Another one that is as good.
        secondary: Option<DeviceCertificate>,
    },
}

/// Whether a device may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProvisioningStatus {
    /// It may.
    #[default]
    Enabled,
    /// It is told that it is disabled.
    Disabled,
}

/// What happens to a device that registers again (DPS documentation, "Reprovisioning").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReprovisionPolicy {
    /// It may get another hub; its twin moves with it.
    #[default]
    MigrateData,
    /// It may get another hub; its twin begins anew.
    ResetData,
    /// It keeps its hub.
    Never,
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
    /// An enabled enrolment of the certificate `der` with all defaults.
    ///
    /// # Errors
    /// `der` is not a certificate.
    pub fn x509(registration_id: &str, der: &[u8]) -> Result<Self, EnrolError> {
        Ok(Self {
            registration_id: registration_id.to_owned(),
            device_id: None,
            attestation: Attestation::X509 {
                primary: certificate(registration_id, der)?,
                secondary: None,
            },
            provisioning_status: ProvisioningStatus::default(),
            reprovision_policy: ReprovisionPolicy::default(),
            hub: None,
        })
    }

    /// The same enrolment with the certificate `der` as its secondary one.
    ///
    /// # Errors
    /// `der` is not a certificate.
    pub fn with_secondary(mut self, der: &[u8]) -> Result<Self, EnrolError> {
        let certificate = certificate(&self.registration_id, der)?;
        let Attestation::X509 { secondary, .. } = &mut self.attestation;
        *secondary = Some(certificate);
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
        self.provisioning_status = ProvisioningStatus::Disabled;
        self
    }
}

fn certificate(registration_id: &str, der: &[u8]) -> Result<DeviceCertificate, EnrolError> {
    DeviceCertificate::from_der(der).map_err(|error| EnrolError::Certificate {
        registration_id: registration_id.to_owned(),
        error,
    })
}

/// All enrolments, by registration id.
#[derive(Clone, Debug, Default)]
pub(super) struct Enrolments(BTreeMap<String, Enrolment>);

impl Enrolments {
    pub(super) fn put(&mut self, enrolment: Enrolment, hubs: &[String]) -> Result<(), EnrolError> {
        let id = RegistrationId::parse(&enrolment.registration_id)?;
        if let Some(device_id) = &enrolment.device_id
            && !id::is_device_id(device_id)
        {
            return Err(EnrolError::DeviceId {
                device_id: device_id.clone(),
            });
        }
        if let Some(hub) = &enrolment.hub
            && !hubs.contains(hub)
        {
            return Err(EnrolError::UnknownHub {
                hub: hub.clone(),
                known: hubs.to_vec(),
            });
        }
        self.0.insert(id.key(), enrolment);
        Ok(())
    }

    pub(super) fn get(&self, id: &RegistrationId) -> Option<&Enrolment> {
        self.0.get(&id.key())
    }

    pub(super) fn remove(&mut self, id: &RegistrationId) -> Option<Enrolment> {
        self.0.remove(&id.key())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Enrolment> {
        self.0.values()
    }
}
