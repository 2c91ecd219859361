//! The provisioning service's own interface (REST reference, "Device Provisioning Service").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::rest::{Rest, ServiceError};
use crate::sas::percent_encoded;
use crate::settings::Services;

/// What is enrolled.
pub(crate) struct NewEnrolment<'a> {
    pub(crate) registration_id: &'a str,
    pub(crate) device_id: &'a str,
    pub(crate) certificate: &'a [u8],
    pub(crate) run: &'a str,
    /// `enabled` or `disabled`.
    pub(crate) status: &'static str,
}

/// `DeviceRegistrationState`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registration {
    pub(crate) registration_id: String,
    pub(crate) status: String,
    pub(crate) device_id: Option<String>,
    pub(crate) assigned_hub: Option<String>,
    pub(crate) substatus: Option<String>,
    pub(crate) error_code: Option<u32>,
    pub(crate) last_updated_date_time_utc: Option<String>,
    pub(crate) etag: Option<String>,
}

/// The provisioning service.
pub(crate) struct Provisioning(Rest);

impl Provisioning {
    pub(crate) fn new(services: &Services) -> Self {
        Self(Rest::new(services, &services.provisioning, "2021-10-01"))
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host()
    }

    /// Enrols; what is enrolled already under this id is left as it is, and an error.
    pub(crate) fn enrol(&self, new: &NewEnrolment<'_>) -> Result<(), ServiceError> {
        let body = json!({
            "registrationId": new.registration_id,
            "deviceId": new.device_id,
            "attestation": {
                "type": "x509",
                "x509": {"clientCertificates": {"primary": {"certificate": pem(new.certificate)}}},
            },
            "provisioningStatus": new.status,
            "initialTwin": {"tags": {"hil": {"run": new.run}}, "properties": {"desired": {}}},
        });
        self.0.put(&enrolment_path(new.registration_id), &body)?;
        Ok(())
    }

    /// The device id of an enrolment, where there is one.
    pub(crate) fn enrolled_device(
        &self,
        registration_id: &str,
    ) -> Result<Option<String>, ServiceError> {
        let found = self.0.get(&enrolment_path(registration_id))?.found();
        let device = found.as_ref().map(|body| &body["deviceId"]);
        Ok(device.map(|id| id.as_str().unwrap_or_default().to_owned()))
    }

    pub(crate) fn unenrol(&self, registration_id: &str) -> Result<(), ServiceError> {
        self.0.delete(&enrolment_path(registration_id))
    }

    pub(crate) fn registration(
        &self,
        registration_id: &str,
    ) -> Result<Option<Registration>, ServiceError> {
        let found = self.0.get(&registration_path(registration_id))?.found();
        Ok(found.and_then(|body: Value| serde_json::from_value(body).ok()))
    }

    pub(crate) fn forget(&self, registration_id: &str) -> Result<(), ServiceError> {
        self.0.delete(&registration_path(registration_id))
    }
}

fn enrolment_path(id: &str) -> String {
    format!("/enrollments/{}", percent_encoded(id))
}

fn registration_path(id: &str) -> String {
    format!("/registrations/{}", percent_encoded(id))
}

/// Textual encoding (RFC 7468 section 3).
fn pem(der: &[u8]) -> String {
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}
