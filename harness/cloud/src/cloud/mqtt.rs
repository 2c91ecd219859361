//! One device's MQTT session, with a hub or with the provisioning service.

use std::time::Duration;

use az3166_event::{CloudEvent, VirtualTime};

use super::connection::{Ending, Peer, Reaction};
use super::hub_session;
use super::registration_session::RegistrationSession;
use super::services::Services;
use super::site::Site;
use crate::fault::{self, Effect, Exchange};
use crate::mqtt::{Connect, ConnectReturnCode, DecodeError, Packet, PacketReader, Publish};
use crate::provisioning_mqtt;

/// How long a client may take for its CONNECT.
const CONNECT_TIME: Duration = Duration::from_secs(60);

/// The longest silence, whatever the client's keep-alive (IoT Hub documentation, "Communicate with
/// an IoT hub using the MQTT protocol": 29.45 minutes).
const LONGEST_SILENCE: Duration = Duration::from_secs(1767);

/// One device's MQTT session.
#[derive(Default)]
pub(super) struct MqttService {
    reader: PacketReader,
    deadline: Option<VirtualTime>,
    session: Option<Session>,
}

struct Session {
    client_id: String,
    /// One and a half times what the client promised (section 3.1.2.10).
    silence: Duration,
    /// When the token that it is made with expires.
    expires: Option<VirtualTime>,
    with: With,
}

/// Whom a session is with.
enum With {
    Hub,
    Provisioning(Box<RegistrationSession>),
}

impl MqttService {
    pub(super) fn begin(&mut self, now: VirtualTime) {
        self.deadline = Some(now + CONNECT_TIME);
    }

