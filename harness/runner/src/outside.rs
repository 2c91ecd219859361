//! A cloud outside of this process: a real provisioning service and hub, or somebody else's.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use az3166_event::CloudEvent;
use az3166_network::Services;
use az3166_scenario::{
    CloudSetup, ExpectHub, ExpectRegistration, RegistrationStatus, Scenario, Verb,
};

use crate::steps::StepError;

/// What the harness needs of a cloud that it does not run itself.
///
/// The gateway hands it the device's connections ([`Services`]); the harness asks it to enrol, and
/// hears of what the services' own interfaces tell. Whatever is enrolled is gone after
/// [`OutsideCloud::close`].
pub trait OutsideCloud: Services + Send {
    /// What it is called in reports: `azure`.
    fn name(&self) -> &str;

    /// The host names that the device may reach.
    fn host_names(&self) -> Vec<String>;

    /// The root that the device must trust besides its own, in DER; none where its own will do.
    fn trust_anchor(&self) -> Option<&[u8]>;

    /// The device id under which the service will know a device whose scenario says `wanted`.
    fn device_id(&self, wanted: &str) -> String;

    /// Enrols a certificate.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    fn enrol(&mut self, enrolment: OutsideEnrolment<'_>) -> Result<(), OutsideError>;

    /// Removes the enrolment; the registration and the device stay until the end.
    ///
    /// # Errors
    /// The service cannot be reached, refuses, or was never asked to enrol this one.
    fn unenrol(&mut self, registration_id: &str) -> Result<(), OutsideError>;

    /// What was learned since the last call, in order.
    ///
    /// # Errors
    /// The services stopped answering, or do not belong together.
    fn drain_events(&mut self) -> Result<Vec<CloudEvent>, OutsideError>;

    /// How soon bytes or news may come.
    fn poll_interval(&self) -> Duration;

    /// Removes what was made: enrolments, registrations, devices.
    ///
    /// # Errors
    /// Something is left over; the error says what.
    fn close(&mut self) -> Result<(), OutsideError>;
}

/// What is enrolled.
#[derive(Clone, Copy, Debug)]
pub struct OutsideEnrolment<'a> {
    /// The registration id.
    pub registration_id: &'a str,
    /// The certificate, in DER.
    pub certificate: &'a [u8],
    /// The device id, as the scenario says it.
    pub device_id: &'a str,
    /// Whether the enrolment may be used.
    pub status: az3166_scenario::EnrolmentStatus,
}

/// {what}; {todo}
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}; {todo}")]
pub struct OutsideError {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub todo: String,
}

impl From<OutsideError> for StepError {
    fn from(error: OutsideError) -> Self {
        Self::setup(error.what, error.todo)
    }
}

/// Makes the outside cloud of one scenario.
pub type OutsideFactory<'a> = dyn Fn() -> Result<Box<dyn OutsideCloud>, OutsideError> + Sync + 'a;

/// Where the services are.
#[derive(Clone, Copy)]
pub enum CloudChoice<'a> {
    /// In this process, on the target's time.
    Local,
    /// Elsewhere, on the wall clock.
    Outside(&'a OutsideFactory<'a>),
}

/// The time that the device is told at its start, in seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The first thing in `scenario` that only the local cloud can do or tell.
pub(crate) fn local_need(scenario: &Scenario) -> Option<&'static str> {
    let setup = CloudSetup {
        enrolments: scenario.cloud.enrolments.clone(),
        id_scope: scenario.cloud.id_scope.clone(),
        ..CloudSetup::default()
    };
    if scenario.cloud != setup {
        return Some("`cloud:` says how the services behave");
    }
    scenario.steps.iter().find_map(|step| step_need(&step.verb))
}

fn step_need(verb: &Verb) -> Option<&'static str> {
    match verb {
        Verb::CloudFault(_) => Some("`cloud_fault` changes how the services behave"),
        Verb::ExpectCertificate(_) | Verb::SaveIdentity(_) | Verb::ExpectIdentity(_) => {
            Some("the certificate that the device presents is seen by the services alone")
        }
        Verb::TrustAnchor(_) => Some("`trust_anchor` is about the local cloud's root"),
        Verb::ExpectRegistration(expected) => registration_need(expected),
        Verb::ExpectHub(expected) => hub_need(expected),
        Verb::ExpectTrace(expected) => {
            let mut patterns = expected.events.iter().map(|it| &it.pattern);
            let all = patterns.any(|it| it.is_about("cloud"))
                || expected.never.iter().any(|it| it.is_about("cloud"));
            all.then_some(CLOUD_EVENTS)
        }
        Verb::ExpectEvent(expected) => expected.pattern().is_about("cloud").then_some(CLOUD_EVENTS),
        _ => None,
    }
}

const CLOUD_EVENTS: &str = "events of the cloud are told by the local one alone";

fn registration_need(expected: &ExpectRegistration) -> Option<&'static str> {
    let is_shown = matches!(
        expected.status,
        RegistrationStatus::Assigned | RegistrationStatus::Failed
    );
    if !is_shown {
        return Some("registrations that left no record are seen by the service alone");
    }
    expected
        .http_status
        .is_some()
        .then_some("the service's answers are in TLS")
}

fn hub_need(expected: &ExpectHub) -> Option<&'static str> {
    let counts = expected.telemetry.is_some() || expected.twin_reads.is_some();
    (counts || expected.return_code.is_some())
        .then_some("the hub's registry tells of connections, not of messages or refusals")
}
