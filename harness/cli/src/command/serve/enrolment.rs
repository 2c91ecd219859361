//! Enrolments named on the command line.

use std::path::PathBuf;
use std::str::FromStr;

use az3166_cloud::{DeviceCertificate, Enrolment};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::exit::Failure;
use crate::file;

/// `FILE[,device-id=ID][,registration-id=ID]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentFile {
    path: PathBuf,
    device_id: Option<String>,
    registration_id: Option<String>,
}

impl FromStr for EnrolmentFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let path = parts.next().filter(|path| !path.is_empty());
        let mut file = Self {
            path: path.ok_or("a file is missing")?.into(),
            device_id: None,
            registration_id: None,
        };
        for part in parts {
            let member = match part.split_once('=') {
                Some(("device-id", id)) => file.device_id.replace(id.to_owned()),
                Some(("registration-id", id)) => file.registration_id.replace(id.to_owned()),
                _ => {
                    return Err(format!(
                        "`{part}` is neither device-id=ID nor registration-id=ID"
                    ));
                }
            };
            if member.is_some() {
                return Err(format!("`{part}` is given twice"));
            }
        }
        Ok(file)
    }
}

impl EnrolmentFile {
    /// Reads the certificate.
    pub(super) fn load(&self) -> Result<Enrolment, Failure> {
        let shown = self.path.display();
        let wrong = |what: String| Failure::usage(format!("{shown}: {what}"));
        let bytes = file::read(&self.path)?;
        let der = match bytes.first() {
            // DER of a certificate begins with a SEQUENCE.
            Some(0x30) => CertificateDer::from(bytes),
            _ => CertificateDer::from_pem_slice(&bytes)
                .map_err(|error| wrong(format!("no certificate in PEM or DER: {error}")))?,
        };
        let certificate =
            DeviceCertificate::from_der(&der).map_err(|error| wrong(error.to_string()))?;
        let named = self.registration_id.as_deref();
        let id = named.or(certificate.common_name()).ok_or_else(|| {
            wrong("the certificate has no common name; add ,registration-id=ID".into())
        })?;
        let enrolment = Enrolment::x509(id, &der).map_err(|error| wrong(error.to_string()))?;
        Ok(match &self.device_id {
            Some(device_id) => enrolment.with_device_id(device_id),
            None => enrolment,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn file(path: &str, device_id: Option<&str>, registration_id: Option<&str>) -> EnrolmentFile {
        EnrolmentFile {
            path: path.into(),
            device_id: device_id.map(str::to_owned),
            registration_id: registration_id.map(str::to_owned),
        }
    }

    #[rstest]
    #[case("a.pem", Ok(file("a.pem", None, None)))]
    #[case("a.pem,device-id=AZ3166", Ok(file("a.pem", Some("AZ3166"), None)))]
    #[case("a,registration-id=r,device-id=d", Ok(file("a", Some("d"), Some("r"))))]
    #[case("", Err("a file is missing"))]
    #[case("a,b", Err("`b` is neither device-id=ID nor registration-id=ID"))]
    #[case("a,device-id=b,device-id=c", Err("`device-id=c` is given twice"))]
    fn arguments(#[case] text: &str, #[case] expected: Result<EnrolmentFile, &str>) {
        assert_eq!(text.parse(), expected.map_err(str::to_owned));
    }
}
