//! The JSON of the registry.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Failure;
use crate::clock::Timestamp;
use crate::hub::{Authentication, Device, DeviceChange, DeviceStatus, Sections, Thumbprint};
use crate::sas::{SymmetricKey, SymmetricKeys};

/// What .NET writes for a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A device's identity (`Device`).
pub(super) fn identity(device: &Device) -> Value {
    json!({
        "deviceId": device.device_id,
        "generationId": generation_id(device),
        "etag": device.etag(),
        "connectionState": connection_state(device),
        "status": device.status,
        "statusReason": null,
        "connectionStateUpdatedTime": NEVER,
        "statusUpdatedTime": NEVER,
        "lastActivityTime": time(device.last_activity),
        "cloudToDeviceMessageCount": device.waiting_messages(),
        "authentication": authentication(&device.authentication),
        "capabilities": {"iotEdge": false},
    })
}

/// A device's twin as the back end sees it (`Twin`).
pub(super) fn twin(device: &Device) -> Value {
    let twin = &device.twin;
    let authentication = authentication(&device.authentication);
    json!({
        "deviceId": device.device_id,
        "etag": twin.etag(),
        "deviceEtag": device.etag(),
        "status": device.status,
        "statusUpdateTime": NEVER,
        "connectionState": connection_state(device),
        "lastActivityTime": time(device.last_activity),
        "cloudToDeviceMessageCount": device.waiting_messages(),
        "authenticationType": authentication["type"],
        "x509Thumbprint": authentication["x509Thumbprint"],
        "modelId": "",
        "version": twin.version,
        "tags": twin.tags,
        "properties": {
            "desired": twin.desired.to_json_with_metadata(device.created),
            "reported": twin.reported.to_json_with_metadata(device.created),
        },
        "capabilities": {"iotEdge": false},
    })
}

/// The time of making, in .NET's ticks of 100 ns: the same device id gets another one when it is
/// made anew.
fn generation_id(device: &Device) -> String {
    const TICKS_TO_1970: u128 = 621_355_968_000_000_000;
    (TICKS_TO_1970 + device.created.since_1970().as_nanos() / 100).to_string()
}

fn connection_state(device: &Device) -> &'static str {
    match device.is_connected() {
        true => "Connected",
        false => "Disconnected",
    }
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NEVER.to_owned(), Timestamp::round_trip)
}

/// Whoever may ask for this has the policy's key, so the device's keys are shown.
fn authentication(authentication: &Authentication) -> Value {
    let (kind, keys, thumbprints) = match authentication {
        Authentication::SelfSigned { primary, secondary } => {
            let secondary = secondary.as_ref().map(Thumbprint::as_str);
            (
                "selfSigned",
                [None, None],
                [Some(primary.as_str()), secondary],
            )
        }
        Authentication::Sas(keys) => {
            let shown = [&keys.primary, &keys.secondary].map(SymmetricKey::expose_base64);
            ("sas", shown.map(|key| Some(key.to_string())), [None, None])
        }
    };
    let [primary_key, secondary_key] = keys;
    let [primary, secondary] = thumbprints;
    json!({
        "symmetricKey": {"primaryKey": primary_key, "secondaryKey": secondary_key},
        "x509Thumbprint": {"primaryThumbprint": primary, "secondaryThumbprint": secondary},
        "type": kind,
    })
}

/// A device's identity as the back end writes it; other members are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    device_id: Option<String>,
    #[serde(default)]
    status: Option<DeviceStatus>,
    authentication: Option<Written>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(rename = "type")]
    kind: Option<String>,
    symmetric_key: Option<WrittenKeys>,
    x509_thumbprint: Option<WrittenThumbprints>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenKeys {
    primary_key: Option<String>,
    secondary_key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenThumbprints {
    primary_thumbprint: Option<String>,
    secondary_thumbprint: Option<String>,
}

/// Reads a device's identity. Keys that are not given are made by `generate`.
pub(super) fn change(
    body: &[u8],
    id: &str,
    mut generate: impl FnMut() -> SymmetricKey,
) -> Result<DeviceChange, Failure> {
    // The parser's own words may quote a key.
    let identity: Identity = serde_json::from_slice(body)
        .map_err(|_| Failure::bad_request("The body is not a device."))?;
    if identity.device_id.is_some_and(|named| named != id) {
        return Err(Failure::bad_request(
            "deviceId differs between path and body.",
        ));
    }
    let written = identity.authentication.unwrap_or_default();
    let authentication = match written.kind.as_deref() {
        Some("selfSigned") => self_signed(written.x509_thumbprint.unwrap_or_default())?,
        None | Some("sas" | "") => {
            let keys = written.symmetric_key.unwrap_or_default();
            let mut read = |key: Option<String>| match key.filter(|key| !key.is_empty()) {
                Some(key) => SymmetricKey::from_base64(&key)
                    .map_err(|error| Failure::bad_request(error.to_string())),
                None => Ok(generate()),
            };
            Authentication::Sas(SymmetricKeys {
                primary: read(keys.primary_key)?,
                secondary: read(keys.secondary_key)?,
            })
        }
        Some(_) => {
            let message = "authentication.type is neither `sas` nor `selfSigned`.";
            return Err(Failure::bad_request(message));
        }
    };
    Ok(DeviceChange {
        authentication,
        status: identity.status.unwrap_or_default(),
    })
}

fn self_signed(written: WrittenThumbprints) -> Result<Authentication, Failure> {
    let read = |text: Option<String>| match text.filter(|text| !text.is_empty()) {
        Some(text) => Thumbprint::parse(&text)
            .map(Some)
            .ok_or_else(|| Failure::bad_request("A thumbprint has 40 or 64 hex digits.")),
        None => Ok(None),
    };
    let primary = read(written.primary_thumbprint)?;
    let secondary = read(written.secondary_thumbprint)?;
    let (primary, secondary) = match (primary, secondary) {
        (Some(primary), secondary) => (primary, secondary),
        (None, Some(only)) => (only, None),
        (None, None) => return Err(Failure::bad_request("There is no thumbprint.")),
    };
    Ok(Authentication::SelfSigned { primary, secondary })
}

/// A change of a twin.
#[derive(Deserialize)]
struct TwinChange {
    tags: Option<Map<String, Value>>,
    properties: Option<TwinProperties>,
}

#[derive(Deserialize)]
struct TwinProperties {
    desired: Option<Map<String, Value>>,
}

/// Reads a change of a twin.
pub(super) fn twin_change(body: &[u8]) -> Result<Sections, Failure> {
    let change: TwinChange = serde_json::from_slice(body)
        .map_err(|error| Failure::bad_request(format!("The body is not a twin: {error}.")))?;
    let desired = change.properties.and_then(|properties| properties.desired);
    Ok((change.tags, desired))
}
