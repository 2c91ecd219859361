//! Requests that the service refuses, with the status and code that it gives.

use std::time::Duration;

use crate::behaviour::{NameMismatch, ThrottleCode, WrongScope};

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
    /// The certificate's name is not the registration id.
    #[error("{}", match .0 { NameMismatch::InvalidCertificate => "Invalid certificate.", NameMismatch::InvalidRegistrationId => "Invalid RegistrationId.", NameMismatch::Unauthorized => "Unauthorized" })]
    NameMismatch(
        /// Which answer to give.
        NameMismatch,
    ),
    /// Too many requests. *Unverified* text.
    #[error("Too many requests.")]
    Throttled {
        /// When there is room again, in whole seconds.
        retry_after: Duration,
        /// Which code to give.
        code: ThrottleCode,
    },
    /// Precondition failed: the same device registers twice at once.
    #[error("Precondition failed.")]
    ConcurrentRegistration,
}

impl Refusal {
    /// The error code of the JSON body.
    pub fn error_code(self) -> u32 {
        match self {
            Self::InvalidRegistrationId
            | Self::NameMismatch(NameMismatch::InvalidRegistrationId) => 400_004,
            Self::BadRequest(_) => 400_000,
            Self::Unauthorized | Self::NameMismatch(NameMismatch::Unauthorized) => 401_000,
            Self::InvalidCertificate
            | Self::CaNotFound
            | Self::NameMismatch(NameMismatch::InvalidCertificate)
            | Self::WrongScope(WrongScope::Unauthorized) => 401_002,
            Self::EnrolmentNotFound | Self::WrongScope(WrongScope::NotFound) => 404_201,
            Self::RegistrationNotFound => 404_202,
            Self::ConcurrentRegistration => 409_203,
            Self::Throttled { code, .. } => match code {
                ThrottleCode::Code429000 => 429_000,
                ThrottleCode::Code429001 => 429_001,
            },
        }
    }

    /// When the client may ask again, where the answer says so (`Retry-After`).
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } => Some(retry_after),
            _ => None,
        }
    }

    /// The HTTP status; the code's first three digits.
    pub fn status(self) -> u16 {
        u16::try_from(self.error_code() / 1000).unwrap_or(500)
    }
}
