//! How devices prove to a hub who they are.

use core::fmt;
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::ConnectRefusal;
use crate::certificate::DeviceCertificate;
use crate::provisioning::Credential;
use crate::sas::{AccessPolicy, SymmetricKeys, Token};

/// How a device proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// By a certificate with one of these thumbprints.
    SelfSigned {
        /// Of a certificate.
        primary: Thumbprint,
        /// Of another one that is as good.
        secondary: Option<Thumbprint>,
    },
    /// By a token that is signed with one of these keys.
    Sas(SymmetricKeys),
}

/// A certificate's thumbprint: SHA-1 or SHA-256 of its DER, 40 or 64 upper-case hex digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// SHA-256 of the certificate.
    pub fn of(certificate: &DeviceCertificate) -> Self {
        Self(certificate.sha256_thumbprint())
    }

    /// Reads a thumbprint; `None` for a text that is none.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| Self(text.to_ascii_uppercase()))
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_of(&self, certificate: &DeviceCertificate) -> bool {
        match self.0.len() {
            40 => self.0 == hex::encode_upper(Sha1::digest(certificate.der())),
            _ => self.0 == hex::encode_upper(Sha256::digest(certificate.der())),
        }
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&Credential> for Authentication {
    fn from(credential: &Credential) -> Self {
        match credential {
            Credential::X509 { primary, secondary } => Self::SelfSigned {
                primary: Thumbprint::of(primary),
                secondary: secondary.as_ref().map(Thumbprint::of),
            },
            Credential::SymmetricKey(keys) => Self::Sas(keys.clone()),
        }
    }
}

/// What a client shows of itself.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// A certificate whose key TLS has seen.
    pub(crate) certificate: Option<&'a DeviceCertificate>,
    /// A shared access signature.
    pub(crate) token: Option<&'a str>,
}

/// Whom a token may be for, and when that is asked.
pub(super) struct Resource<'a> {
    pub(super) hub: &'a str,
    pub(super) device_id: &'a str,
    /// The policy whose tokens are good for every device.
    pub(super) policy: Option<&'a AccessPolicy>,
    pub(super) since_1970: Duration,
}

impl Authentication {
    /// Whether what is shown is the device's. Returns when the token expires, in time since 1970.
    pub(super) fn check(
        &self,
        shown: Shown<'_>,
        resource: &Resource<'_>,
    ) -> Result<Option<Duration>, ConnectRefusal> {
        match self {
            Self::SelfSigned { primary, secondary } => {
                let certificate = shown.certificate.ok_or(ConnectRefusal::NoCertificate)?;
                let mut known = core::iter::once(primary).chain(secondary);
                if known.any(|thumbprint| thumbprint.is_of(certificate)) {
                    return Ok(None);
                }
                Err(ConnectRefusal::Thumbprint {
                    sha1: certificate.sha1_thumbprint(),
                    sha256: certificate.sha256_thumbprint(),
                    primary: primary.0.clone(),
                    secondary: secondary.as_ref().map(|own| own.0.clone()),
                })
            }
            Self::Sas(keys) => {
                let token = shown.token.ok_or(ConnectRefusal::NoToken)?;
                resource.check(token, keys).map(Some)
            }
        }
    }
}

impl Resource<'_> {
    /// Judges a token: that of the device, or one of the policy (IoT Hub documentation, "Control
    /// access to IoT Hub by using shared access signatures").
    fn check(&self, text: &str, keys: &SymmetricKeys) -> Result<Duration, ConnectRefusal> {
        let token = Token::parse(text).map_err(|error| ConnectRefusal::Token(error.to_string()))?;
        let refuse = |reason: &str| Err(ConnectRefusal::Token(reason.to_owned()));
        let own = format!("{}/devices/{}", self.hub, self.device_id);
        let (keys, fits) = match (token.key_name(), self.policy) {
            (None | Some(""), _) => (keys, token.is_for(&own)),
            (Some(name), Some(policy)) if policy.name == name => {
                let fits = token.is_for(&own) || token.is_for(self.hub);
                (&policy.keys, fits)
            }
            (Some(_), _) => return refuse("the token names no policy of this hub"),
        };
        if !fits {
            return refuse("the token is for another resource");
        }
        if token.is_expired(self.since_1970) {
            return refuse("the token has expired");
        }
        if token.is_signed_by(&keys.primary) || token.is_signed_by(&keys.secondary) {
            Ok(token.expires())
        } else {
            refuse("the token's signature is wrong")
        }
    }
}
