//! A device's certificate, as far as the services look at it.

use core::fmt;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A leaf certificate: its DER, its subject's common name and its thumbprints.
///
/// Read with x509-parser, which takes the vendor's malformed subjectAltName.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    der: Vec<u8>,
    common_name: Option<String>,
    subject: String,
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
