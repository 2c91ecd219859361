//! Whole sessions: the device against a gateway with everything behind it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use devkit_net::tls::TrustAnchors;
use devkit_net::{Duration, Identity, Instant, Progress, Session, Settings};
use rstest::rstest;
use support::gateway::{Dns, Listener, Plan, Reaction, Service, Time, run};
use support::pki::{self, Key, NOW, Validity};
use support::{crypto, services};

const HOST: &str = "global.azure-devices-provisioning.net";
const HUB: &str = "hil-hub.azure-devices.net";
const START: Instant = Instant::from_millis_const(2000);

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

fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

fn assigning() -> String {
    http(
        "202 Accepted",
        "Retry-After: 3\r\n",
        r#"{"operationId":"5.50.ab","status":"assigning"}"#,
    )
}

fn assigned() -> String {
    let body = r#"{"operationId":"5.50.ab","status":"assigned","registrationState":{"assignedHub":"hil-hub.azure-devices.net","deviceId":"AZ3166"}}"#;
    let (first, second) = body.split_at(20);
    format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    )
}

fn dps(answers: Vec<String>) -> Listener {
    dps_with(
        &[pki::P256_ROOT, pki::P256_LEAF],
        HOST,
        Validity::Now,
        answers,
    )
}

fn dps_with(keys: &[Key], host: &str, validity: Validity, answers: Vec<String>) -> Listener {
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

fn hub(connect_code: u8, acknowledges: bool, pings: usize) -> Listener {
    let chain = pki::chain(&[pki::P256_ROOT, pki::P256_LEAF], HUB, Validity::Now);
    let hub = Hub {
        connect_code,
        acknowledges,
        pings,
    };
    Listener::Tls(services::server(&chain, None), Box::new(hub))
}

fn plan() -> Plan {
    Plan {
        dns: Dns::Answers,
        time: Time::At(NOW),
        dps: dps(vec![assigning(), assigned()]),
        hub: hub(0, true, usize::MAX),
        loss: 0,
        attached: true,
    }
}

fn session(root: Key) -> Session {
    let anchors = TrustAnchors::new([pki::root(root).as_ref()]).unwrap();
    let identity = Identity {
        registration_id: "az-c89346854138v1v0v0".into(),
        certificate: pki::client_certificate().to_vec(),
        key: pki::client_scalar().into(),
    };
    let settings = Settings {
        endpoint: HOST.into(),
        id_scope: "0ne00000000".into(),
        telemetry: r#"{"bootCount":1}"#.into(),
    };
    Session::new(START, &crypto(), anchors, identity, settings)
}

const WAY_TO_THE_HUB: [&str; 6] = [
    "Registration status: CONNECTED",
    "Registration status: REGISTERING",
    "Registration status: ASSIGNING",
    "Registration Information received from service: hil-hub.azure-devices.net!",
    "IoT Hub: connected as AZ3166",
    "IoT Hub: telemetry sent",
];

fn online(progress: &Progress, _: Instant) -> bool {
    matches!(progress, Progress::Online(_))
}

#[test]
fn the_device_registers_and_reaches_its_hub() {
    let (progress, lines, seconds) = run(session(pki::P256_ROOT), plan(), START, online);
    assert_eq!(lines, WAY_TO_THE_HUB);
    assert!(matches!(progress, Progress::Online(_)));
    assert_eq!(seconds, 3, "one pause of 3 s");
}

#[test]
fn it_stays_at_the_hub() {
    let (progress, lines, _) = run(session(pki::P256_ROOT), plan(), START, |_, now| {
        now > START + Duration::from_secs(300)
    });
    assert_eq!(lines, WAY_TO_THE_HUB);
    assert!(matches!(progress, Progress::Online(_)));
}

#[rstest]
#[case::rsa_4096(&[pki::RSA_4096, pki::RSA_2048, pki::RSA_4096])]
#[case::p384(&[pki::P384, pki::P256_LEAF])]
fn other_chains_of_trust_work(#[case] keys: &[Key]) {
    let answers = vec![http("401 Unauthorized", "", r#"{"errorCode":401002}"#)];
    let plan = Plan {
        dps: dps_with(keys, HOST, Validity::Now, answers),
        ..plan()
    };
    let (_, lines, _) = run(session(keys[0]), plan, START, online);
    assert_eq!(
        lines[2],
        "ERROR: dps-unauthorized: HTTP 401, errorCode 401002"
    );
}

#[rstest]
#[case(5)]
#[case(20)]
fn lost_packets_are_sent_again(#[case] loss: u64) {
    let (_, lines, seconds) = run(
        session(pki::P256_ROOT),
        Plan { loss, ..plan() },
        START,
        online,
    );
    assert_eq!(lines, WAY_TO_THE_HUB);
    assert!(seconds < 50, "{seconds} s");
}

/// Runs into a failure: the one line, whether the vendor's line follows, the time limit.
fn check(plan: Plan, error: &str, seconds: u64) {
    let (progress, lines, took) = run(session(pki::P256_ROOT), plan, START, |_, _| false);
    let errors: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("ERROR: "))
        .collect();
    assert_eq!(errors, [&format!("ERROR: {error}")], "{lines:?}");
    let Progress::Failed(failure) = progress else {
        panic!("{progress:?}")
    };
    assert_eq!(failure.to_string(), error);
    assert_eq!(
        lines.last().map(String::as_str) == Some("registration failed!"),
        !error.starts_with("hub-"),
        "{lines:?}"
    );
    assert!(took <= seconds, "took {took} s");
}

#[test]
fn nobody_on_the_link() {
    let plan = Plan {
        attached: false,
        ..plan()
    };
    check(
        plan,
        "link-silent: nobody is at the other end of the network link",
        10,
    );
}

#[rstest]
#[case(Dns::Silent, "dns-timeout: no DNS server answered for pool.ntp.org")]
#[case(
    Dns::UnknownName,
    "dns-failed: no address of pool.ntp.org: the name does not exist"
)]
fn names(#[case] dns: Dns, #[case] error: &str) {
    check(Plan { dns, ..plan() }, error, 12);
}

