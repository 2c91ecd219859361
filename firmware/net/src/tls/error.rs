//! From what rustls says to the named failures of the device.

use alloc::format;

use rustls::{AlertDescription, CertificateError};

use super::client::Error;
use crate::failure::{Failure, FailureKind};

/// Names the failure of a connection to `host`.
pub(crate) fn failure(host: &str, error: &Error) -> Failure {
    use FailureKind as Kind;
    let (kind, reason) = match error {
        Error::Tls(rustls::Error::InvalidCertificate(error)) => return certificate(host, error),
        Error::Tls(rustls::Error::AlertReceived(alert)) => (
            Kind::TlsAlert,
            format!("{host} sent the alert {}{}", name(*alert), hint(*alert)),
        ),
        Error::Tls(rustls::Error::FailedToGetRandomBytes) => {
            (Kind::Random, "the random number generator failed".into())
        }
        Error::Tls(rustls::Error::PeerIncompatible(why)) => (
            Kind::TlsProtocol,
            format!("{host} does not speak what the device speaks: {why:?}"),
        ),
        Error::Tls(error) => (Kind::TlsProtocol, format!("{host}: {error}")),
        Error::RecordTooLarge => (
            Kind::TlsProtocol,
            format!("{host} sent a record that is too large"),
        ),
    };
    Failure::new(kind, reason)
}

fn certificate(host: &str, error: &CertificateError) -> Failure {
    use CertificateError as Cert;
    use FailureKind as Kind;
    let (kind, reason) = match error {
        Cert::UnknownIssuer | Cert::BadSignature => (
            Kind::TlsUnknownIssuer,
            "does not lead to a trust anchor".into(),
        ),
        Cert::Expired => (Kind::TlsExpired, "has expired".into()),
        Cert::ExpiredContext { time, not_after } => (
            Kind::TlsExpired,
            format!(
                "expired {} s ago",
                time.as_secs().saturating_sub(not_after.as_secs())
            ),
        ),
        Cert::NotValidYet => (Kind::TlsNotYetValid, "is not valid yet".into()),
        Cert::NotValidYetContext { time, not_before } => (
            Kind::TlsNotYetValid,
            format!(
                "is valid only in {} s",
                not_before.as_secs().saturating_sub(time.as_secs())
            ),
        ),
        Cert::NotValidForName | Cert::NotValidForNameContext { .. } => {
            (Kind::TlsWrongName, "is for another name".into())
        }
        Cert::BadEncoding => (Kind::TlsCertificate, "is malformed".into()),
        Cert::UnsupportedSignatureAlgorithmContext { .. }
        | Cert::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            Kind::TlsCertificate,
            "is signed by an algorithm that the device lacks".into(),
        ),
        Cert::InvalidPurpose | Cert::InvalidPurposeContext { .. } => {
            (Kind::TlsCertificate, "is not for a server".into())
        }
        other => (Kind::TlsCertificate, format!("is refused: {other}")),
    };
    Failure::new(kind, format!("the certificate of {host} {reason}"))
}

/// The alert's name in RFC 5246 section 7.2.
fn name(alert: AlertDescription) -> &'static str {
    use AlertDescription as Alert;
    match alert {
        Alert::CloseNotify => "close_notify",
        Alert::UnexpectedMessage => "unexpected_message",
        Alert::BadRecordMac => "bad_record_mac",
        Alert::RecordOverflow => "record_overflow",
        Alert::HandshakeFailure => "handshake_failure",
        Alert::BadCertificate => "bad_certificate",
        Alert::UnsupportedCertificate => "unsupported_certificate",
        Alert::CertificateRevoked => "certificate_revoked",
        Alert::CertificateExpired => "certificate_expired",
        Alert::CertificateUnknown => "certificate_unknown",
        Alert::IllegalParameter => "illegal_parameter",
        Alert::UnknownCA => "unknown_ca",
        Alert::AccessDenied => "access_denied",
        Alert::DecodeError => "decode_error",
        Alert::DecryptError => "decrypt_error",
        Alert::ProtocolVersion => "protocol_version",
        Alert::InsufficientSecurity => "insufficient_security",
        Alert::InternalError => "internal_error",
        Alert::UserCanceled => "user_canceled",
        Alert::NoRenegotiation => "no_renegotiation",
        Alert::UnrecognisedName => "unrecognized_name",
        Alert::CertificateRequired => "certificate_required",
        _ => "of an unknown number",
    }
}

fn hint(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            " (no common cipher suite?)"
        }
        AlertDescription::ProtocolVersion => " (the device speaks TLS 1.2)",
        _ => "",
    }
}
