//! What a message from a device means.

use az3166_event::VirtualTime;

use super::device::{Device, Telemetry};
use super::topic::{TWIN_RESPONSES, Topic};
use crate::mqtt::{Delivery, Packet, Publish, Retain};

/// The largest message (IoT Hub documentation, "Quotas and throttling").
const LARGEST: usize = 256 * 1024;

/// What a message did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// It was telemetry.
    Telemetry(Telemetry),
    /// The device read its twin.
    TwinGet,
    /// The device changed its twin's reported half.
    TwinPatch,
    /// Nothing that anyone waits for.
    Nothing,
}

/// Why a hub closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    /// There is no session.
    #[error("there is no session")]
    NoSession,
    /// The hub has no such topic.
    #[error("the hub has no such topic")]
    UnknownTopic,
    /// The topic is another device's.
    #[error("the topic is another device's")]
    OtherDevice,
    /// The hub has no QoS 2.
    #[error("the hub has no QoS 2")]
    ExactlyOnce,
    /// The message is larger than 256 KiB.
    #[error("the message is larger than 256 KiB")]
    TooLarge,
}

/// Does what a message says and returns packets for the device.
pub(super) fn handle(
    now: VirtualTime,
    device: &mut Device,
    filters: &[String],
    message: &Publish,
) -> Result<(Happened, Vec<Packet>), Violation> {
    let mut packets = match message.delivery {
        Delivery::AtMostOnce => Vec::new(),
        Delivery::AtLeastOnce { packet_id, .. } => vec![Packet::Puback { packet_id }],
        Delivery::ExactlyOnce { .. } => return Err(Violation::ExactlyOnce),
    };
    if message.payload.len() > LARGEST {
        return Err(Violation::TooLarge);
    }
    let topic = Topic::parse(&message.topic).ok_or(Violation::UnknownTopic)?;
    let (happened, answer) = match topic {
        Topic::Telemetry { device_id, .. } if device_id != device.device_id => {
            return Err(Violation::OtherDevice);
        }
        Topic::Telemetry { properties, .. } => {
            let telemetry = Telemetry {
                at: now,
                properties: properties.to_owned(),
                body: message.payload.clone(),
            };
            device.telemetry.push(telemetry.clone());
            (Happened::Telemetry(telemetry), None)
        }
        Topic::TwinGet { request_id } => {
            let topic = format!("$iothub/twin/res/200/?$rid={request_id}");
            let body = device.twin.to_json().to_string();
            (Happened::TwinGet, Some((topic, body)))
        }
        Topic::TwinPatch { request_id } => match device.twin.reported.patch(&message.payload) {
            Some(version) => {
                let topic = format!("$iothub/twin/res/204/?$rid={request_id}&$version={version}");
                (Happened::TwinPatch, Some((topic, String::new())))
            }
            None => {
                let topic = format!("$iothub/twin/res/400/?$rid={request_id}");
                (Happened::Nothing, Some((topic, String::new())))
            }
        },
        Topic::MethodResponse => (Happened::Nothing, None),
    };
    if let Some((topic, body)) = answer
        && filters.iter().any(|filter| filter == TWIN_RESPONSES)
    {
        packets.push(Packet::Publish(Publish {
            topic,
            payload: body.into_bytes(),
            delivery: Delivery::AtMostOnce,
            retain: Retain::No,
        }));
    }
    Ok((happened, packets))
}
