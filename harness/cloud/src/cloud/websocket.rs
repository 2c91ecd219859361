//! A device's MQTT session in a WebSocket connection.

use az3166_event::VirtualTime;

use super::connection::{Ending, Peer, Reaction};
use super::mqtt::MqttService;
use super::services::Services;
use crate::websocket::{Ended, Frames};

/// A device's MQTT session in a WebSocket connection.
pub(super) struct WebSocketService {
    frames: Frames,
    mqtt: MqttService,
}

impl WebSocketService {
    /// Begins after the opening handshake.
    pub(super) fn new(now: VirtualTime) -> Self {
        let mut mqtt = MqttService::default();
        mqtt.begin(now);
        Self {
            frames: Frames::new(),
            mqtt,
        }
    }

    /// The session inside.
    pub(super) fn mqtt(&self) -> &MqttService {
        &self.mqtt
    }

    /// The session inside.
    pub(super) fn mqtt_mut(&mut self) -> &mut MqttService {
        &mut self.mqtt
    }

    pub(super) fn receive(
        &mut self,
        now: VirtualTime,
        bytes: &[u8],
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        let (payload, ended) = self.frames.receive(bytes);
        let mut reaction = Reaction::default();
        if !payload.is_empty() {
            reaction = self.mqtt.receive(now, &payload, peer, services);
        }
        if let Some(ended) = ended
            && reaction.ending == Ending::None
        {
            match ended {
                Ended::Closed => self.mqtt.closed(now, peer, services),
                Ended::Violation(reason) => {
                    let reason = format!("WebSocket: {reason}");
                    self.mqtt
                        .violate(now, &reason, peer, services, &mut reaction);
                }
            }
            reaction.ending = Ending::Close;
        }
        self.wrap(reaction)
    }

    /// The session's reaction, in frames.
    pub(super) fn wrap(&mut self, mut reaction: Reaction) -> Reaction {
        self.frames.send(reaction.send);
        if reaction.ending == Ending::Close {
            self.frames.close_normally();
        }
        reaction.send = self.frames.take_output();
        reaction
    }
}
