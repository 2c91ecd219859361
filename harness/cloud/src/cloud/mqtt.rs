//! One device's MQTT session with its hub.

use std::time::Duration;

use az3166_event::{CloudEvent, VirtualTime};

use super::connection::{Ending, Peer, Reaction};
use super::services::Services;
use super::site::Site;
use crate::fault::{Effect, Exchange};
use crate::hub::Happened;
use crate::mqtt::{Connect, ConnectReturnCode, DecodeError, Packet, PacketReader, Publish};

/// How long a client may take for its CONNECT.
const CONNECT_TIME: Duration = Duration::from_secs(60);

/// One device's MQTT session.
#[derive(Default)]
pub(super) struct MqttService {
    reader: PacketReader,
    deadline: Option<VirtualTime>,
    session: Option<Session>,
}

struct Session {
    device_id: String,
    /// One and a half times what the client promised (section 3.1.2.10); none for 0.
    silence: Option<Duration>,
}

impl MqttService {
    pub(super) fn begin(&mut self, now: VirtualTime) {
        self.deadline = Some(now + CONNECT_TIME);
    }

    pub(super) fn deadline(&self) -> Option<VirtualTime> {
        self.deadline
    }

    pub(super) fn receive(
        &mut self,
        now: VirtualTime,
        bytes: &[u8],
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        self.reader.push(bytes);
        let mut reaction = Reaction::default();
        while reaction.ending == Ending::None {
            match self.reader.next() {
                Ok(None) => break,
                Ok(Some(packet)) => self.packet(now, &packet, peer, services, &mut reaction),
                Err(error) => self.malformed(now, error, peer, services, &mut reaction),
            }
        }
        reaction
    }

    /// The client was silent for too long.
    pub(super) fn expire(
        &mut self,
        now: VirtualTime,
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        self.end(now, "keep alive time is over", peer, services);
        Reaction {
            send: Vec::new(),
            ending: Ending::Close,
        }
    }

    /// The connection is gone.
    pub(super) fn closed(&mut self, now: VirtualTime, peer: Peer<'_>, services: &mut Services) {
        self.end(now, "connection lost", peer, services);
    }

    /// Another connection of the same device took the session over.
    pub(super) fn replaced(&mut self, now: VirtualTime, services: &mut Services) {
        self.deadline = None;
        if let Some(session) = self.session.take() {
            note_disconnect(now, session.device_id, "replaced", services);
        }
    }

    fn packet(
        &mut self,
        now: VirtualTime,
        packet: &Packet,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        if let Some(silence) = self.session.as_ref().map(|session| session.silence) {
            self.deadline = silence.map(|silence| now + silence);
        }
        let device_id = self
            .session
            .as_ref()
            .map(|session| session.device_id.as_str());
        let exchange = Exchange::request(peer.host, packet.name(), subject(packet)).by(device_id);
        let effect = services.strike(now, exchange);
        match effect {
            Some(Effect::Stall) => reaction.ending = Ending::Stall,
            Some(Effect::Close) => reaction.ending = Ending::Close,
            Some(Effect::Reset) => reaction.ending = Ending::Reset,
            Some(Effect::Connack(code)) => {
                if let (Packet::Connect(connect), Some(code)) =
                    (packet, ConnectReturnCode::from_code(code))
                {
                    let error = Some("injected fault".to_owned());
                    connack(now, connect, code, error, peer, services, reaction);
                }
            }
            _ => self.undisturbed(now, packet, peer, services, reaction),
        }
        if effect == Some(Effect::CloseAfter) && reaction.ending == Ending::None {
            reaction.ending = Ending::Close;
        }
        if effect.is_some() && reaction.ending != Ending::None {
            self.end(now, "fault", peer, services);
        }
    }

    fn undisturbed(
        &mut self,
        now: VirtualTime,
        packet: &Packet,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        let mut send = |packet: Packet| reaction.send.extend(packet.encode());
        match (packet, &self.session) {
            (Packet::Connect(connect), None) => {
                self.connect(now, connect, peer, services, reaction);
            }
            (Packet::Publish(message), Some(_)) => {
                self.publish(now, message, peer, services, reaction);
            }
            (
                Packet::Subscribe {
                    packet_id,
                    subscriptions,
                },
                Some(_),
            ) => send(Packet::Suback {
                packet_id: *packet_id,
                granted: services.hubs.subscribe(peer.connection, subscriptions),
            }),
            (Packet::Unsubscribe { packet_id, filters }, Some(_)) => {
                services.hubs.unsubscribe(peer.connection, filters);
                send(Packet::Unsuback {
                    packet_id: *packet_id,
                });
            }
            (Packet::Pingreq, Some(_)) => send(Packet::Pingresp),
            (Packet::Puback { .. }, Some(_)) => {}
            (Packet::Disconnect, Some(_)) => {
                self.end(now, "client", peer, services);
                reaction.ending = Ending::Close;
            }
            // A second CONNECT, anything before the first one, or a server's packet (section 4.8).
            _ => {
                let reason = format!("protocol error: unexpected {}", packet.name());
                self.violate(now, &reason, peer, services, reaction);
            }
        }
    }

