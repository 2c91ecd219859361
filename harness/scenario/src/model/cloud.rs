//! What a scenario says about the local services.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Authority, IdentityInput, RegistrationId, Text};

/// The local provisioning service and hub before the first step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloudSetup {
    /// The individual enrolments.
    pub enrolments: Vec<Enrolment>,
    /// The ID scope that the service answers for.
    pub id_scope: Text,
    /// The service's and the hub's certificate chain.
    pub server_chain: ServerChain,
    /// Whether the service has a hub to assign devices to.
    pub hub: HubPresence,
    /// How the service refuses a certificate that is not enrolled under its registration id.
    pub refusal: Refusal,
}

impl Default for CloudSetup {
    fn default() -> Self {
        Self {
            enrolments: Vec::new(),
            id_scope: "0ne00000000".into(),
            server_chain: ServerChain::default(),
            hub: HubPresence::default(),
            refusal: Refusal::default(),
        }
    }
}

/// An individual X.509 enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Whose certificate is enrolled.
    #[serde(default = "oracle")]
    pub certificate: Authority,
    /// What the oracle computes with, where it is not the scenario's `identity`.
    #[serde(default)]
    pub identity: IdentityInput,
    /// The registration id, where it is not the identity's.
    #[serde(default)]
    pub registration_id: Option<RegistrationId>,
    /// The device id; the registration id where none is given.
    #[serde(default)]
    pub device_id: Option<Text>,
    /// Whether the enrolment may be used.
    #[serde(default)]
    pub status: EnrolmentStatus,
}

const fn oracle() -> Authority {
    Authority::Oracle
}

/// Whether an enrolment may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentStatus {
    /// It may.
    #[default]
    Enabled,
    /// It may not: registrations end with status `disabled`.
    Disabled,
}

/// The certificate chain that the services present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerChain {
    /// ECDSA P-256 leaf, intermediate and root.
    #[default]
    Ecdsa,
    /// RSA-4096 with SHA-384, signed by PKCS#1 v1.5.
    Rsa4096Sha384,
    /// RSA, signed by RSASSA-PSS.
    RsaPss,
    /// The leaf's validity is over.
    Expired,
    /// The leaf's validity has not begun.
    NotYetValid,
    /// The leaf names another host.
    WrongName,
    /// The chain ends in a root that the device does not know.
    UnknownCa,
    /// The chain ends in a root with the known one's name but another key.
    ImpostorCa,
    /// The leaf is sent without its intermediate.
    MissingIntermediate,
}

impl ServerChain {
    /// Every chain.
    pub const ALL: [Self; 9] = [
        Self::Ecdsa,
        Self::Rsa4096Sha384,
        Self::RsaPss,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongName,
        Self::UnknownCa,
        Self::ImpostorCa,
        Self::MissingIntermediate,
    ];
}

/// Whether the service has a hub to assign devices to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HubPresence {
    /// It has.
    #[default]
    Linked,
    /// It has none: registrations fail with 400208.
    Missing,
}

/// How the service refuses a certificate that is not enrolled. Both forms were seen in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// At once: HTTP 401 with error code 401002.
    #[default]
    Immediate,
    /// As the result of a registration: status `failed` with error code 401002.
    Failed,
}
