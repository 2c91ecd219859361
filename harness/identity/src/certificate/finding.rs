use core::fmt;

use super::nonce::{has_constant_nonce, recover_device_id_key};
use super::parse::{ParseError, Presented};
use super::{Profile, Thumbprints};
use crate::RegistrationId;

/// What kind of weakness was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingId {
    /// The DeviceID private key was computed from the certificate alone.
    DeviceIdKeyRecoverable,
    /// The constant nonce was used, though not with the DeviceID key that the certificate names.
    ConstantNonce,
    /// The subjectAltName's otherName lacks the explicit tag that RFC 5280 demands.
    MalformedSan,
    /// There is no RIoT otherName that names a DeviceID key and an FWID.
    NoRiotIdentity,
    /// The signature is not by the DeviceID key that the certificate names.
    SignatureInvalid,
    /// The subject's common name is longer than the Device Provisioning Service takes.
    CommonNameTooLong,
}

impl FindingId {
    /// Its stable name in reports and scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceIdKeyRecoverable => "device-id-key-recoverable",
            Self::ConstantNonce => "constant-nonce",
            Self::MalformedSan => "malformed-san",
            Self::NoRiotIdentity => "no-riot-identity",
            Self::SignatureInvalid => "signature-invalid",
            Self::CommonNameTooLong => "common-name-too-long",
        }
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something about a certificate that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub id: FindingId,
    /// What was seen and what follows from it, without any secret.
    pub text: String,
}

/// Everything that is wrong with an alias certificate in itself, whoever presents it.
pub fn findings(certificate: &[u8]) -> Result<Vec<Finding>, ParseError> {
    let presented = Presented::parse(certificate)?;
    let mut found = Vec::new();
    let mut add = |id, text: String| found.push(Finding { id, text });
    if let Some(key) = recover_device_id_key(certificate) {
        add(
            FindingId::DeviceIdKeyRecoverable,
            format!(
                "the signature's nonce is the SDK's constant, so anyone who sees this certificate \
                 computes the DeviceID private key; done: it is the key with fingerprint {}",
                key.private().fingerprint()
            ),
        );
    } else if has_constant_nonce(&presented) {
        add(
            FindingId::ConstantNonce,
            "the signature's nonce is the SDK's constant, so the signer's private key is public"
                .into(),
        );
    }
    match &presented.riot {
        None => add(
            FindingId::NoRiotIdentity,
            "no subjectAltName holds a RIoT identity (otherName 1.3.6.1.4.1.311.89.3.1) with a \
             P-256 DeviceID key and a SHA-256 FWID"
                .into(),
        ),
        Some(riot) => {
            if riot.form == Profile::Devkit {
                add(
                    FindingId::MalformedSan,
                    "the otherName's value lacks its [0] EXPLICIT tag (RFC 5280, section 4.2.1.6); \
                     OpenSSL and what is built on it refuse this certificate"
                        .into(),
                );
            }
            if !presented.is_signed_by(&riot.device_id) {
                add(
                    FindingId::SignatureInvalid,
                    "the signature is not by the DeviceID key that the certificate names".into(),
                );
            }
        }
    }
    let longest = presented.common_names().map(|name| name.len()).max();
    if let Some(length) = longest.filter(|length| *length > RegistrationId::SERVICE_MAX) {
        add(
            FindingId::CommonNameTooLong,
            format!(
                "the subject's common name has {length} characters; the Device Provisioning \
                 Service refuses more than {}",
                RegistrationId::SERVICE_MAX
            ),
        );
    }
    Ok(found)
}

impl Presented<'_> {
    /// The raw values of the subject's common names.
    pub(super) fn common_names(&self) -> impl Iterator<Item = &[u8]> {
        self.x509
            .subject()
            .iter_common_name()
            .map(|attribute| attribute.as_slice())
    }
}

impl Thumbprints {
    /// Both with their names, for a line of text.
    pub fn lines(&self) -> [(&'static str, &str); 2] {
        [("SHA-1", &self.sha1), ("SHA-256", &self.sha256)]
    }
}
