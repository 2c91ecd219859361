//! What a scenario says about the board before its first step.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{RegistrationId, SecretUds, Text};

/// A build of the harness's own firmware. `hil run --firmware` replaces it by the user's.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FirmwareVariant {
    /// Certificate profile `strict`.
    #[default]
    Strict,
    /// Certificate profile `devkit`: bit-compatible with the DevKit SDK's certificate tool.
    DevkitProfile,
    /// The same sources with another version number.
    VersionAlt,
    /// A mutant that prints its UDS on the console.
    LeakUds,
}

impl FirmwareVariant {
    /// Every variant.
    pub const ALL: [Self; 4] = [
        Self::Strict,
        Self::DevkitProfile,
        Self::VersionAlt,
        Self::LeakUds,
    ];

    /// Its name in the file, which is also the firmware's cargo feature.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::DevkitProfile => "devkit-profile",
            Self::VersionAlt => "version-alt",
            Self::LeakUds => "leak-uds",
        }
    }
}

/// Who starts the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// The harness's boot stub at 0x08000000, from reset.
    #[default]
    Stub,
    /// The vendor's bootloader, by the state that it leaves: PLL on, SysTick running, VTOR in RAM.
    BootloaderLeftovers,
}

/// What the harness does with the trust anchor record in RAM when the board leaves reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrustAnchor {
    /// Writes the test root that the local services' chain ends in.
    #[default]
    Present,
    /// Wipes it.
    Absent,
    /// Writes the test root with a wrong CRC-32.
    BadCrc,
    /// Writes a root that the local services' chain does not end in.
    Unrelated,
    /// Leaves RAM as it is.
    Untouched,
}

/// A certificate profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// RFC 6979 nonce and a well-formed otherName.
    Strict,
    /// The DevKit SDK's form: constant nonce, otherName without its explicit tag.
    Devkit,
}

/// What the oracle computes an identity from. A member that is left out is taken from the
/// scenario's `identity`, and there from the default that it names.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityInput {
    /// The UDS: 64 hex digits. By default the variable `uds`, where the file has one.
    #[serde(default)]
    pub uds: Option<SecretUds>,
    /// The registration id; `default` is made from MAC and firmware version.
    #[serde(default)]
    pub registration_id: Option<RegistrationId>,
    /// The MAC for the default registration id: 12 hex digits. By default the device's own.
    #[serde(default)]
    pub mac: Option<Text>,
    /// The version for the default registration id. By default the firmware's own.
    #[serde(default)]
    pub firmware_version: Option<Text>,
    /// The certificate profile. By default the firmware variant's own.
    #[serde(default)]
    pub profile: Option<Profile>,
}

impl IdentityInput {
    /// This input with the members it leaves out taken from `defaults`.
    pub fn or(&self, defaults: &Self) -> Self {
        fn either<T: Clone>(first: &Option<T>, second: &Option<T>) -> Option<T> {
            first.clone().or_else(|| second.clone())
        }
        Self {
            uds: either(&self.uds, &defaults.uds),
            registration_id: either(&self.registration_id, &defaults.registration_id),
            mac: either(&self.mac, &defaults.mac),
            firmware_version: either(&self.firmware_version, &defaults.firmware_version),
            profile: either(&self.profile, &defaults.profile),
        }
    }
}
