//! A scenario file as it is written.

use std::collections::{BTreeMap, BTreeSet};

use az3166_target::Capability;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{Boot, CloudSetup, FirmwareVariant, IdentityInput};
use crate::vars::{Matrix, Variable};
use crate::{Interval, Verb};

/// A scenario for the MXChip AZ3166 DevKit: what is done to the board and the services around it,
/// and what must come of it. `${name}` puts a variable anywhere below `vars` and `matrix`.
#[derive(Deserialize, JsonSchema)]
#[schemars(title = "AZ3166 scenario")]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The scenario's name; no other file of the directory has it.
    pub name: Name,
    /// What the scenario is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Words to choose scenarios by: `nightly`, `emulator-only` ...
    #[serde(default)]
    pub tags: Tags,
    /// What a target must be able to do. What the steps need by themselves is added.
    #[serde(default)]
    pub needs: BTreeSet<Capability>,
    /// Variables. `--set name=value` replaces one.
    #[serde(default, deserialize_with = "read_before")]
    #[allow(
        dead_code,
        reason = "read from the tree before the rest; here for the schema"
    )]
    pub vars: BTreeMap<String, Variable>,
    /// Rows of variables; the scenario is run once for each.
    #[serde(default, deserialize_with = "read_before")]
    #[allow(
        dead_code,
        reason = "read from the tree before the rest; here for the schema"
    )]
    pub matrix: Option<Matrix>,
    /// The build of the firmware.
    #[serde(default)]
    pub firmware: FirmwareVariant,
    /// Who starts the firmware.
    #[serde(default)]
    pub boot: Boot,
    /// The seed of everything random. By default that of the run.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The time limit of the whole scenario: 10m where nothing else is said.
    #[serde(default = "ten_minutes")]
    pub deadline: Interval,
    /// What the oracle computes the device's identity from.
    #[serde(default)]
    pub identity: IdentityInput,
    /// The local provisioning service and hub.
    #[serde(default)]
    pub cloud: CloudSetup,
    /// What is done and judged, in order. The board has no power before the first `reset` or `power`.
    #[schemars(length(min = 1))]
    pub steps: Vec<Verb>,
}

fn read_before<'de, D: Deserializer<'de>, T: Default>(deserializer: D) -> Result<T, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| T::default())
}

const fn ten_minutes() -> Interval {
    Interval::from_secs(600)
}

/// A scenario's name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = 120))]
pub struct Name(pub String);

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.contains("${") {
            return Err("a name cannot hold variables; rows of a `matrix` have names of their own");
        }
        match name.trim().is_empty() || name.len() > 120 || name.chars().any(char::is_control) {
            true => Err("a name has 1 to 120 printable characters"),
            false => Ok(Self(name)),
        }
    }
}

/// Words to choose scenarios by.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// The words.
    pub fn into_set(self) -> BTreeSet<String> {
        self.0.into_iter().map(|tag| tag.0).collect()
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
#[schemars(inline, extend("pattern" = "^[a-z0-9-]+$"))]
struct Tag(String);

impl TryFrom<String> for Tag {
    type Error = String;

    fn try_from(tag: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match !tag.is_empty() && tag.len() <= 40 && tag.chars().all(fits) {
            true => Ok(Self(tag)),
            false => Err(format!(
                "a tag has 1 to 40 lower-case letters, digits and `-`, not `{tag}`"
            )),
        }
    }
}
