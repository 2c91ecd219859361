//! What devices do: over MQTT in a session, over HTTP message by message.

use std::collections::BTreeMap;

use az3166_event::VirtualTime;

use super::authentication::Resource;
use super::cloud_to_device::Sent;
use super::connect;
use super::device::DeviceStatus;
use super::message::{self, LARGEST, at_most_once};
use super::topic::Feed;
use super::{
    ConnectRefusal, ConnectionState, DeviceKey, Happened, Hubs, Outgoing, Shown, Telemetry,
    Verdict, Violation,
};
use crate::mqtt::{Connect, Delivery, Duplicate, Packet, Publish, QoS, Retain, Subscription};
use crate::percent;

/// A device's MQTT session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) device: DeviceKey,
    pub(super) feeds: BTreeMap<Feed, QoS>,
    last_packet: u16,
}

impl Session {
    /// A packet identifier: never 0 (MQTT 3.1.1 section 2.3.1).
    fn next_packet(&mut self) -> u16 {
        self.last_packet = self.last_packet.checked_add(1).unwrap_or(1);
        self.last_packet
    }
}

impl Hubs {
    /// A client of `hub` asks for a session on `connection`. Returns when its token expires, if it
    /// came with one. A device has one session at most: the former one ends (error 400027).
    ///
    /// # Errors
    /// It is refused.
    pub(crate) fn connect(
        &mut self,
        now: VirtualTime,
        connection: u32,
        hub: &str,
        packet: &Connect,
        shown: Shown<'_>,
    ) -> Result<Option<VirtualTime>, ConnectRefusal> {
        let key = DeviceKey::new(hub, connect::device_id(hub, packet)?);
        let expires = self.authenticate(now, &key, shown)?;
        let device = self
            .devices
            .get_mut(&key)
            .ok_or(ConnectRefusal::UnknownDevice)?;
        let replaced = device.connection();
        device.connection_state = ConnectionState::Connected {
            connection,
            since: now,
        };
        device.last_activity = Some(self.settings.epoch.timestamp(now));
        if let Some(old) = replaced {
            device.queue.release_packets();
            self.sessions.remove(&old);
            self.outgoing.push(Outgoing::Evict {
                connection: old,
                reason: "replaced",
            });
        }
        let session = Session {
            device: key,
            feeds: BTreeMap::new(),
            last_packet: 0,
        };
        self.sessions.insert(connection, session);
        Ok(expires)
    }

    /// Whether what is shown is the device's. Returns when its token expires.
    pub(crate) fn authenticate(
        &self,
        now: VirtualTime,
        key: &DeviceKey,
        shown: Shown<'_>,
    ) -> Result<Option<VirtualTime>, ConnectRefusal> {
        let device = self.devices.get(key).ok_or(ConnectRefusal::UnknownDevice)?;
        if device.status == DeviceStatus::Disabled {
            return Err(ConnectRefusal::Disabled);
        }
        let since_1970 = self.settings.epoch.since_1970(now);
        let resource = Resource {
            hub: &key.hub,
            device_id: &key.device_id,
            policy: self.settings.policy.as_ref(),
            since_1970,
        };
        let expires = device.authentication.check(shown, &resource)?;
        Ok(expires.map(|expires| now + expires.saturating_sub(since_1970)))
    }

    /// The session on `connection` ended, if there was one.
    pub(crate) fn disconnect(&mut self, connection: u32) {
        if let Some(session) = self.sessions.remove(&connection)
            && let Some(device) = self.devices.get_mut(&session.device)
        {
            device.connection_state = ConnectionState::Disconnected;
            device.queue.release_packets();
        }
    }

    /// A device wants messages. QoS 2 is granted as QoS 1.
    pub(crate) fn subscribe(
        &mut self,
        now: VirtualTime,
        connection: u32,
        wanted: &[Subscription],
    ) -> Vec<Option<QoS>> {
        let Some(session) = self.sessions.get_mut(&connection) else {
            return vec![None; wanted.len()];
        };
        let grant = |subscription: &Subscription| {
            let feed = Feed::of(&session.device.device_id, &subscription.filter)?;
            let granted = subscription.qos.min(QoS::AtLeastOnce);
            session.feeds.insert(feed, granted);
            Some(granted)
        };
        let granted = wanted.iter().map(grant).collect();
        let key = session.device.clone();
        self.deliver(now, &key);
        granted
    }

