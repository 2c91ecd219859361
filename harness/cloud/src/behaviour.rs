//! How the services behave where the documentation leaves a choice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The choices. The defaults are what public evidence makes most likely; a variant or field that
/// says *unverified* was never compared with Azure's own service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// How long an assignment takes, in the target's time. Longer than
    /// [`retry_after`](Self::retry_after), so that a device sees `assigning` in a poll too.
    pub assignment_time: Duration,
    /// `Retry-After` of an answer that says `assigning`, in whole seconds.
    pub retry_after: Duration,
    /// Where a device whose certificate is refused learns it over MQTT.
    pub mqtt_certificate_failure: MqttCertificateFailure,
    /// How HTTP answers mark their end.
    pub framing: BodyFraming,
    /// The answer to a certificate that is not the enrolled one.
    pub certificate_mismatch: CertificateMismatch,
    /// Whether upper case letters in registration ids are taken.
    pub id_case: IdCase,
    /// The answer to an ID scope that is not ours.
    pub wrong_scope: WrongScope,
    /// The answer to a registration that begins while another is under way.
    pub concurrent_registration: ConcurrentRegistration,
    /// Whether the dates of certificates count where a group's chain is followed.
    pub certificate_dates: CertificateDates,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            assignment_time: Duration::from_secs(4),
            retry_after: Duration::from_secs(3),
            mqtt_certificate_failure: MqttCertificateFailure::default(),
            framing: BodyFraming::default(),
            certificate_mismatch: CertificateMismatch::default(),
            id_case: IdCase::default(),
            wrong_scope: WrongScope::default(),
            concurrent_registration: ConcurrentRegistration::default(),
            certificate_dates: CertificateDates::default(),
        }
    }
}

/// How HTTP answers mark their end (RFC 9112 section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFraming {
    /// `Transfer-Encoding: chunked`, as the service itself.
    #[default]
    Chunked,
    /// `Content-Length`.
    ContentLength,
}

/// The answer to a certificate that is not the enrolled one. Both have been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateMismatch {
    /// 401 with 401002 to the registration request (seen 2019 and 2020).
    #[default]
    RefuseAtOnce,
    /// 202, then `failed` with 401002 (seen 2018).
    FailOperation,
}

/// Whether upper case letters in registration ids are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdCase {
    /// 400 with 400004 (seen 2018). *Unverified* for api-versions since 2018-11-01.
    #[default]
    RefuseUpperCase,
    /// Ids are compared without regard to case, as the documentation says.
    Fold,
}

/// The answer to an ID scope that is not ours. *Unverified*: no public record of it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongScope {
    /// 401 with 401002, `Unauthorized`.
    #[default]
    Unauthorized,
    /// 404 with 404201.
    NotFound,
}

/// The answer to a registration that begins while another one of the same id is under way.
/// *Unverified*: the conflict is known, how close together the requests must be is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcurrentRegistration {
    /// The new operation replaces the old one, so that a device may reset in mid-registration.
    #[default]
    Supersede,
    /// 409 with 409203.
    Conflict,
}

/// Whether the dates of certificates count where a group's chain is followed. *Unverified*. The
/// dates of a certificate that is enrolled itself never do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateDates {
    /// Leaf, intermediates and anchor must be valid: 401 with 401002 if one is not.
    #[default]
    Checked,
    /// They do not count.
    Ignored,
}

/// Where a device whose certificate is refused learns it over MQTT. *Unverified* which of the two
/// the service does when; both are what clients expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MqttCertificateFailure {
    /// The CONNACK has return code 5 (seen in the field).
    #[default]
    Connack,
    /// The CONNACK accepts; the answer to the request is `res/401`, as for tokens.
    Answer,
}
