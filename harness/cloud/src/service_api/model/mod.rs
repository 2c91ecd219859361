//! The JSON objects of the service API (REST reference, "Individual Enrollment", "Enrollment
//! Group"). The state file keeps records in the same form, with everything in them.

mod attestation;
mod certificate;
mod enrolment;

pub(crate) use attestation::{AttestationMechanism, Supplement};
pub(crate) use enrolment::{Group, IndividualEnrollment};

use crate::certificate::CertificateError;
use crate::sas::KeyError;

/// How much of a record a JSON object shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What a client gets: `info` in place of certificates.
    Reply,
    /// The same without symmetric keys.
    ReplyWithoutKeys,
    /// Everything, so that the record can be made from it again.
    Whole,
}

/// Why a JSON object describes no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ModelError {
    /// The attestation has no `{0}`.
    #[error("the attestation has no `{0}`")]
    Missing(&'static str),
    /// This kind of record cannot have the attestation `{0}`.
    #[error("this kind of record cannot have the attestation `{0}`")]
    Kind(String),
    /// `caReferences` name certificates of the service, of which there are none here; give
    /// `signingCertificates`.
    #[error(
        "`caReferences` name certificates of the service, of which there are none here; give `signingCertificates`"
    )]
    CaReferences,
    /// The certificate is not PEM or base64.
    #[error("the certificate is not PEM, base64 of PEM or base64 of DER")]
    Encoding,
    /// There are {0} certificates where one belongs.
    #[error("there are {0} certificates where one belongs")]
    Count(usize),
    /// The certificate is not one.
    #[error("the certificate is {0}")]
    Certificate(#[from] CertificateError),
    /// A symmetric key is not one.
    #[error("a symmetric key is not usable: {0}")]
    Key(#[from] KeyError),
    /// `{0}` is not base64.
    #[error("`{0}` is not base64")]
    Base64(&'static str),
    /// `{0}` is not a time.
    #[error("`{0}` is not a time")]
    Time(&'static str),
}