    pub(super) fn deadline(&self) -> Option<VirtualTime> {
        let expires = self.session.as_ref().and_then(|session| session.expires);
        [self.deadline, expires].into_iter().flatten().min()
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

    /// The client was silent for too long, or its token has expired.
    pub(super) fn expire(
        &mut self,
        now: VirtualTime,
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        let silent = self.deadline.is_some_and(|deadline| deadline <= now);
        let reason = match (silent, &self.session) {
            (true, Some(_)) => "keep alive time is over",
            (true, None) => "no CONNECT came in time",
            (false, _) => "the token has expired",
        };
        let mut reaction = Reaction::default();
        self.violate(now, reason, peer, services, &mut reaction);
        reaction
    }

    /// Whether a hub may send packets.
    pub(super) fn is_with_hub(&self) -> bool {
        let with = self.session.as_ref().map(|session| &session.with);
        matches!(with, Some(With::Hub))
    }

    /// The connection is gone.
    pub(super) fn closed(&mut self, now: VirtualTime, peer: Peer<'_>, services: &mut Services) {
        self.end(now, "connection lost", peer, services);
    }

    /// The hub closes the session from its side.
    pub(super) fn evicted(&mut self, now: VirtualTime, reason: &str, services: &mut Services) {
        self.deadline = None;
        if let Some(session) = self.session.take() {
            hub_session::note_disconnect(now, session.client_id, reason, services);
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
        if let Some(session) = &self.session {
            self.deadline = Some(now + session.silence);
        }
        let device_id = self
            .session
            .as_ref()
            .map(|session| session.client_id.as_str());
        let exchange = Exchange::request(peer.host, packet.name(), subject(packet)).by(device_id);
        let effect = services.strike(now, exchange);
        match (fault::silence(effect.as_ref()), &effect, packet) {
            (Some(silence), _, _) => reaction.ending = silence.into(),
            (None, Some(Effect::Connack(code)), Packet::Connect(connect)) => {
                if let Some(code) = ConnectReturnCode::from_code(*code) {
                    let refusal = (code, "injected fault".to_owned());
                    note_connect(now, connect, peer, services, Some(&refusal));
                    refuse(code, reaction);
                }
            }
            _ => self.undisturbed(now, packet, effect.as_ref(), peer, services, reaction),
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
        effect: Option<&Effect>,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        let mut send = |packet: Packet| reaction.send.extend(packet.encode());
        match (packet, &mut self.session) {
            (Packet::Connect(connect), None) => {
                self.connect(now, connect, peer, services, reaction);
            }
            (Packet::Publish(message), Some(_)) => {
                self.publish(now, message, effect, peer, services, reaction);
            }
            (
                Packet::Subscribe {
                    packet_id,
                    subscriptions,
                },
                Some(session),
            ) => send(Packet::Suback {
                packet_id: *packet_id,
                granted: match &mut session.with {
                    With::Hub => services.hubs.subscribe(now, peer.connection, subscriptions),
                    With::Provisioning(session) => session.subscribe(subscriptions),
                },
            }),
            (Packet::Unsubscribe { packet_id, filters }, Some(session)) => {
                match &mut session.with {
                    With::Hub => services.hubs.unsubscribe(peer.connection, filters),
                    With::Provisioning(session) => session.unsubscribe(filters),
                }
                send(Packet::Unsuback {
                    packet_id: *packet_id,
                });
            }
            (Packet::Pingreq, Some(_)) => send(Packet::Pingresp),
            (Packet::Puback { packet_id }, Some(_)) => {
                services.hubs.acknowledge(now, peer.connection, *packet_id);
            }
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
        let (result, expires) = match site(connect, peer, services) {
            Site::Provisioning => {
                let session = RegistrationSession::connect(now, connect, peer, services);
                let with = session.map(|session| With::Provisioning(Box::new(session)));
                (
                    with.map_err(|reason| (ConnectReturnCode::NotAuthorized, reason)),
                    None,
                )
            }
            Site::Hub => match hub_session::connect(now, connect, peer, services) {
                Ok(expires) => (Ok(With::Hub), expires),
                Err(refusal) => (Err(refusal), None),
            },
        };
        note_connect(now, connect, peer, services, result.as_ref().err());
        match result {
            Ok(with) => {
                let promised = Duration::from_millis(u64::from(connect.keep_alive) * 1500);
                let silence = match connect.keep_alive {
                    0 => LONGEST_SILENCE,
                    _ => promised.min(LONGEST_SILENCE),
                };
                self.deadline = Some(now + silence);
                self.session = Some(Session {
                    client_id: connect.client_id.clone(),
                    silence,
                    expires,
                    with,
                });
                let accepted = Packet::Connack(ConnectReturnCode::Accepted);
                reaction.send.extend(accepted.encode());
            }
            Err((code, _)) => refuse(code, reaction),
        }
    }

    fn publish(
        &mut self,
        now: VirtualTime,
        message: &Publish,
        effect: Option<&Effect>,
        peer: Peer<'_>,
        services: &mut Services,
        reaction: &mut Reaction,
    ) {
        let Some(session) = &self.session else {
            return;
        };
        let result = match &session.with {
            With::Hub => hub_session::publish(now, &session.client_id, message, peer, services),
            With::Provisioning(session) => session.publish(now, message, effect, peer, services),
        };
        match result {
            Ok(packets) => {
                for packet in packets {
                    reaction.send.extend(packet.encode());
                }
            }
            Err(reason) => self.violate(now, &reason, peer, services, reaction),
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
            hub_session::note_disconnect(now, String::new(), reason, services);
        }
        self.end(now, reason, peer, services);
        reaction.ending = Ending::Close;
    }

    fn end(&mut self, now: VirtualTime, reason: &str, peer: Peer<'_>, services: &mut Services) {
        self.deadline = None;
        let Some(session) = self.session.take() else {
            return;
        };
        match session.with {
            With::Hub => {
                services.hubs.disconnect(peer.connection);
                hub_session::note_disconnect(now, session.client_id, reason, services);
            }
            With::Provisioning(_) => services.journal.note(
                now,
                CloudEvent::RegistrationDisconnect {
                    connection: peer.connection,
                    client_id: session.client_id,
                    reason: reason.to_owned(),
                },
            ),
        }
    }
}

/// Which service a CONNECT is for: what TLS agreed on, else what the user name looks like.
fn site(connect: &Connect, peer: Peer<'_>, services: &Services) -> Site {
    match services.site_of(peer.host) {
        Some(site) => site,
        None if provisioning_mqtt::is_registration(connect) => Site::Provisioning,
        None => Site::Hub,
    }
}

/// Notes a CONNECT and why it was refused.
fn note_connect(
    now: VirtualTime,
    connect: &Connect,
    peer: Peer<'_>,
    services: &mut Services,
    refusal: Option<&(ConnectReturnCode, String)>,
) {
    let connection = peer.connection;
    let client_id = connect.client_id.clone();
    let user_name = connect.user_name.clone();
    let accepted = ConnectReturnCode::Accepted;
    let return_code = refusal.map_or(accepted, |(code, _)| *code).code();
    let error = refusal.map(|(_, reason)| reason.clone());
    let event = match site(connect, peer, services) {
        Site::Provisioning => CloudEvent::RegistrationConnect {
            connection,
            client_id,
            user_name,
            return_code,
            error,
        },
        Site::Hub => CloudEvent::MqttConnect {
            connection,
            client_id,
            user_name,
            return_code,
            error,
        },
    };
    services.journal.note(now, event);
}

/// A refused CONNECT ends the connection.
fn refuse(code: ConnectReturnCode, reaction: &mut Reaction) {
    reaction.send.extend(Packet::Connack(code).encode());
    if code != ConnectReturnCode::Accepted {
        reaction.ending = Ending::Close;
    }
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
