//! Enrolments.

use az3166_cloud::Enrolment as CloudEnrolment;
use az3166_scenario::{Enrolment, EnrolmentStatus, RegistrationId};

use super::{Outcome, StepError};
use crate::bench::CloudSide;
use crate::outside::OutsideEnrolment;
use crate::run::Run;

pub(super) fn enrol(run: &mut Run<'_>, enrolment: &Enrolment) -> Result<Outcome, StepError> {
    run.enrol(enrolment)?;
    Ok(Outcome::Passed)
}

pub(super) fn unenrol(run: &mut Run<'_>, id: &RegistrationId) -> Result<Outcome, StepError> {
    let id = run.oracle.registration_id_text(id)?;
    let cloud = match &mut run.bench.cloud {
        CloudSide::Local(cloud) => cloud,
        CloudSide::Outside(cloud) => {
            cloud.unenrol(&id)?;
            return Ok(Outcome::Passed);
        }
    };
    match cloud.remove_enrolment(&id) {
        Some(_) => Ok(Outcome::Passed),
        None => Err(StepError::setup(
            format!("there is no enrolment `{id}` to remove"),
            "enrol it in `cloud:` or by an `enrol` step first",
        )),
    }
}

impl Run<'_> {
    /// Enrols the certificate that the oracle computes for `enrolment`.
    pub fn enrol(&mut self, enrolment: &Enrolment) -> Result<(), StepError> {
        let input = enrolment.identity.or(&self.scenario.identity);
        let (certificate, own_id) = self.oracle_certificate(&input)?;
        let id = match &enrolment.registration_id {
            Some(id) => self.oracle.registration_id_text(id)?,
            None => own_id,
        };
        let cloud = match &mut self.bench.cloud {
            CloudSide::Local(cloud) => cloud,
            CloudSide::Outside(cloud) => {
                let device_id = enrolment.device_id.as_ref().map(|id| id.expose());
                cloud.enrol(OutsideEnrolment {
                    registration_id: &id,
                    certificate: certificate.der(),
                    device_id: device_id.unwrap_or(&id),
                    status: enrolment.status,
                })?;
                return Ok(());
            }
        };
        let refused = |error: az3166_cloud::EnrolError| {
            StepError::setup(
                format!("`{id}` cannot be enrolled: {error}"),
                "change the enrolment",
            )
        };
        let mut entry = CloudEnrolment::x509(&id, certificate.der()).map_err(refused)?;
        if let Some(device_id) = &enrolment.device_id {
            entry = entry.with_device_id(device_id.expose());
        }
        if enrolment.status == EnrolmentStatus::Disabled {
            entry = entry.disabled();
        }
        cloud.enrol(entry).map_err(refused)
    }
}
