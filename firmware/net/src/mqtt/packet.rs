//! The few control packets that a device needs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The largest packet that is taken from the server, in bytes.
pub const MAX_PACKET: usize = 4096;

/// A packet for the server.
#[derive(Clone, Copy, Debug)]
pub enum Outgoing<'a> {
    /// CONNECT (section 3.1) with a clean session and without a password.
    Connect {
        /// Client identifier.
        client_id: &'a str,
        /// User name.
        user_name: &'a str,
        /// Keep alive, in seconds.
        keep_alive: u16,
    },
    /// PUBLISH (section 3.3) with QoS 1.
    Publish {
        /// Topic name.
        topic: &'a str,
        /// Packet identifier, not 0.
        packet_id: u16,
        /// Application message.
        payload: &'a [u8],
    },
    /// PUBACK (section 3.4) of a packet identifier.
    PublishAck(u16),
    /// SUBSCRIBE (section 3.8) to one filter with QoS 1.
    Subscribe {
        /// Topic filter.
        filter: &'a str,
        /// Packet identifier, not 0.
        packet_id: u16,
    },
    /// PINGREQ (section 3.12).
    PingRequest,
    /// DISCONNECT (section 3.14).
    Disconnect,
}

/// A string or payload does not fit into a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Outgoing<'_> {
    /// The bytes of the packet.
    ///
    /// # Errors
    /// [`TooLong`] for a string of over 65535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, TooLong> {
        let mut body = Vec::new();
        let kind = match *self {
            Self::Connect {
                client_id,
                user_name,
                keep_alive,
            } => {
                string(&mut body, "MQTT")?;
                // Protocol level 4; flags user name and clean session.
                body.extend([4, 0x82]);
                body.extend(keep_alive.to_be_bytes());
                string(&mut body, client_id)?;
                string(&mut body, user_name)?;
                0x10
            }
            Self::Publish {
                topic,
                packet_id,
                payload,
            } => {
                string(&mut body, topic)?;
                body.extend(packet_id.to_be_bytes());
                body.extend(payload);
                0x32
            }
            Self::PublishAck(packet_id) => {
                body.extend(packet_id.to_be_bytes());
                0x40
            }
            Self::Subscribe { filter, packet_id } => {
                body.extend(packet_id.to_be_bytes());
                string(&mut body, filter)?;
                body.push(1);
                0x82
            }
            Self::PingRequest => 0xC0,
            Self::Disconnect => 0xE0,
        };
        let mut packet = Vec::with_capacity(body.len() + 5);
        packet.push(kind);
        remaining_length(&mut packet, body.len())?;
        packet.append(&mut body);
        Ok(packet)
    }
}

fn string(packet: &mut Vec<u8>, text: &str) -> Result<(), TooLong> {
    let length = u16::try_from(text.len()).map_err(|_| TooLong)?;
    packet.extend(length.to_be_bytes());
    packet.extend(text.bytes());
    Ok(())
}

/// Section 2.2.3: seven bits a byte, least significant first, at most four bytes.
fn remaining_length(packet: &mut Vec<u8>, mut length: usize) -> Result<(), TooLong> {
    if length >= 1 << 28 {
        return Err(TooLong);
    }
    loop {
        let low = (length & 0x7F) as u8;
        length >>= 7;
        if length == 0 {
            packet.push(low);
            return Ok(());
        }
        packet.push(low | 0x80);
    }
}

/// A packet from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// CONNACK (section 3.2) with its return code; 0 is accepted.
    ConnectAck(u8),
    /// PUBACK (section 3.4) of a packet identifier.
    PublishAck(u16),
    /// PINGRESP (section 3.13).
    PingResponse,
    /// SUBACK (section 3.9) of a packet identifier, with its one return code; 0x80 is refused.
    SubscribeAck(u16, u8),
    /// PUBLISH (section 3.3).
    Publish(Message),
}

impl Incoming {
    /// What it is, for a person.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConnectAck(_) => "a CONNACK",
            Self::PublishAck(_) => "a PUBACK",
            Self::PingResponse => "a PINGRESP",
            Self::SubscribeAck(..) => "a SUBACK",
            Self::Publish(_) => "a PUBLISH",
        }
    }
}

/// An application message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic name.
    pub topic: String,
    /// What to acknowledge; none with QoS 0.
    pub packet_id: Option<u16>,
    /// The message itself.
    pub payload: Vec<u8>,
}

/// Why bytes are no acceptable packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// a packet is too large
    TooLarge,
    /// a packet is malformed
    Malformed,
    /// a packet came that the server must not send
    Unexpected,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "a packet is too large (over {MAX_PACKET} bytes)"),
            Self::Malformed => f.write_str("a packet is malformed"),
            Self::Unexpected => f.write_str("a packet came that the server must not send"),
        }
    }
}

