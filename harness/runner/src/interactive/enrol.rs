//! Enrols the device by what its secure element holds, as its owner would by hand.

use az3166_cloud::Enrolment;
use az3166_identity::Uds;
use az3166_scenario::{IdentityInput, RegistrationId, SecretUds, Text};
use zeroize::Zeroizing;

use super::{Notice, Session};
use crate::settings_record;
use crate::steps::StepError;

/// The device id of the enrolment.
pub const DEVICE_ID: &str = "AZ3166";

/// The zone that holds the UDS, from its start.
const UDS_ZONE: u8 = 6;
/// The zone that holds the settings.
const SETTINGS_ZONE: u8 = 5;

/// Settings of the device, as far as they are set.
#[derive(Default)]
struct Settings {
    registration_id: Option<String>,
    mac: Option<String>,
    id_scope: Option<String>,
}

impl Session {
    /// Enrols the certificate that the device must present; says what changed.
    pub(super) fn enrol(&mut self) -> Vec<Notice> {
        let Some(digits) = self.zone(UDS_ZONE) else {
            return vec![Notice::NotEnrolled {
                reason: "the target has a real secure element".into(),
            }];
        };
        let settings = self.settings();
        let mut notices = Vec::new();
        if let Some(set) = settings.id_scope.as_ref().filter(|set| **set != self.scope) {
            notices.push(Notice::OtherScope {
                set: set.clone(),
                served: self.scope.clone(),
            });
        }
        let digits = &digits[..digits.len().min(Uds::DIGITS)];
        if digits.iter().all(|byte| matches!(byte, 0 | 0xFF)) {
            notices.push(Notice::NoUds);
            return notices;
        }
        let text = Text::from(String::from_utf8_lossy(digits).into_owned());
        match self.enrol_uds(text, &settings) {
            Ok(notice) => notices.extend(notice),
            Err(error) => notices.push(Notice::NotEnrolled {
                reason: error.to_string(),
            }),
        }
        notices
    }

    fn enrol_uds(&mut self, text: Text, settings: &Settings) -> Result<Option<Notice>, StepError> {
        let uds = SecretUds::try_from(text).map_err(|_| {
            StepError::setup("zone 6 of the secure element holds no UDS", "set one")
        })?;
        self.watch(&uds);
        let input = IdentityInput {
            uds: Some(uds),
            registration_id: settings
                .registration_id
                .as_deref()
                .map(|id| RegistrationId::Custom(id.into())),
            mac: settings.mac.as_deref().map(Into::into),
            ..IdentityInput::default()
        };
        let (certificate, registration_id) = self.oracle.certificate(&input)?;
        if self.enrolled.as_deref() == Some(certificate.der()) {
            return Ok(None);
        }
        let refused = |error: az3166_cloud::EnrolError| {
            StepError::setup(error.to_string(), "set another registration id")
        };
        let entry = Enrolment::x509(&registration_id, certificate.der()).map_err(refused)?;
        if let Some(cloud) = self.bench.cloud.local() {
            cloud
                .enrol(entry.with_device_id(DEVICE_ID))
                .map_err(refused)?;
        }
        self.enrolled = Some(certificate.der().to_vec());
        Ok(Some(Notice::Enrolled {
            registration_id,
            device_id: DEVICE_ID.into(),
            thumbprint: certificate.thumbprints().sha1,
        }))
    }

    /// From now on it is a finding if the device shows `uds` or what is derived from it.
    fn watch(&mut self, uds: &SecretUds) {
        let taps = &mut self.bench.taps;
        taps.watch("UDS", uds.secret().expose());
        if let Ok(identity) = self.oracle.identity(&Uds::new(uds.secret().clone())) {
            taps.watch("CDI", identity.cdi().expose());
            taps.watch("DeviceID key", identity.device_id().private().expose());
            taps.watch("alias key", identity.alias().private().expose());
        }
    }

    fn settings(&mut self) -> Settings {
        let mut settings = Settings::default();
        let record = self.zone(SETTINGS_ZONE).unwrap_or_default();
        for (key, value) in settings_record::members(&record) {
            match key.as_str() {
                "RegistrationId" => settings.registration_id = Some(value),
                "MAC" => settings.mac = Some(value),
                "IdScope" => settings.id_scope = Some(value),
                _ => {}
            }
        }
        settings
    }

    /// The content of a zone of the secure element.
    fn zone(&mut self, index: u8) -> Option<Zeroizing<Vec<u8>>> {
        let chip = self.bench.target().secure_element()?;
        let zone = chip.nvm().zone(index)?;
        Some(Zeroizing::new(zone.bytes().to_vec()))
    }
}