    fn connect(
        &mut self,
        now: VirtualTime,
        connect: &Connect,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        let hub = match services.site_of(peer.host) {
            Some(Site::Hub | Site::Provisioning) => peer.host,
            None => named_hub(connect, services),
        };
        let result = services
            .hubs
            .connect(now, peer.connection, hub, connect, peer.certificate);
        let connected = match result {
            Ok(connected) => connected,
            Err(refusal) => {
                let code = refusal.return_code();
                let error = Some(refusal.to_string());
                connack(now, connect, code, error, peer, services, reaction);
                return;
            }
        };
        services.replace(connected.replaced);
        let accepted = ConnectReturnCode::Accepted;
        connack(now, connect, accepted, None, peer, services, reaction);
        let silence = match connect.keep_alive {
            0 => None,
            seconds => Some(Duration::from_millis(u64::from(seconds) * 1500)),
        };
        self.deadline = silence.map(|silence| now + silence);
        self.session = Some(Session {
            device_id: connect.client_id.clone(),
            silence,
        });
    }

    fn publish(
        &mut self,
        now: VirtualTime,
        message: &Publish,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        let device_id = match &self.session {
            Some(session) => session.device_id.clone(),
            None => return,
        };
        let (happened, packets) = match services.hubs.publish(now, peer.connection, message) {
            Ok(result) => result,
            Err(violation) => {
                return self.violate(now, &violation.to_string(), peer, services, reaction);
            }
        };
        let twin = |operation: &str| CloudEvent::Twin {
            device_id: device_id.clone(),
            operation: operation.to_owned(),
        };
        let event = match happened {
            Happened::Telemetry(telemetry) => Some(CloudEvent::Telemetry {
                device_id: device_id.clone(),
                body: String::from_utf8_lossy(&telemetry.body).into_owned(),
                properties: telemetry.properties,
            }),
            Happened::TwinGet => Some(twin("get")),
            Happened::TwinPatch => Some(twin("patch_reported")),
            Happened::Nothing => None,
        };
        if let Some(event) = event {
            services.journal.note(now, event);
        }
        for packet in packets {
            reaction.send.extend(packet.encode());
        }
    }

    fn malformed(
        &mut self,
        now: VirtualTime,
        error: DecodeError,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        if error == DecodeError::Protocol && self.session.is_none() {
            let code = ConnectReturnCode::UnacceptableProtocolVersion;
            reaction.send.extend(Packet::Connack(code).encode());
        }
        let reason = format!("protocol error: {error}");
        self.violate(now, &reason, peer, services, reaction);
    }

    /// Closes the connection because of what the client did.
    pub(super) fn violate(
        &mut self,
        now: VirtualTime,
        reason: &str,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        if self.session.is_none() {
            note_disconnect(now, String::new(), reason, services);
        }
        self.end(now, reason, peer, services);
        reaction.ending = Ending::Close;
    }

    fn end(&mut self, now: VirtualTime, reason: &str, peer: Peer<'_>, services: &mut Services) {
        self.deadline = None;
        if let Some(session) = self.session.take() {
            services.hubs.disconnect(peer.connection);
            note_disconnect(now, session.device_id, reason, services);
        }
    }
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

/// Answers a CONNECT; a refusal closes the connection.
fn connack(
    now: VirtualTime,
    connect: &Connect,
    return_code: ConnectReturnCode,
    error: Option<String>,
    peer: Peer<'_>,
    services: &mut Services,
    reaction: &mut Reaction,
) {
    services.journal.note(
        now,
        CloudEvent::MqttConnect {
            connection: peer.connection,
            client_id: connect.client_id.clone(),
            user_name: connect.user_name.clone(),
            return_code: return_code.code(),
            error,
        },
    );
    reaction.send.extend(Packet::Connack(return_code).encode());
    if return_code != ConnectReturnCode::Accepted {
        reaction.ending = Ending::Close;
    }
}

fn note_disconnect(now: VirtualTime, device_id: String, reason: &str, services: &mut Services) {
    services.journal.note(
        now,
        CloudEvent::MqttDisconnect {
            device_id,
            reason: reason.to_owned(),
        },
    );
}

/// What a packet is about, for fault rules.
fn subject(packet: &Packet) -> &str {
    match packet {
        Packet::Connect(connect) => &connect.client_id,
        Packet::Publish(message) => &message.topic,
        Packet::Subscribe { subscriptions, .. } => subscriptions
            .first()
            .map_or("", |subscription| &subscription.filter),
        Packet::Unsubscribe { filters, .. } => filters.first().map_or("", String::as_str),
        _ => "",
    }
}
