//! A device's MQTT session with a hub, and its records.

use az3166_event::{CloudEvent, VirtualTime};

use super::connection::Peer;
use super::services::Services;
use super::site::Site;
use crate::hub::{Happened, Shown};
use crate::mqtt::{Connect, ConnectReturnCode, Packet, Publish};

/// A client asks a hub for a session. Returns when its token expires, if it has one.
///
/// # Errors
/// It is refused, in words.
pub(super) fn connect(
    now: VirtualTime,
    connect: &Connect,
    peer: Peer<'_>,
    services: &mut Services,
) -> Result<Option<VirtualTime>, (ConnectReturnCode, String)> {
    let hub = match services.site_of(peer.host) {
        Some(Site::Hub | Site::Provisioning) => peer.host,
        None => named_hub(connect, services),
    };
    let token = connect.password.as_deref();
    let shown = Shown {
        certificate: peer.certificate,
        token: token.and_then(|token| core::str::from_utf8(token).ok()),
    };
    services
        .hubs
        .connect(now, peer.connection, hub, connect, shown)
        .map_err(|refusal| (refusal.return_code(), refusal.to_string()))
}

/// A device sent a message to its hub: packets for the device.
///
/// # Errors
/// The hub closes the connection, in words.
pub(super) fn publish(
    now: VirtualTime,
    device_id: &str,
    message: &Publish,
    peer: Peer<'_>,
    services: &mut Services,
) -> Result<Vec<Packet>, String> {
    let (happened, packets) = services
        .hubs
        .publish(now, peer.connection, message)
        .map_err(|violation| violation.to_string())?;
    if let Some(event) = event(device_id, happened) {
        services.journal.note(now, event);
    }
    Ok(packets)
}

fn event(device_id: &str, happened: Happened) -> Option<CloudEvent> {
    let device_id = device_id.to_owned();
    let twin = |operation: &str| CloudEvent::Twin {
        device_id: device_id.clone(),
        operation: operation.to_owned(),
    };
    match happened {
        Happened::Telemetry(telemetry) => Some(CloudEvent::Telemetry {
            device_id,
            body: String::from_utf8_lossy(&telemetry.body).into_owned(),
            properties: telemetry.properties,
        }),
        Happened::TwinGet => Some(twin("get")),
        Happened::TwinPatch => Some(twin("patch_reported")),
        Happened::MethodResponse { .. } | Happened::Nothing => None,
    }
}

/// Notes that a session ended.
pub(super) fn note_disconnect(
    now: VirtualTime,
    device_id: String,
    reason: &str,
    services: &mut Services,
) {
    services.journal.note(
        now,
        CloudEvent::MqttDisconnect {
            device_id,
            reason: reason.to_owned(),
        },
    );
}

/// The hub that the user name is for, where TLS did not tell.
fn named_hub<'a>(connect: &'a Connect, services: &Services) -> &'a str {
    let user_name = connect.user_name.as_deref().unwrap_or_default();
    let hub = user_name.split('/').next().unwrap_or_default();
    match services.site_of(hub) {
        Some(Site::Hub) => hub,
        _ => "",
    }
}
