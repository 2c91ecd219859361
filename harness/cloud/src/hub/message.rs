//! What a message from a device means.

use std::collections::BTreeMap;

use az3166_event::VirtualTime;

use super::device::{Device, Telemetry};
use super::topic::{Feed, Topic};
use super::twin::TwinError;
use crate::clock::Timestamp;
use crate::mqtt::{Delivery, Packet, Publish, QoS, Retain};
use crate::retention::Retention;

/// The largest message (IoT Hub documentation, "Quotas and throttling").
pub(super) const LARGEST: usize = 256 * 1024;

/// What a message did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// It was telemetry.
    Telemetry(Telemetry),
    /// The device read its twin.
    TwinGet,
    /// The device changed its twin's reported half.
    TwinPatch,
    /// The device answered a method's call.
    MethodResponse {
        call: u64,
        status: i32,
        payload: Vec<u8>,
    },
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
    (now, time): (VirtualTime, Timestamp),
    device: &mut Device,
    feeds: &BTreeMap<Feed, QoS>,
    message: &Publish,
    retention: &Retention,
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
            device.keep(telemetry.clone(), retention);
            (Happened::Telemetry(telemetry), None)
        }
        Topic::TwinGet { request_id } => {
            let topic = format!("$iothub/twin/res/200/?$rid={request_id}");
            let body = device.twin.to_json().to_string();
            (Happened::TwinGet, Some((topic, body)))
        }
        Topic::TwinPatch { request_id } => match device.twin.report(time, &message.payload) {
            Ok(version) => {
                let topic = format!("$iothub/twin/res/204/?$rid={request_id}&$version={version}");
                (Happened::TwinPatch, Some((topic, String::new())))
            }
            Err(error) => {
                let status = match error {
                    TwinError::TooLarge { .. } => 413,
                    _ => 400,
                };
                let topic = format!("$iothub/twin/res/{status}/?$rid={request_id}");
                (Happened::Nothing, Some((topic, String::new())))
            }
        },
        Topic::MethodResponse { status, request_id } => {
            let happened = match request_id.parse() {
                Ok(call) => Happened::MethodResponse {
                    call,
                    status,
                    payload: message.payload.clone(),
                },
                Err(_) => Happened::Nothing,
            };
            (happened, None)
        }
    };
    if let Some((topic, body)) = answer
        && feeds.contains_key(&Feed::TwinResponses)
    {
        packets.push(at_most_once(topic, body.into_bytes()));
    }
    Ok((happened, packets))
}

/// A message that the hub sends once.
pub(super) fn at_most_once(topic: String, payload: Vec<u8>) -> Packet {
    Packet::Publish(Publish {
        topic,
        payload,
        delivery: Delivery::AtMostOnce,
        retain: Retain::No,
    })
}
