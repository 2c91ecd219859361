//! Requests that the service refuses, with the status and code that it gives.

use crate::behaviour::WrongScope;

/// Why a request is refused.
///
/// The numbers and texts come from public logs and SDK sources; where those know none, the
/// variant says *unverified*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Invalid RegistrationId.
    #[error("Invalid RegistrationId.")]
    InvalidRegistrationId,
    /// Bad request. *Unverified* number, for bodies and queries that make no sense.
    #[error("Bad request: {0}.")]
    BadRequest(
        /// What is wrong.
        &'static str,
    ),
    /// Unauthorized: the device proved nothing. *Unverified* for X.509 enrolments.
    #[error("Unauthorized")]
    Unauthorized,
    /// Invalid certificate.
    #[error("Invalid certificate.")]
    InvalidCertificate,
    /// CA certificate not found.
    #[error("CA certificate not found.")]
    CaNotFound,
    /// The ID scope is not ours. *Unverified*.
    #[error("Unauthorized: unknown ID scope")]
    WrongScope(
        /// Which answer to give.
        WrongScope,
    ),
    /// Enrollment not found. *Unverified* text.
    #[error("Enrollment not found.")]
    EnrolmentNotFound,
    /// Registration not found. *Unverified* for an unknown operation.
    #[error("Registration not found.")]
    RegistrationNotFound,
    /// Precondition failed: the same device registers twice at once.
    #[error("Precondition failed.")]
    ConcurrentRegistration,
}

impl Refusal {
    /// The error code of the JSON body.
    pub fn error_code(self) -> u32 {
        match self {
            Self::InvalidRegistrationId => 400_004,
            Self::BadRequest(_) => 400_000,
            Self::Unauthorized => 401_000,
            Self::InvalidCertificate
            | Self::CaNotFound
            | Self::WrongScope(WrongScope::Unauthorized) => 401_002,
            Self::EnrolmentNotFound | Self::WrongScope(WrongScope::NotFound) => 404_201,
            Self::RegistrationNotFound => 404_202,
            Self::ConcurrentRegistration => 409_203,
        }
    }

    /// The HTTP status; the code's first three digits.
    pub fn status(self) -> u16 {
        u16::try_from(self.error_code() / 1000).unwrap_or(500)
    }
}