impl core::error::Error for Error {}

/// Takes the first packet off `bytes`: the packet and its length, or `None` while it is
/// incomplete.
///
/// # Errors
/// [`Error`] when the stream cannot be understood any more.
pub fn decode(bytes: &[u8]) -> Result<Option<(Incoming, usize)>, Error> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    // A PUBLISH with QoS 2 is none that anybody asked for.
    if !matches!(first, 0x20 | 0x40 | 0x90 | 0xD0 | 0x30..=0x33 | 0x38..=0x3B) {
        return Err(Error::Unexpected);
    }
    let Some((length, header)) = length(rest)? else {
        return Ok(None);
    };
    if 1 + header + length > MAX_PACKET {
        return Err(Error::TooLarge);
    }
    let Some(body) = rest.get(header..header + length) else {
        return Ok(None);
    };
    let packet = match (first, body) {
        (0x20, &[0 | 1, code]) => Incoming::ConnectAck(code),
        (0x40, &[high, low]) => Incoming::PublishAck(u16::from_be_bytes([high, low])),
        (0xD0, []) => Incoming::PingResponse,
        (0x90, &[high, low, code @ (0..=2 | 0x80)]) => {
            Incoming::SubscribeAck(u16::from_be_bytes([high, low]), code)
        }
        (0x30..=0x3B, body) => Incoming::Publish(message(first, body).ok_or(Error::Malformed)?),
        _ => return Err(Error::Malformed),
    };
    Ok(Some((packet, 1 + header + length)))
}

