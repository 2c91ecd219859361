//! DPS over MQTT, as far as the device can tell: mqttrs and a list of answers.

use devkit_net::Instant;
use mqttrs::{Connack, ConnectReturnCode, Packet, QosPid, SubscribeReturnCodes};

use super::gateway::{Listener, Reaction, Service};
use super::pki::{self, Key};
use super::services;
use super::world::HOST;

pub const ASSIGNING: &str =
    r#"202/?$rid={n}&retry-after=3 {"operationId":"5.50.ab","status":"assigning"}"#;
pub const ASSIGNED: &str = r#"200/?$rid={n} {"operationId":"5.50.ab","status":"assigned","registrationState":{"assignedHub":"hil-hub.azure-devices.net","deviceId":"AZ3166"}}"#;

/// Accepts by CONNACK 0, then answers the n-th request with the n-th answer and the last one ever
/// after. An answer is the topic after `res/`, a blank and the body; `{n}` stands for the request's
/// number; `<close>` at the end closes the connection; an empty one is silence.
pub struct MqttDps {
    answers: Vec<String>,
    received: Vec<u8>,
    asked: usize,
    code: ConnectReturnCode,
}

pub fn mqtt_dps(answers: &[&str]) -> Listener {
    refusing_mqtt_dps(ConnectReturnCode::Accepted, answers)
}

pub fn refusing_mqtt_dps(code: ConnectReturnCode, answers: &[&str]) -> Listener {
    listener(&[pki::P256_ROOT, pki::P256_LEAF], code, answers)
}

/// The same as [`mqtt_dps`] with `keys`' chain.
pub fn mqtt_dps_with(keys: &[Key], answers: &[&str]) -> Listener {
    listener(keys, ConnectReturnCode::Accepted, answers)
}

fn listener(keys: &[Key], code: ConnectReturnCode, answers: &[&str]) -> Listener {
    let chain = pki::chain(keys, HOST, pki::Validity::Now);
    let service = MqttDps {
        answers: answers.iter().map(ToString::to_string).collect(),
        received: vec![],
        asked: 0,
        code,
    };
    Listener::Tls(services::server(&chain, None), Box::new(service))
}

fn encode(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = vec![0; 20_000];
    let length = mqttrs::encode_slice(packet, &mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

/// The length of the first packet: shorter ones only.
fn length(bytes: &[u8]) -> Option<usize> {
    let (length, header) = match bytes {
        [_, low, ..] if *low < 0x80 => (usize::from(*low), 2),
        [_, low, high, ..] => (usize::from(*high) << 7 | usize::from(*low & 0x7F), 3),
        _ => return None,
    };
    (bytes.len() >= header + length).then_some(header + length)
}

impl Service for MqttDps {
    fn receive(&mut self, _: Instant, bytes: &[u8]) -> Reaction {
        self.received.extend_from_slice(bytes);
        let mut reaction = Reaction::default();
        while let Some(length) = length(&self.received) {
            let packet: Vec<u8> = self.received.drain(..length).collect();
            let packet = mqttrs::decode_slice(&packet).unwrap().unwrap();
            self.packet(packet, &mut reaction);
        }
        reaction
    }
}

impl MqttDps {
    fn packet(&mut self, packet: Packet<'_>, reaction: &mut Reaction) {
        match packet {
            Packet::Connect(connect) => {
                assert_eq!(connect.client_id, "az-c89346854138v1v0v0");
                let user = "0ne00000000/registrations/az-c89346854138v1v0v0/api-version=2019-03-31\
                            &ClientVersion=prov_device_client%2F1.0";
                assert_eq!((connect.username, connect.password), (Some(user), None));
                reaction.answer.extend(encode(&Packet::Connack(Connack {
                    session_present: false,
                    code: self.code,
                })));
                reaction.close = self.code != ConnectReturnCode::Accepted;
            }
            Packet::Subscribe(subscribe) => {
                assert_eq!(subscribe.topics[0].topic_path, "$dps/registrations/res/#");
                reaction
                    .answer
                    .extend(encode(&Packet::Suback(mqttrs::Suback {
                        pid: subscribe.pid,
                        return_codes: [SubscribeReturnCodes::Success(mqttrs::QoS::AtLeastOnce)]
                            .into_iter()
                            .collect(),
                    })));
            }
            Packet::Publish(publish) => self.request(&publish, reaction),
            Packet::Puback(_) => assert!(self.asked > 0),
            Packet::Disconnect => reaction.close = true,
            other => panic!("{other:?}"),
        }
    }

    fn request(&mut self, publish: &mqttrs::Publish<'_>, reaction: &mut Reaction) {
        let polls = (self.answers.first()).is_some_and(|first| first.starts_with("202/"));
        let number = self.asked + 1;
        let expected = match self.asked {
            1.. if polls => format!(
                "$dps/registrations/GET/iotdps-get-operationstatus/?$rid={number}&operationId=5.50.ab"
            ),
            _ => format!("$dps/registrations/PUT/iotdps-register/?$rid={number}"),
        };
        assert_eq!(publish.topic_name, expected);
        let QosPid::AtLeastOnce(pid) = publish.qospid else {
            panic!("{publish:?}")
        };
        let answer = &self.answers[self.asked.min(self.answers.len() - 1)];
        self.asked += 1;
        let (answer, close) = match answer.strip_suffix("<close>") {
            Some(answer) => (answer, true),
            None => (answer.as_str(), false),
        };
        reaction.close |= close;
        reaction.answer.extend(encode(&Packet::Puback(pid)));
        let answer = answer.replace("{n}", &number.to_string());
        if let Some((topic, body)) = answer.split_once(' ') {
            let message = encode(&Packet::Publish(mqttrs::Publish {
                dup: false,
                qospid: QosPid::AtLeastOnce(pid),
                retain: false,
                topic_name: &format!("$dps/registrations/res/{topic}"),
                payload: body.as_bytes(),
            }));
            reaction.answer.extend(message);
        }
    }
}
