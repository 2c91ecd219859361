//! What becomes of devices that may register: the part that individual enrolments and groups have
//! in common.

use serde::{Deserialize, Serialize};

/// What becomes of devices that register.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Whether they may.
    pub provisioning_status: ProvisioningStatus,
    /// What happens to one that registers again.
    pub reprovision_policy: ReprovisionPolicy,
    /// How a hub is chosen among several.
    pub allocation: AllocationPolicy,
    /// The hubs to choose from; all hubs of the service if there are none here.
    pub hubs: Vec<String>,
    /// The only hub for these devices (`iotHubHostName`); it precedes the choice.
    pub hub: Option<String>,
    /// The twin that a new device begins with (`initialTwin`), as the service API has it.
    pub initial_twin: Option<serde_json::Value>,
    /// What kind of device the hub shall know.
    pub kind: DeviceKind,
}

/// Whether a device may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProvisioningStatus {
    /// It may.
    #[default]
    Enabled,
    /// It is told that it is disabled.
    Disabled,
}

/// What happens to a device that registers again (DPS documentation, "Reprovisioning").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReprovisionPolicy {
    /// It may get another hub; its twin moves with it.
    #[default]
    MigrateData,
    /// It may get another hub; its twin begins anew.
    ResetData,
    /// It keeps its hub.
    Never,
}

/// How a hub is chosen among several (DPS documentation, "Allocation policies").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AllocationPolicy {
    /// Evenly weighted, by the registration id.
    #[default]
    Hashed,
    /// The hub of lowest latency. Here all hubs are equally near, so this is as `hashed`: a
    /// deviation.
    GeoLatency,
    /// The first hub that the enrolment names.
    Static,
    /// A function of the owner chooses. Nothing here can call it: the operation fails with
    /// 400207, a deviation.
    Custom,
}

/// What kind of device a hub knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceKind {
    /// An ordinary one.
    #[default]
    Leaf,
    /// An IoT Edge device (`capabilities.iotEdge`).
    Edge,
}