/// What a PUBLISH holds (section 3.3); `None` when it is malformed.
fn message(first: u8, body: &[u8]) -> Option<Message> {
    let (length, rest) = body.split_first_chunk()?;
    let (topic, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (packet_id, payload) = match first & 0b0110 {
        0 => (None, rest),
        _ => {
            let (id, rest) = rest.split_first_chunk()?;
            let id = u16::from_be_bytes(*id);
            (Some(id).filter(|id| *id != 0).map(Some)?, rest)
        }
    };
    Some(Message {
        topic: core::str::from_utf8(topic).ok()?.into(),
        packet_id,
        payload: payload.into(),
    })
}

/// The remaining length and how many bytes it takes.
fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Error> {
    let mut length = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((length, index + 1)));
        }
    }
    if bytes.len() < 4 {
        Ok(None)
    } else {
        Err(Error::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqttrs::{Packet, Pid, QosPid, encode_slice};
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[0x20, 2, 0, 0], Ok(Some((Incoming::ConnectAck(0), 4))))]
    #[case(&[0x20, 2, 1, 5, 9], Ok(Some((Incoming::ConnectAck(5), 4))))]
    #[case(&[0x20, 2, 0], Ok(None))]
    #[case(&[0x20, 0x82], Ok(None))]
    #[case(&[0x20, 2, 2, 0], Err(Error::Malformed))]
    #[case(&[0x21, 2, 0, 0], Err(Error::Unexpected))]
    #[case(&[0x20, 0x80, 0x80, 0x80, 0x80], Err(Error::Malformed))]
    #[case(&[0x20, 0xFF, 0xFF, 0xFF, 0x7F], Err(Error::TooLarge))]
    #[case(&[0x40, 2, 1, 2], Ok(Some((Incoming::PublishAck(0x102), 4))))]
    #[case(&[0xD0, 0], Ok(Some((Incoming::PingResponse, 2))))]
    #[case(&[0x10, 0], Err(Error::Unexpected))]
    #[case(&[0x30, 1, 0], Err(Error::Malformed))]
    #[case(&[0x30, 3, 0, 2, b't'], Err(Error::Malformed))]
    #[case(&[0x30, 3, 0, 1, 0xFF], Err(Error::Malformed))]
    #[case(&[0x32, 5, 0, 1, b't', 0, 0], Err(Error::Malformed))]
    #[case(&[0x32, 4, 0, 1, b't', 0], Err(Error::Malformed))]
    #[case(&[0x34, 5, 0, 1, b't', 0, 1], Err(Error::Unexpected))]
    #[case(&[0x90, 3, 0, 1, 0x80], Ok(Some((Incoming::SubscribeAck(1, 0x80), 5))))]
    #[case(&[0x90, 3, 0, 1, 3], Err(Error::Malformed))]
    #[case(&[0x90, 4, 0, 1, 1, 1], Err(Error::Malformed))]
    #[case(&[0x36, 0], Err(Error::Unexpected))]
    #[case(&[], Ok(None))]
    fn packets_of_the_server(
        #[case] bytes: &[u8],
        #[case] expected: Result<Option<(Incoming, usize)>, Error>,
    ) {
        assert_eq!(decode(bytes), expected);
    }

    fn encoded(packet: &Packet<'_>) -> Vec<u8> {
        let mut bytes = [0; 5000];
        let length = encode_slice(packet, &mut bytes).unwrap();
        bytes[..length].to_vec()
    }

    proptest! {
        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            crate::fuzzing::mqtt(&bytes);
        }

        /// mqttrs is the second opinion for what we write ...
        #[test]
        fn mqttrs_reads_our_packets(
            client_id in "[a-zA-Z0-9._-]{1,64}",
            user_name in ".{1,300}",
            keep_alive: u16,
            packet_id in 1_u16..,
            payload in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let outgoing =
                Outgoing::Connect { client_id: &client_id, user_name: &user_name, keep_alive };
            let bytes = outgoing.encode().unwrap();
            let Some(Packet::Connect(theirs)) = mqttrs::decode_slice(&bytes).unwrap() else {
                return Err(TestCaseError::fail("no CONNECT"));
            };
            prop_assert_eq!(theirs.client_id, client_id.as_str());
            prop_assert_eq!(theirs.username, Some(user_name.as_str()));
            prop_assert_eq!((theirs.keep_alive, theirs.clean_session), (keep_alive, true));
            prop_assert!(theirs.password.is_none() && theirs.last_will.is_none());

            let outgoing = Outgoing::Publish { topic: &client_id, packet_id, payload: &payload };
            let bytes = outgoing.encode().unwrap();
            let Some(Packet::Publish(theirs)) = mqttrs::decode_slice(&bytes).unwrap() else {
                return Err(TestCaseError::fail("no PUBLISH"));
            };
            prop_assert_eq!(theirs.topic_name, client_id.as_str());
            prop_assert_eq!(theirs.payload, payload.as_slice());
            let pid = Pid::try_from(packet_id).unwrap();
            prop_assert_eq!(theirs.qospid, QosPid::AtLeastOnce(pid));

            let outgoing = Outgoing::Subscribe { filter: &client_id, packet_id };
            let bytes = outgoing.encode().unwrap();
            let Some(Packet::Subscribe(theirs)) = mqttrs::decode_slice(&bytes).unwrap() else {
                return Err(TestCaseError::fail("no SUBSCRIBE"));
            };
            let topic = mqttrs::SubscribeTopic {
                topic_path: client_id.as_str().into(),
                qos: mqttrs::QoS::AtLeastOnce,
            };
            let topics = [topic];
            prop_assert_eq!((theirs.pid, theirs.topics.as_slice()), (pid, topics.as_slice()));

            let bytes = Outgoing::PublishAck(packet_id).encode().unwrap();
            prop_assert_eq!(mqttrs::decode_slice(&bytes), Ok(Some(Packet::Puback(pid))));
        }

        /// ... and the writer of what we read.
        #[test]
        fn we_read_the_packets_of_mqttrs(packet_id in 1_u16.., payload in ".{0,200}") {
            let pid = Pid::try_from(packet_id).unwrap();
            let topic = "devices/x/messages/devicebound/";
            let publish = |qospid| mqttrs::Publish {
                dup: false,
                qospid,
                retain: false,
                topic_name: topic,
                payload: payload.as_bytes(),
            };
            let message = |packet_id| {
                Incoming::Publish(Message {
                    topic: topic.into(),
                    packet_id,
                    payload: payload.as_bytes().into(),
                })
            };
            let granted = mqttrs::SubscribeReturnCodes::Success(mqttrs::QoS::AtLeastOnce);
            let suback = mqttrs::Suback { pid, return_codes: [granted].into_iter().collect() };
            for (theirs, ours) in [
                (Packet::Puback(pid), Incoming::PublishAck(packet_id)),
                (Packet::Pingresp, Incoming::PingResponse),
                (Packet::Suback(suback), Incoming::SubscribeAck(packet_id, 1)),
                (Packet::Publish(publish(QosPid::AtMostOnce)), message(None)),
                (Packet::Publish(publish(QosPid::AtLeastOnce(pid))), message(Some(packet_id))),
            ] {
                let bytes = encoded(&theirs);
                prop_assert_eq!(decode(&bytes), Ok(Some((ours, bytes.len()))));
                prop_assert_eq!(decode(&bytes[..bytes.len() - 1]), Ok(None));
            }
        }
    }

    #[test]
    fn pings_and_goodbyes() {
        assert_eq!(
            Outgoing::PingRequest.encode(),
            Ok(encoded(&Packet::Pingreq))
        );
        assert_eq!(
            Outgoing::Disconnect.encode(),
            Ok(encoded(&Packet::Disconnect))
        );
        let long = "x".repeat(65536);
        assert_eq!(
            Outgoing::Publish {
                topic: &long,
                packet_id: 1,
                payload: &[]
            }
            .encode(),
            Err(TooLong)
        );
    }
}
