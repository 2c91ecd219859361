//! Steps that judge the device's certificate and keys.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{IdentityInput, Interval, Label, Profile, Text};

/// Waits until the device presents a certificate in TLS, and judges it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "RawExpectCertificate")]
#[schemars(with = "RawExpectCertificate")]
pub struct ExpectCertificate {
    /// How it compares with what the oracle computes; not compared where none.
    pub oracle: Option<Against<IdentityInput>>,
    /// The profile that it must have.
    pub profile: Option<Profile>,
    /// The subject's common name.
    pub common_name: Option<Text>,
    /// The time limit.
    pub within: Interval,
}

/// Whether two things must be equal, and the one that the device's is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against<T> {
    /// Byte for byte equal.
    Equal(T),
    /// Not equal.
    Different(T),
}

/// Who says what a certificate should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The harness's own derivation from UDS and firmware image.
    Oracle,
}

/// Waits until the device presents a certificate in TLS, and judges it.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawExpectCertificate {
    /// What the certificate must equal, byte for byte.
    #[serde(default)]
    equals: Option<Authority>,
    /// What the certificate must differ from.
    #[serde(default)]
    differs_from: Option<Authority>,
    /// What the oracle computes with, where it is not the scenario's `identity`.
    #[serde(default)]
    identity: Option<IdentityInput>,
    /// The certificate's profile.
    #[serde(default)]
    profile: Option<Profile>,
    /// The subject's common name: the registration id.
    #[serde(default)]
    common_name: Option<Text>,
    /// The time limit; 60s where nothing else is said.
    #[serde(default)]
    within: Option<Interval>,
}

impl TryFrom<RawExpectCertificate> for ExpectCertificate {
    type Error = &'static str;

    fn try_from(raw: RawExpectCertificate) -> Result<Self, Self::Error> {
        let oracle = match (raw.equals, raw.differs_from, raw.identity) {
            (Some(Authority::Oracle), None, input) => {
                Some(Against::Equal(input.unwrap_or_default()))
            }
            (None, Some(Authority::Oracle), input) => {
                Some(Against::Different(input.unwrap_or_default()))
            }
            (None, None, None) => None,
            (None, None, Some(_)) => {
                return Err("`identity` is for the oracle; add `equals` or `differs_from`");
            }
            (Some(_), Some(_), _) => {
                return Err("`equals` and `differs_from` cannot stand in one step");
            }
        };
        if oracle.is_none() && raw.profile.is_none() && raw.common_name.is_none() {
            return Err(
                "`expect_certificate` needs `equals`, `differs_from`, `profile` or `common_name`",
            );
        }
        Ok(Self {
            oracle,
            profile: raw.profile,
            common_name: raw.common_name,
            within: raw.within.unwrap_or(Interval::from_secs(60)),
        })
    }
}

/// Compares the identity that the device presented last with one that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectIdentity {
    /// The label under which `save_identity` kept it.
    pub compared_to: Label,
    /// Whether the alias key is the same; not compared where nothing is said.
    #[serde(default)]
    pub alias_key: Option<Sameness>,
    /// Whether the DeviceID key is the same.
    #[serde(default)]
    pub device_key: Option<Sameness>,
    /// Whether the whole certificate is the same.
    #[serde(default)]
    pub certificate: Option<Sameness>,
    /// The time limit within which the device must present a certificate; 60s where nothing else is said.
    #[serde(default = "sixty_seconds")]
    pub within: Interval,
}

const fn sixty_seconds() -> Interval {
    Interval::from_secs(60)
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// They are equal.
    Same,
    /// They differ.
    Changed,
}
