//! Control packets, read from a stream in pieces of any size.

use super::{DecodeError, Packet, decode};

/// The largest packet that a hub takes: 256 KiB and a header (IoT Hub documentation, "Quotas").
const LIMIT: usize = 260 * 1024;

/// Cuts a stream into control packets.
#[derive(Debug, Default)]
pub(crate) struct PacketReader {
    buffer: Vec<u8>,
    /// Bytes at the buffer's start that were read.
    taken: usize,
}

impl PacketReader {
    /// Takes the stream's next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet, if there is one.
    ///
    /// # Errors
    /// The stream holds no packet at this place; nothing after it can be read.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let Some((&first, rest)) = self.buffer[self.taken..].split_first() else {
            return Ok(None);
        };
        decode::first_byte(first)?;
        let Some((length, taken)) = remaining_length(rest)? else {
            return Ok(None);
        };
        if length > LIMIT {
            return Err(DecodeError::TooLarge { limit: LIMIT });
        }
        let Some(body) = rest.get(taken..taken + length) else {
            return Ok(None);
        };
        let packet = decode::packet(first, body)?;
        self.taken += 1 + taken + length;
        Ok(Some(packet))
    }
}

/// The remaining length and the bytes that it takes (section 2.2.3).
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, DecodeError> {
    let mut length = 0;
    for index in 0..4 {
        let Some(byte) = bytes.get(index) else {
            return Ok(None);
        };
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((length, index + 1)));
        }
    }
    Err(DecodeError::RemainingLength)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::super::other_codec::{delivery, qos};
    use super::super::{
        CleanSession, Connect, ConnectReturnCode, Delivery, Duplicate, Publish, QoS, Retain,
        Subscription, Will,
    };
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Packet>, DecodeError> {
        let mut reader = PacketReader::default();
        reader.push(bytes);
        let mut packets = Vec::new();
        while let Some(packet) = reader.next()? {
            packets.push(packet);
        }
        Ok(packets)
    }

    /// The standard's figures 3.2 to 3.24 and the flags that real SDKs send, byte by byte.
    #[rstest]
    #[case::connect(
        b"\x10\x11\0\x04MQTT\x04\x82\0\xf0\0\x01d\0\x02u/",
        Packet::Connect(Connect {
            client_id: "d".into(),
            session: CleanSession::Yes,
            keep_alive: 240,
            will: None,
            user_name: Some("u/".into()),
            password: None,
        })
    )]
    #[case::connect_with_everything(
        b"\x10\x1e\0\x04MQTT\x04\xec\0\x00\0\x01d\0\x02wt\0\x01m\0\x01u\0\x05\0\x01\x02\x03\xff",
        Packet::Connect(Connect {
            client_id: "d".into(),
            session: CleanSession::No,
            keep_alive: 0,
            will: Some(Will {
                topic: "wt".into(),
                payload: b"m".to_vec(),
                qos: QoS::AtLeastOnce,
                retain: Retain::Yes,
            }),
            user_name: Some("u".into()),
            password: Some(b"\0\x01\x02\x03\xff".to_vec()),
        })
    )]
    #[case::connack(b"\x20\x02\0\x05", Packet::Connack(ConnectReturnCode::NotAuthorized))]
    #[case::publish_at_most_once(
        b"\x30\x06\0\x03a/bx",
        Packet::Publish(Publish {
            topic: "a/b".into(),
            payload: b"x".to_vec(),
            delivery: Delivery::AtMostOnce,
            retain: Retain::No,
        })
    )]
    #[case::publish_at_least_once(
        b"\x3b\x07\0\x03a/b\0\x0a",
        Packet::Publish(Publish {
            topic: "a/b".into(),
            payload: Vec::new(),
            delivery: Delivery::AtLeastOnce { packet_id: 10, duplicate: Duplicate::Yes },
            retain: Retain::Yes,
        })
    )]
    #[case::puback(b"\x40\x02\x01\x02", Packet::Puback { packet_id: 258 })]
    #[case::subscribe(
        b"\x82\x0e\0\x0a\0\x03a/b\x01\0\x03c/#\x02",
        Packet::Subscribe {
            packet_id: 10,
            subscriptions: vec![
                Subscription { filter: "a/b".into(), qos: QoS::AtLeastOnce },
                Subscription { filter: "c/#".into(), qos: QoS::ExactlyOnce },
            ],
        }
    )]
    #[case::suback(
        b"\x90\x05\0\x0a\0\x01\x80",
        Packet::Suback {
            packet_id: 10,
            granted: vec![Some(QoS::AtMostOnce), Some(QoS::AtLeastOnce), None],
        }
    )]
    #[case::unsubscribe(
        b"\xa2\x07\0\x0a\0\x03a/b",
        Packet::Unsubscribe { packet_id: 10, filters: vec!["a/b".into()] }
    )]
    #[case::unsuback(b"\xb0\x02\0\x0a", Packet::Unsuback { packet_id: 10 })]
    #[case::pingreq(b"\xc0\0", Packet::Pingreq)]
    #[case::pingresp(b"\xd0\0", Packet::Pingresp)]
    #[case::disconnect(b"\xe0\0", Packet::Disconnect)]
    fn packets(#[case] bytes: &[u8], #[case] packet: Packet) {
        assert_eq!(read(bytes), Ok(vec![packet.clone()]));
        assert_eq!(packet.encode(), bytes);
    }

    #[rstest]
    #[case(b"\0\0", DecodeError::ReservedType(0))]
    #[case(b"\xf0\0", DecodeError::ReservedType(15))]
    #[case(b"\x50\x02\0\x01", DecodeError::ReservedType(5))]
    #[case(b"\xc1\0", DecodeError::Flags)]
    #[case(b"\x80\x06\0\x01\0\x01a\0", DecodeError::Flags)]
    #[case(b"\x36\x05\0\x01a\0\x01", DecodeError::Flags)]
    #[case(b"\x38\x03\0\x01a", DecodeError::Flags)]
    #[case(b"\xc0\xff\xff\xff\xff", DecodeError::RemainingLength)]
    #[case(b"\x30\xff\xff\xff\x7f", DecodeError::TooLarge { limit: LIMIT })]
    #[case(b"\xc0\x01x", DecodeError::Long)]
    #[case(b"\x30\x02\0\x05", DecodeError::Short("topic name"))]
    #[case(b"\x30\x03\0\x01+", DecodeError::Value("topic name"))]
    #[case(b"\x30\x02\0\0", DecodeError::Value("topic name"))]
    #[case(b"\x30\x03\0\x01\0", DecodeError::NotText("topic name"))]
    #[case(b"\x30\x03\0\x01\xff", DecodeError::NotText("topic name"))]
    #[case(b"\x32\x05\0\x01a\0\0", DecodeError::Value("packet identifier"))]
    #[case(b"\x82\x02\0\x01", DecodeError::Short("topic filters"))]
    #[case(b"\x82\x06\0\x01\0\x01a\x03", DecodeError::Value("requested QoS"))]
    #[case(b"\x82\x07\0\x01\0\x02a#\0", DecodeError::Value("topic filter"))]
    #[case(b"\x82\x08\0\x01\0\x03#/a\0", DecodeError::Value("topic filter"))]
    #[case(b"\x10\x0c\0\x04MQTT\x05\x02\0\0\0\0", DecodeError::Protocol)]
    #[case(b"\x10\x0e\0\x06MQIsdp\x03\x02\0\0\0\0", DecodeError::Protocol)]
    #[case(
        b"\x10\x0c\0\x04MQTT\x04\x03\0\0\0\0",
        DecodeError::Value("connect flags")
    )]
    #[case(
        b"\x10\x0c\0\x04MQTT\x04\x42\0\0\0\0",
        DecodeError::Value("connect flags")
    )]
    fn refusals(#[case] bytes: &[u8], #[case] error: DecodeError) {
        assert_eq!(read(bytes), Err(error));
    }

    fn publish() -> impl Strategy<Value = Packet> {
        let payload = prop::collection::vec(any::<u8>(), 0..300);
        ("[a-z/$]{1,40}", payload, delivery(), any::<bool>()).prop_map(
            |(topic, payload, delivery, kept)| {
                Packet::Publish(Publish {
                    topic,
                    payload,
                    delivery,
                    retain: if kept { Retain::Yes } else { Retain::No },
                })
            },
        )
    }

    fn subscribe() -> impl Strategy<Value = Packet> {
        let filter = "([a-z]{1,5}/){0,3}(#|\\+|[a-z]{1,5})";
        let subscription = (filter, qos()).prop_map(|(filter, qos)| Subscription { filter, qos });
        (1u16.., prop::collection::vec(subscription, 1..5)).prop_map(
            |(packet_id, subscriptions)| Packet::Subscribe {
                packet_id,
                subscriptions,
            },
        )
    }

    proptest! {
        #[test]
        fn packets_survive_the_wire_in_pieces(
            packets in prop::collection::vec(prop_oneof![publish(), subscribe()], 1..5),
            cuts in prop::collection::vec(1usize..50, 0..20),
        ) {
            let wire: Vec<u8> = packets.iter().flat_map(Packet::encode).collect();
            let mut reader = PacketReader::default();
            let (mut rest, mut seen) = (wire.as_slice(), Vec::new());
            for cut in cuts.into_iter().chain([wire.len()]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                reader.push(piece);
                while let Some(packet) = reader.next().unwrap() {
                    seen.push(packet);
                }
                rest = after;
            }
            prop_assert_eq!(seen, packets);
        }
    }
}
