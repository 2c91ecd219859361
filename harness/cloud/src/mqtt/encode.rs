//! One control packet to its bytes.

use super::{CleanSession, Connect, Delivery, Duplicate, Packet, Publish, Retain};

impl Packet {
    /// The packet as it goes over the wire. Texts longer than 65535 bytes are cut off.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Body(Vec::new());
        let first = match self {
            Self::Connect(connect) => {
                body.connect(connect);
                0x10
            }
            Self::Connack(return_code) => {
                body.0.extend([0, return_code.code()]);
                0x20
            }
            Self::Publish(publish) => body.publish(publish),
            Self::Puback { packet_id } => {
                body.number(*packet_id);
                0x40
            }
            Self::Subscribe {
                packet_id,
                subscriptions,
            } => {
                body.number(*packet_id);
                for subscription in subscriptions {
                    body.bytes(subscription.filter.as_bytes());
                    body.0.push(subscription.qos.level());
                }
                0x82
            }
            Self::Suback { packet_id, granted } => {
                body.number(*packet_id);
                let codes = granted
                    .iter()
                    .map(|qos| qos.map_or(0x80, |qos| qos.level()));
                body.0.extend(codes);
                0x90
            }
            Self::Unsubscribe { packet_id, filters } => {
                body.number(*packet_id);
                for filter in filters {
                    body.bytes(filter.as_bytes());
                }
                0xa2
            }
            Self::Unsuback { packet_id } => {
                body.number(*packet_id);
                0xb0
            }
            Self::Pingreq => 0xc0,
            Self::Pingresp => 0xd0,
            Self::Disconnect => 0xe0,
        };
        let mut packet = vec![first];
        remaining_length(body.0.len(), &mut packet);
        packet.append(&mut body.0);
        packet
    }
}

/// Appends a remaining length (section 2.2.3).
fn remaining_length(mut length: usize, packet: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        match length {
            0 => return packet.push(low),
            _ => packet.push(low | 0x80),
        }
    }
}

struct Body(Vec<u8>);

impl Body {
    fn number(&mut self, number: u16) {
        self.0.extend(number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.number(length);
        self.0.extend_from_slice(&bytes[..length.into()]);
    }

    fn connect(&mut self, connect: &Connect) {
        self.bytes(b"MQTT");
        let mut flags = 0;
        if connect.session == CleanSession::Yes {
            flags |= 1 << 1;
        }
        if let Some(will) = &connect.will {
            flags |= 1 << 2 | will.qos.level() << 3;
            if will.retain == Retain::Yes {
                flags |= 1 << 5;
            }
        }
        if connect.password.is_some() {
            flags |= 1 << 6;
        }
        if connect.user_name.is_some() {
            flags |= 1 << 7;
        }
        self.0.extend([4, flags]);
        self.number(connect.keep_alive);
        self.bytes(connect.client_id.as_bytes());
        if let Some(will) = &connect.will {
            self.bytes(will.topic.as_bytes());
            self.bytes(&will.payload);
        }
        if let Some(user_name) = &connect.user_name {
            self.bytes(user_name.as_bytes());
        }
        if let Some(password) = &connect.password {
            self.bytes(password);
        }
    }

    /// Appends the message and returns the packet's first byte.
    fn publish(&mut self, publish: &Publish) -> u8 {
        self.bytes(publish.topic.as_bytes());
        let (level, packet_id, duplicate) = match publish.delivery {
            Delivery::AtMostOnce => (0, None, Duplicate::No),
            Delivery::AtLeastOnce {
                packet_id,
                duplicate,
            } => (1, Some(packet_id), duplicate),
            Delivery::ExactlyOnce {
                packet_id,
                duplicate,
            } => (2, Some(packet_id), duplicate),
        };
        if let Some(packet_id) = packet_id {
            self.number(packet_id);
        }
        self.0.extend_from_slice(&publish.payload);
        let duplicate = match duplicate {
            Duplicate::Yes => 1 << 3,
            Duplicate::No => 0,
        };
        let retain = match publish.retain {
            Retain::Yes => 1,
            Retain::No => 0,
        };
        0x30 | duplicate | level << 1 | retain
    }
}