    /// A device wants no more messages.
    pub(crate) fn unsubscribe(&mut self, connection: u32, filters: &[String]) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            for filter in filters {
                if let Some(feed) = Feed::of(&session.device.device_id, filter) {
                    session.feeds.remove(&feed);
                }
            }
        }
    }

    /// A device sent a message: what it means, and packets for the device.
    ///
    /// # Errors
    /// The hub closes the connection.
    pub(crate) fn publish(
        &mut self,
        now: VirtualTime,
        connection: u32,
        message: &Publish,
    ) -> Result<(Happened, Vec<Packet>), Violation> {
        let session = self.sessions.get(&connection).ok_or(Violation::NoSession)?;
        let key = session.device.clone();
        let device = self.devices.get_mut(&key).ok_or(Violation::NoSession)?;
        let time = self.settings.epoch.timestamp(now);
        device.last_activity = Some(time);
        let retention = &self.settings.retention;
        let now = (now, time);
        let (happened, packets) = message::handle(now, device, &session.feeds, message, retention)?;
        let (now, _) = now;
        match &happened {
            Happened::TwinPatch => {
                self.changed.insert(key);
            }
            Happened::MethodResponse {
                call,
                status,
                payload,
            } => {
                if let Some(end) = self.calls.answer(&key, *call, *status, payload) {
                    self.end_call(now, end);
                }
            }
            Happened::Telemetry(_) | Happened::TwinGet | Happened::Nothing => {}
        }
        Ok((happened, packets))
    }

    /// A device acknowledged a message.
    pub(crate) fn acknowledge(&mut self, now: VirtualTime, connection: u32, packet_id: u16) {
        let Some(session) = self.sessions.get(&connection) else {
            return;
        };
        let key = session.device.clone();
        let settled = self
            .devices
            .get_mut(&key)
            .and_then(|device| device.queue.acknowledge(packet_id));
        if let Some(message_id) = settled {
            self.note_message(now, &key, message_id, "completed");
        }
    }

    /// Sends what waits for a device that is there: messages and calls.
    pub(super) fn deliver(&mut self, now: VirtualTime, key: &DeviceKey) {
        self.purge(now, key);
        let Some(device) = self.devices.get_mut(key) else {
            return;
        };
        let Some(connection) = device.connection() else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&connection) else {
            return;
        };
        let mut packets = Vec::new();
        if session.feeds.contains_key(&Feed::Methods) {
            for (id, method, payload) in self.calls.send(now, key) {
                let topic = format!("$iothub/methods/POST/{method}/?$rid={id}");
                packets.push(at_most_once(topic, payload));
            }
        }
        let mut sent_ids = Vec::new();
        match session.feeds.get(&Feed::CloudToDevice) {
            None => {}
            Some(QoS::AtMostOnce) => {
                for sent in device.queue.take_free() {
                    sent_ids.push((sent.message.message_id.clone(), "completed"));
                    packets.push(packet(key, sent, Delivery::AtMostOnce));
                }
            }
            Some(QoS::AtLeastOnce | QoS::ExactlyOnce) => loop {
                let packet_id = session.next_packet();
                let Some(sent) = device.queue.lock_for_packet(packet_id) else {
                    break;
                };
                let delivery = Delivery::AtLeastOnce {
                    packet_id,
                    duplicate: Duplicate::No,
                };
                sent_ids.push((sent.message.message_id.clone(), "sent"));
                packets.push(packet(key, sent, delivery));
            },
        }
        let outgoing = |packet| Outgoing::Packet { connection, packet };
        self.outgoing.extend(packets.into_iter().map(outgoing));
        for (message_id, outcome) in sent_ids {
            self.note_message(now, key, message_id, outcome);
        }
    }

    /// Gives up messages whose time is over.
    fn purge(&mut self, now: VirtualTime, key: &DeviceKey) {
        let dropped = match self.devices.get_mut(key) {
            Some(device) => device.queue.purge(now),
            None => return,
        };
        for message in dropped {
            self.note_message(now, key, message.message_id, message.reason);
        }
    }

    /// A device that proved who it is sent telemetry over HTTP.
    ///
    /// # Errors
    /// It is too large, or there is no such device.
    pub(crate) fn post_telemetry(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        properties: String,
        body: &[u8],
    ) -> Result<Telemetry, Violation> {
        if body.len() > LARGEST {
            return Err(Violation::TooLarge);
        }
        let telemetry = Telemetry {
            at: now,
            properties,
            body: body.to_vec(),
        };
        let device = self.devices.get_mut(key).ok_or(Violation::NoSession)?;
        device.last_activity = Some(self.settings.epoch.timestamp(now));
        device.keep(telemetry.clone(), &self.settings.retention);
        Ok(telemetry)
    }

    /// A device fetches a message over HTTP: its lock token and the message.
    pub(crate) fn receive(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
    ) -> Option<(u64, super::CloudMessage)> {
        self.purge(now, key);
        let sent = self.devices.get_mut(key)?.queue.lock_for_http(now)?;
        self.note_message(now, key, sent.message.message_id.clone(), "sent");
        Some((sent.sequence, sent.message))
    }

    /// A device settles a message that it fetched over HTTP; whether it had it.
    pub(crate) fn settle(
        &mut self,
        now: VirtualTime,
        key: &DeviceKey,
        lock_token: u64,
        verdict: Verdict,
    ) -> bool {
        self.purge(now, key);
        let settled = self
            .devices
            .get_mut(key)
            .and_then(|device| device.queue.settle(lock_token, verdict));
        let Some(message_id) = settled else {
            return false;
        };
        let outcome = match verdict {
            Verdict::Complete => "completed",
            Verdict::Reject => "rejected",
            Verdict::Abandon => "abandoned",
        };
        self.note_message(now, key, message_id, outcome);
        true
    }
}

/// A message from the cloud as the device gets it.
fn packet(key: &DeviceKey, sent: Sent, delivery: Delivery) -> Packet {
    let id = &key.device_id;
    let to = percent::encoded(&format!("/devices/{id}/messages/devicebound"));
    let mut topic = format!("devices/{id}/messages/devicebound/%24.to={to}");
    if !sent.message.message_id.is_empty() {
        topic += &format!("&%24.mid={}", percent::encoded(&sent.message.message_id));
    }
    if !sent.message.properties.is_empty() {
        topic += &format!("&{}", sent.message.properties);
    }
    Packet::Publish(Publish {
        topic,
        payload: sent.message.body,
        delivery,
        retain: Retain::No,
    })
}
