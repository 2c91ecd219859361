//! `AttestationMechanism`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::certificate::Certificates;
use super::{Detail, ModelError};
use crate::certificate::DeviceCertificate;
use crate::provisioning::{Attestation, GroupAttestation, TpmIdentity};
use crate::sas::{SymmetricKey, SymmetricKeys};

/// `AttestationMechanism`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttestationMechanism {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    x509: Option<X509Attestation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symmetric_key: Option<SymmetricKeyAttestation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tpm: Option<TpmAttestation>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct X509Attestation {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificates: Option<Certificates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_certificates: Option<Certificates>,
    /// Names of the service's own CA certificates, which are refused.
    #[serde(skip_serializing)]
    ca_references: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct SymmetricKeyAttestation {
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_key: Option<KeyText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secondary_key: Option<KeyText>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct TpmAttestation {
    endorsement_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_root_key: Option<String>,
}

/// A key on its way to or from a JSON text.
struct KeyText(Zeroizing<String>);

impl Serialize for KeyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// What stands in for members that a client left out.
pub(crate) struct Supplement<'a, T> {
    /// The record that is being replaced: certificates that are only described are taken from it,
    /// and keys that are missing.
    pub(crate) former: Option<&'a T>,
    /// New keys, where there are no former ones.
    pub(crate) keys: Option<SymmetricKeys>,
}

impl<T> Supplement<'_, T> {
    /// Nothing does.
    pub(crate) const NONE: Self = Self {
        former: None,
        keys: None,
    };
}

impl AttestationMechanism {
    pub(crate) fn of(attestation: &Attestation, detail: Detail) -> Self {
        match attestation {
            Attestation::X509 { primary, secondary } => Self::x509(X509Attestation {
                client_certificates: Some(Certificates::of(primary, secondary.as_ref(), detail)),
                ..X509Attestation::default()
            }),
            Attestation::SymmetricKey(keys) => Self::symmetric_key(keys, detail),
            Attestation::Tpm(identity) => Self {
                tpm: Some(TpmAttestation {
                    endorsement_key: Some(STANDARD.encode(&identity.endorsement_key)),
                    storage_root_key: identity
                        .storage_root_key
                        .as_ref()
                        .map(|key| STANDARD.encode(key)),
                }),
                ..Self::empty("tpm")
            },
        }
    }

    pub(crate) fn of_group(attestation: &GroupAttestation, detail: Detail) -> Self {
        match attestation {
            GroupAttestation::X509 { primary, secondary } => Self::x509(X509Attestation {
                signing_certificates: Some(Certificates::of(primary, secondary.as_ref(), detail)),
                ..X509Attestation::default()
            }),
            GroupAttestation::SymmetricKey(keys) => Self::symmetric_key(keys, detail),
        }
    }

    pub(super) fn read(
        self,
        supplement: Supplement<'_, Attestation>,
    ) -> Result<Attestation, ModelError> {
        match self.kind.as_str() {
            "x509" => {
                let certificates = self.x509.and_then(|x509| x509.client_certificates);
                let former = match supplement.former {
                    Some(Attestation::X509 { primary, secondary }) => listed(primary, secondary),
                    _ => Vec::new(),
                };
                let (primary, secondary) = certificates
                    .ok_or(ModelError::Missing("clientCertificates"))?
                    .read(&former)?;
                Ok(Attestation::X509 { primary, secondary })
            }
            "symmetricKey" => {
                let former = match supplement.former {
                    Some(Attestation::SymmetricKey(keys)) => Some(keys.clone()),
                    _ => supplement.keys,
                };
                Ok(Attestation::SymmetricKey(keys(self.symmetric_key, former)?))
            }
            "tpm" => {
                let tpm = self.tpm.ok_or(ModelError::Missing("tpm"))?;
                let decode = |name, text: String| {
                    STANDARD.decode(text).map_err(|_| ModelError::Base64(name))
                };
                let endorsement_key = tpm
                    .endorsement_key
                    .ok_or(ModelError::Missing("endorsementKey"))?;
                Ok(Attestation::Tpm(TpmIdentity {
                    endorsement_key: decode("endorsementKey", endorsement_key)?,
                    storage_root_key: tpm
                        .storage_root_key
                        .map(|key| decode("storageRootKey", key))
                        .transpose()?,
                }))
            }
            _ => Err(ModelError::Kind(self.kind)),
        }
    }

    pub(super) fn read_group(
        self,
        supplement: Supplement<'_, GroupAttestation>,
    ) -> Result<GroupAttestation, ModelError> {
        match self.kind.as_str() {
            "x509" => {
                let x509 = self.x509.ok_or(ModelError::Missing("x509"))?;
                let former = match supplement.former {
                    Some(GroupAttestation::X509 { primary, secondary }) => {
                        listed(primary, secondary)
                    }
                    _ => Vec::new(),
                };
                if x509.ca_references.is_some() {
                    return Err(ModelError::CaReferences);
                }
                let certificates = x509
                    .signing_certificates
                    .ok_or(ModelError::Missing("signingCertificates"))?;
                let (primary, secondary) = certificates.read(&former)?;
                Ok(GroupAttestation::X509 { primary, secondary })
            }
            "symmetricKey" => {
                let former = match supplement.former {
                    Some(GroupAttestation::SymmetricKey(keys)) => Some(keys.clone()),
                    _ => supplement.keys,
                };
                let keys = keys(self.symmetric_key, former)?;
                Ok(GroupAttestation::SymmetricKey(keys))
            }
            _ => Err(ModelError::Kind(self.kind)),
        }
    }

    fn empty(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            x509: None,
            symmetric_key: None,
            tpm: None,
        }
    }

    fn x509(x509: X509Attestation) -> Self {
        Self {
            x509: Some(x509),
            ..Self::empty("x509")
        }
    }

    fn symmetric_key(keys: &SymmetricKeys, detail: Detail) -> Self {
        let written = |key: &SymmetricKey| Some(KeyText(key.expose_base64()));
        Self {
            symmetric_key: Some(match detail {
                Detail::Reply | Detail::Whole => SymmetricKeyAttestation {
                    primary_key: written(&keys.primary),
                    secondary_key: written(&keys.secondary),
                },
                Detail::ReplyWithoutKeys => SymmetricKeyAttestation::default(),
            }),
            ..Self::empty("symmetricKey")
        }
    }
}

fn listed<'a>(
    primary: &'a DeviceCertificate,
    secondary: &'a Option<DeviceCertificate>,
) -> Vec<&'a DeviceCertificate> {
    core::iter::once(primary).chain(secondary).collect()
}

/// The keys that were sent; for each that was not, the former one.
fn keys(
    sent: Option<SymmetricKeyAttestation>,
    former: Option<SymmetricKeys>,
) -> Result<SymmetricKeys, ModelError> {
    let sent = sent.unwrap_or_default();
    let read = |text: Option<KeyText>| {
        text.filter(|text| !text.0.is_empty())
            .map(|text| SymmetricKey::from_base64(&text.0))
            .transpose()
    };
    let (primary, secondary) = (read(sent.primary_key)?, read(sent.secondary_key)?);
    let (former_primary, former_secondary) = former.map_or((None, None), |keys| {
        (Some(keys.primary), Some(keys.secondary))
    });
    Ok(SymmetricKeys {
        primary: primary
            .or(former_primary)
            .ok_or(ModelError::Missing("primaryKey"))?,
        secondary: secondary
            .or(former_secondary)
            .ok_or(ModelError::Missing("secondaryKey"))?,
    })
}
