//! The services that the sessions of the tests meet, and the device that meets them.

use devkit_net::tls::TrustAnchors;
use devkit_net::{Identity, Instant, Session, Settings, Transport};

use super::gateway::{Arrival, Attachment, Dns, Listener, Plan, Reaction, Service, Time};
use super::pki::{self, Key, NOW, Validity};
use super::{crypto, in_device, services};

pub const HOST: &str = "global.azure-devices-provisioning.net";
pub const HUB: &str = "hil-hub.azure-devices.net";
pub const START: Instant = Instant::from_millis_const(2000);

/// DPS that answers the n-th request with the n-th answer, and the last one ever after.
struct Dps {
    answers: Vec<String>,
    requests: Vec<u8>,
    asked: usize,
}

impl Service for Dps {
    fn receive(&mut self, _: Instant, bytes: &[u8]) -> Reaction {
        self.requests.extend_from_slice(bytes);
        let text = std::str::from_utf8(&self.requests).unwrap();
        let Some(head) = text.find("\r\n\r\n") else {
            return Reaction::default();
        };
        let length: usize = text[..head].rsplit(": ").next().unwrap().parse().unwrap();
        if text.len() < head + 4 + length {
            return Reaction::default();
        }
        let expected = match self.asked {
            0 => "PUT /0ne00000000/registrations/az-c89346854138v1v0v0/register?",
            _ if self.answers[0].starts_with("HTTP/1.1 202") => {
                "GET /0ne00000000/registrations/az-c89346854138v1v0v0/operations/5.50.ab?"
            }
            _ => "PUT ",
        };
        assert!(text.starts_with(expected), "{text}");
        self.requests.clear();
        let answer = &self.answers[self.asked.min(self.answers.len() - 1)];
        self.asked += 1;
        match answer.strip_suffix("<close>") {
            Some(answer) => Reaction {
                answer: answer.into(),
                close: true,
            },
            None => Reaction {
                answer: answer.clone().into_bytes(),
                close: false,
            },
        }
    }
}

/// A hub that speaks mqttrs and follows a list of answers to CONNECT, PUBLISH and PINGREQ.
struct Hub {
    connect_code: u8,
    acknowledges: bool,
    pings: usize,
}

impl Service for Hub {
    fn receive(&mut self, _: Instant, bytes: &[u8]) -> Reaction {
        use mqttrs::{Connack, ConnectReturnCode, Packet, QosPid};
        let answer = match mqttrs::decode_slice(bytes).unwrap().unwrap() {
            Packet::Connect(connect) => {
                assert_eq!(connect.client_id, "AZ3166");
                let user = "hil-hub.azure-devices.net/AZ3166/?api-version=2021-04-12";
                assert_eq!((connect.username, connect.password), (Some(user), None));
                let code = match self.connect_code {
                    0 => ConnectReturnCode::Accepted,
                    _ => ConnectReturnCode::NotAuthorized,
                };
                Packet::Connack(Connack {
                    session_present: false,
                    code,
                })
            }
            Packet::Publish(publish) => {
                assert!(
                    publish
                        .topic_name
                        .starts_with("devices/AZ3166/messages/events/")
                );
                assert_eq!(publish.payload, br#"{"bootCount":1}"#);
                let QosPid::AtLeastOnce(pid) = publish.qospid else {
                    panic!()
                };
                if !self.acknowledges {
                    return Reaction::default();
                }
                Packet::Puback(pid)
            }
            Packet::Pingreq if self.pings == 0 => {
                return Reaction {
                    answer: vec![],
                    close: true,
                };
            }
            Packet::Pingreq => {
                self.pings -= 1;
                Packet::Pingresp
            }
            other => panic!("{other:?}"),
        };
        let mut bytes = [0; 16];
        let length = mqttrs::encode_slice(&answer, &mut bytes).unwrap();
        Reaction {
            answer: bytes[..length].to_vec(),
            close: false,
        }
    }
}

pub fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

pub fn assigning() -> String {
    http(
        "202 Accepted",
        "Retry-After: 3\r\n",
        r#"{"operationId":"5.50.ab","status":"assigning"}"#,
    )
}

pub fn assigned() -> String {
    let body = r#"{"operationId":"5.50.ab","status":"assigned","registrationState":{"assignedHub":"hil-hub.azure-devices.net","deviceId":"AZ3166"}}"#;
    let (first, second) = body.split_at(20);
    format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    )
}

pub fn dps(answers: Vec<String>) -> Listener {
    dps_with(
        &[pki::P256_ROOT, pki::P256_LEAF],
        HOST,
        Validity::Now,
        answers,
    )
}

pub fn dps_with(keys: &[Key], host: &str, validity: Validity, answers: Vec<String>) -> Listener {
    let config = services::server(&pki::chain(keys, host, validity), None);
    Listener::Tls(
        config,
        Box::new(Dps {
            answers,
            requests: vec![],
            asked: 0,
        }),
    )
}

pub fn hub(connect_code: u8, acknowledges: bool, pings: usize) -> Listener {
    hub_with(
        &[pki::P256_ROOT, pki::P256_LEAF],
        connect_code,
        acknowledges,
        pings,
    )
}

fn hub_with(keys: &[Key], connect_code: u8, acknowledges: bool, pings: usize) -> Listener {
    let chain = pki::chain(keys, HUB, Validity::Now);
    let hub = Hub {
        connect_code,
        acknowledges,
        pings,
    };
    Listener::Tls(services::server(&chain, None), Box::new(hub))
}

pub fn plan() -> Plan {
    Plan {
        dns: Dns::Answers,
        time: Time::At(NOW),
        dps: dps(vec![assigning(), assigned()]),
        dps_port: 443,
        hub: hub(0, true, usize::MAX),
        loss: 0,
        attachment: Attachment::Gateway,
        arrival: Arrival::BetweenPolls,
    }
}

pub fn session(root: Key) -> Session {
    session_over(Transport::Https, root)
}

/// The same over MQTT.
pub fn mqtt_session(root: Key) -> Session {
    session_over(Transport::Mqtt, root)
}

fn session_over(transport: Transport, root: Key) -> Session {
    let anchors = TrustAnchors::new([pki::root(root).as_ref()]).unwrap();
    let identity = Identity {
        registration_id: "az-c89346854138v1v0v0".into(),
        certificate: pki::client_certificate().to_vec(),
        key: pki::client_scalar().into(),
    };
    let settings = Settings {
        endpoint: HOST.into(),
        transport,
        id_scope: "0ne00000000".into(),
        telemetry: r#"{"bootCount":1}"#.into(),
    };
    in_device(|| Session::new(START, &crypto(), anchors, identity, settings))
}

/// The usual plan with `keys`' chain at DPS and hub.
pub fn plan_with(keys: &[Key]) -> Plan {
    Plan {
        dps: dps_with(keys, HOST, Validity::Now, vec![assigning(), assigned()]),
        hub: hub_with(keys, 0, true, usize::MAX),
        ..plan()
    }
}
