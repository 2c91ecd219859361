//! Certificates in JSON: as text going in, as a description coming out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Detail, ModelError};
use crate::certificate::{CertificateInfo, DeviceCertificate};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// `X509CertificateWithInfo`.
#[derive(Deserialize, Serialize)]
pub(crate) struct CertificateWithInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<CertificateInfo>,
}

/// `X509Certificates`: a certificate and another one that is as good.
#[derive(Deserialize, Serialize)]
pub(crate) struct Certificates {
    primary: Option<CertificateWithInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secondary: Option<CertificateWithInfo>,
}

impl Certificates {
    pub(super) fn of(
        primary: &DeviceCertificate,
        secondary: Option<&DeviceCertificate>,
        detail: Detail,
    ) -> Self {
        let written = |certificate| CertificateWithInfo::of(certificate, detail);
        Self {
            primary: Some(written(primary)),
            secondary: secondary.map(written),
        }
    }

    /// The certificates. One that is only described is the one of `former` with this thumbprint:
    /// a client that sends back what it got means no change.
    pub(super) fn read(
        self,
        former: &[&DeviceCertificate],
    ) -> Result<(DeviceCertificate, Option<DeviceCertificate>), ModelError> {
        let read = |one: Option<CertificateWithInfo>| -> Result<_, ModelError> {
            Ok(match one {
                Some(one) => one.read(former)?,
                None => None,
            })
        };
        let primary = read(self.primary)?.ok_or(ModelError::Missing("primary"))?;
        Ok((primary, read(self.secondary)?))
    }
}

impl CertificateWithInfo {
    fn of(certificate: &DeviceCertificate, detail: Detail) -> Self {
        match detail {
            Detail::Whole => Self {
                certificate: Some(STANDARD.encode(certificate.der())),
                info: None,
            },
            Detail::Reply | Detail::ReplyWithoutKeys => Self {
                certificate: None,
                info: Some(certificate.info()),
            },
        }
    }

    fn read(self, former: &[&DeviceCertificate]) -> Result<Option<DeviceCertificate>, ModelError> {
        match (self.certificate, self.info) {
            (Some(text), _) => parse_certificate(&text).map(Some),
            (None, Some(info)) => former
                .iter()
                .find(|own| {
                    own.sha256_thumbprint()
                        .eq_ignore_ascii_case(&info.sha256_thumbprint)
                })
                .map(|own| Some((*own).clone()))
                .ok_or(ModelError::Missing("certificate")),
            (None, None) => Ok(None),
        }
    }
}

/// Reads a certificate in one of the three forms that clients send: PEM, base64 of PEM, base64 of
/// DER.
pub(crate) fn parse_certificate(text: &str) -> Result<DeviceCertificate, ModelError> {
    if text.contains(BEGIN) {
        return from_pem(text);
    }
    let bytes = from_base64(text)?;
    match core::str::from_utf8(&bytes) {
        Ok(pem) if pem.contains(BEGIN) => from_pem(pem),
        _ => Ok(DeviceCertificate::from_der(&bytes)?),
    }
}

fn from_pem(text: &str) -> Result<DeviceCertificate, ModelError> {
    let count = text.matches(BEGIN).count();
    if count != 1 {
        return Err(ModelError::Count(count));
    }
    let body = text
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .ok_or(ModelError::Encoding)?;
    Ok(DeviceCertificate::from_der(&from_base64(body.0)?)?)
}

fn from_base64(text: &str) -> Result<Vec<u8>, ModelError> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).map_err(|_| ModelError::Encoding)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const DER: &[u8] = include_bytes!("../../../tests/fixtures/alias-devkit.der");

    fn pem(line: usize, end: &str) -> String {
        let text = STANDARD.encode(DER);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(line)
            .map(|line| core::str::from_utf8(line).unwrap())
            .collect();
        format!("{BEGIN}{end}{}{end}{END}{end}", lines.join(end))
    }

    #[rstest]
    #[case::pem(pem(64, "\n"))]
    #[case::pem_of_windows(pem(64, "\r\n"))]
    #[case::pem_on_one_line(pem(usize::MAX, "\n"))]
    #[case::with_words_before_it(format!("subject=CN=a\n{}", pem(64, "\n")))]
    #[case::base64_of_pem(STANDARD.encode(pem(64, "\n")))]
    #[case::base64_of_der(STANDARD.encode(DER))]
    fn forms(#[case] text: String) {
        assert_eq!(parse_certificate(&text).unwrap().der(), DER);
    }

    #[rstest]
    #[case("", "the certificate is not an X.509 certificate in DER")]
    #[case("*", "the certificate is not PEM, base64 of PEM or base64 of DER")]
    #[case(BEGIN, "the certificate is not PEM, base64 of PEM or base64 of DER")]
    #[case("AAAA", "the certificate is not an X.509 certificate in DER")]
    #[case(&pem(64, "\n").repeat(2), "there are 2 certificates where one belongs")]
    fn refusals(#[case] text: &str, #[case] expected: &str) {
        let error = parse_certificate(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