#[rstest]
#[case(
    Time::Silent,
    "sntp-timeout: the time server pool.ntp.org did not answer"
)]
#[case(
    Time::At(946_684_800),
    "sntp-invalid: pool.ntp.org: the time (year 2000) is not in 2025 to 2037"
)]
fn the_time(#[case] time: Time, #[case] error: &str) {
    check(Plan { time, ..plan() }, error, 12);
}

#[rstest]
#[case::refused(
    Listener::Nobody,
    "tcp-refused: global.azure-devices-provisioning.net:443 refused the TCP connection"
)]
#[case::stalled(
    Listener::Stalled,
    "tls-timeout: no TLS session with global.azure-devices-provisioning.net in time"
)]
#[case::unknown_authority(
    dps_with(&[pki::P256_OTHER, pki::P256_LEAF], HOST, Validity::Now, vec![]),
    "tls-unknown-issuer: the certificate of global.azure-devices-provisioning.net does not lead to a trust anchor"
)]
#[case::wrong_name(
    dps_with(&[pki::P256_ROOT, pki::P256_LEAF], HUB, Validity::Now, vec![]),
    "tls-wrong-name: the certificate of global.azure-devices-provisioning.net is for another name"
)]
#[case::expired(
    dps_with(&[pki::P256_ROOT, pki::P256_LEAF], HOST, Validity::Past, vec![]),
    "tls-expired: the certificate of global.azure-devices-provisioning.net expired 86400 s ago"
)]
#[case::not_yet_valid(
    dps_with(&[pki::P256_ROOT, pki::P256_LEAF], HOST, Validity::Future, vec![]),
    "tls-not-yet-valid: the certificate of global.azure-devices-provisioning.net is valid only in 86400 s"
)]
fn the_connection_to_dps(#[case] dps: Listener, #[case] error: &str) {
    check(Plan { dps, ..plan() }, error, 22);
}

#[rstest]
#[case::closed("<close>", "dps-closed: the service closed the connection")]
#[case::cut(
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"sta<close>",
    "dps-response: the answer is cut short: the service closed the connection"
)]
#[case::stalled(
    "",
    "dps-timeout: no answer to the registration request in time (30 s at most)"
)]
#[case::too_large(
    "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "dps-response: the answer is too large (over 8192 bytes)"
)]
#[case::not_http("220 mail ESMTP\r\n", "dps-response: the answer is no HTTP/1.1")]
fn the_answers_of_dps(#[case] answer: &str, #[case] error: &str) {
    check(
        Plan {
            dps: dps(vec![answer.into()]),
            ..plan()
        },
        error,
        31,
    );
}

#[test]
fn a_large_record_is_an_answer_too_large() {
    let answer = http("200 OK", "", &"x".repeat(16000));
    let error = "dps-response: the answer of global.azure-devices-provisioning.net is too large";
    check(
        Plan {
            dps: dps(vec![answer]),
            ..plan()
        },
        error,
        31,
    );
}

#[test]
fn assigning_for_ever() {
    let error =
        "dps-timeout: the service is still assigning; the service wants 3 s more, 2 s are left";
    check(
        Plan {
            dps: dps(vec![assigning()]),
            ..plan()
        },
        error,
        50,
    );
}

#[rstest]
#[case::refuses(
    hub(5, true, 0),
    "hub-refused: the hub refused the connection: CONNACK 5, not authorized"
)]
#[case::does_not_acknowledge(
    hub(0, false, 0),
    "hub-timeout: no acknowledgement of the telemetry message within 15 s"
)]
#[case::drops(
    hub(0, true, 0),
    "hub-lost: hil-hub.azure-devices.net closed the connection"
)]
fn the_hub(#[case] hub: Listener, #[case] error: &str) {
    check(Plan { hub, ..plan() }, error, 60);
}

#[test]
fn settings_that_cannot_be_used_send_nothing() {
    let anchors = TrustAnchors::new([pki::root(pki::P256_ROOT).as_ref()]).unwrap();
    let identity = || Identity {
        registration_id: "az-1".into(),
        certificate: vec![],
        key: pki::client_scalar().into(),
    };
    let settings = || Settings {
        endpoint: HOST.into(),
        id_scope: "0ne1".into(),
        telemetry: String::new(),
    };
    let cases = [
        (
            Identity {
                key: [0; 32].into(),
                ..identity()
            },
            settings(),
        ),
        (
            Identity {
                registration_id: "a\"b".into(),
                ..identity()
            },
            settings(),
        ),
        (
            Identity {
                registration_id: "a".repeat(129),
                ..identity()
            },
            settings(),
        ),
        (
            identity(),
            Settings {
                id_scope: "x/y".into(),
                ..settings()
            },
        ),
        (
            identity(),
            Settings {
                endpoint: "a b".into(),
                ..settings()
            },
        ),
        (
            identity(),
            Settings {
                endpoint: String::new(),
                ..settings()
            },
        ),
    ];
    for (identity, settings) in cases {
        let session = Session::new(START, &crypto(), anchors.clone(), identity, settings);
        let (_, lines, seconds) = run(session, plan(), START, |_, _| false);
        assert!(
            lines[0].starts_with("ERROR: setting-invalid: "),
            "{lines:?}"
        );
        assert_eq!((lines.len(), seconds), (2, 0));
    }
}
