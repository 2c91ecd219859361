//! A device's certificate, as far as the services look at it.

use core::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;

use crate::clock::Timestamp;

/// A leaf certificate: its DER, its subject's common name and its thumbprints.
///
/// Read with x509-parser, which takes the vendor's malformed subjectAltName.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    der: Vec<u8>,
    common_name: Option<String>,
    subject: String,
}

/// What the service API says of a certificate (`X509CertificateInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CertificateInfo {
    pub(crate) subject_name: String,
    pub(crate) sha1_thumbprint: String,
    pub(crate) sha256_thumbprint: String,
    pub(crate) issuer_name: String,
    pub(crate) not_before_utc: String,
    pub(crate) not_after_utc: String,
    pub(crate) serial_number: String,
    pub(crate) version: u32,
}

/// Why bytes are not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not an X.509 certificate in DER: {reason}.
    #[error("not an X.509 certificate in DER: {reason}")]
    NotX509 {
        /// What the parser stumbled over.
        reason: String,
    },
    /// {count} bytes follow the certificate.
    #[error("{count} bytes follow the certificate")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
}

impl DeviceCertificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// The bytes are not one X.509 certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, certificate) = x509_parser::parse_x509_certificate(der).map_err(|error| {
            CertificateError::NotX509 {
                reason: error.to_string(),
            }
        })?;
        if !rest.is_empty() {
            return Err(CertificateError::TrailingBytes { count: rest.len() });
        }
        let common_name = certificate
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok())
            .map(str::to_owned);
        Ok(Self {
            der: der.to_vec(),
            common_name,
            subject: certificate.subject().to_string(),
        })
    }

    /// The certificate, parsed once more.
    pub(crate) fn parsed(&self) -> Option<X509Certificate<'_>> {
        // It was parsed before, so there always is one.
        x509_parser::parse_x509_certificate(&self.der)
            .ok()
            .map(|(_, certificate)| certificate)
    }

    /// Whether issuer and subject are the same.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.parsed()
            .is_some_and(|own| own.issuer().as_raw() == own.subject().as_raw())
    }

    /// What the service API says of a certificate.
    pub(crate) fn info(&self) -> CertificateInfo {
        let parsed = self.parsed();
        let of = |text: &dyn Fn(&X509Certificate<'_>) -> String| {
            parsed.as_ref().map_or_else(String::new, text)
        };
        let time = |seconds: i64| {
            let since_1970 = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            Timestamp::new(since_1970).round_trip()
        };
        CertificateInfo {
            subject_name: self.subject.clone(),
            sha1_thumbprint: self.sha1_thumbprint(),
            sha256_thumbprint: self.sha256_thumbprint(),
            issuer_name: of(&|own| own.issuer().to_string()),
            not_before_utc: of(&|own| time(own.validity().not_before.timestamp())),
            not_after_utc: of(&|own| time(own.validity().not_after.timestamp())),
            serial_number: of(&|own| hex::encode_upper(own.raw_serial())),
            version: parsed
                .as_ref()
                .map_or(0, |own| own.version().0.saturating_add(1)),
        }
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The subject's first common name.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// SHA-1 of the DER: 40 upper-case hex digits, the form of the services.
    pub fn sha1_thumbprint(&self) -> String {
        hex::encode_upper(Sha1::digest(&self.der))
    }

    /// SHA-256 of the DER: 64 upper-case hex digits, the form of the services.
    pub fn sha256_thumbprint(&self) -> String {
        hex::encode_upper(Sha256::digest(&self.der))
    }
}

impl fmt::Debug for DeviceCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.subject, self.sha1_thumbprint())
    }
}
