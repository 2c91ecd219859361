//! Registration over MQTT and MQTT over WebSocket, with hand-written packets over real TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{
    Answer, Attestation, CloudConfig, CloudFault, Effect, MqttCertificateFailure, Pattern, Port,
    Repeat, Rule, ServerChain, SymmetricKey, SymmetricKeys, Then, VIRTUAL_EPOCH,
};
use rstest::rstest;
use support::mqtt::{connect, connect_with_password, publish, read_publish, subscribe};
use support::{Client, DPS, Device, HUB, ID, World};

const REGISTER: &str = "$dps/registrations/PUT/iotdps-register/?$rid=";
const POLL: &str = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=";
const RESPONSES: &str = "$dps/registrations/res/#";
const ACCEPTED: &[u8] = b"\x20\x02\0\0";
const NOT_AUTHORIZED: &[u8] = b"\x20\x02\0\x05";
const KEY: [u8; 32] = [7; 32];

fn user_name(id: &str) -> String {
    format!("0ne00000000/registrations/{id}/api-version=2019-03-31&ClientVersion=test%2F1.0")
}

fn config() -> CloudConfig {
    CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256)
}

/// A world in which `ID` is enrolled with a certificate, and its connection.
fn enrolled(config: CloudConfig) -> (World, Client) {
    let mut world = World::with(config);
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    let client = world.connect(DPS, 8883, Some(&device));
    (world, client)
}

/// A session that listens to answers.
fn session(world: &mut World, client: &mut Client, hello: &[u8]) {
    assert_eq!(world.exchange(client, hello), ACCEPTED);
    let granted = world.exchange(client, &subscribe(RESPONSES, 1));
    assert_eq!(granted, b"\x90\x03\0\x09\x01");
}

/// Publishes and reads the answer's topic and body.
fn ask(
    world: &mut World,
    client: &mut Client,
    topic: &str,
    body: &str,
) -> (String, serde_json::Value) {
    let answer = world.exchange(client, &publish(topic, body, None));
    let (topic, payload) = read_publish(&answer);
    (topic, serde_json::from_slice(&payload).unwrap())
}

#[rstest]
#[case::c_repeats_the_body(None, "{\"registrationId\":\"az-c89346854138v1v6v1\"}")]
#[case::node_and_python_send_a_space(Some(7), " ")]
#[case::others_send_nothing(None, "")]
fn a_device_registers(#[case] packet_id: Option<u8>, #[case] poll_body: &str) {
    let (mut world, mut client) = enrolled(config());
    session(&mut world, &mut client, &connect(ID, &user_name(ID), 0));
    let body = format!("{{\"payload\": null, \"registrationId\": \"{ID}\"}}");
    let register = publish(&format!("{REGISTER}a-b"), &body, packet_id);
    let answer = world.exchange(&mut client, &register);
    let answer = match packet_id {
        Some(id) => answer.strip_prefix(&[0x40, 2, 0, id]).unwrap(),
        None => &answer,
    };
    let (topic, payload) = read_publish(answer);
    assert_eq!(topic, "$dps/registrations/res/202/?$rid=a-b&retry-after=3");
    let accepted: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(accepted["status"], "assigning");
    let operation = accepted["operationId"].as_str().unwrap();
    let poll = format!("{POLL}2&operationId={operation}");
    world.wait(Duration::from_secs(3));
    let (topic, assigning) = ask(&mut world, &mut client, &poll, poll_body);
    assert_eq!(topic, "$dps/registrations/res/202/?$rid=2&retry-after=3");
    assert_eq!(assigning["registrationState"]["status"], "assigning");
    world.wait(Duration::from_secs(3));
    let (topic, assigned) = ask(&mut world, &mut client, &poll, poll_body);
    assert_eq!(topic, "$dps/registrations/res/200/?$rid=2");
    assert_eq!(assigned["registrationState"]["assignedHub"], HUB);
    assert_eq!(assigned["registrationState"]["deviceId"], ID);
    assert_eq!(world.exchange(&mut client, b"\xe0\0"), b"");
    assert_eq!(client.then, Then::Finish);
    let events = world.event_lines();
    for part in [
        r#""kind":"registration_connect","connection":1,"client_id":"az-c89346854138v1v6v1""#,
        r#""kind":"mqtt_exchange""#,
        r#""status":202,"retry_after":"3""#,
        r#""kind":"registration_disconnect""#,
        r#""state":"assigned""#,
    ] {
        assert!(events.contains(part), "{part} in {events}");
    }
    assert!(!events.contains("\"mqtt_connect\""), "{events}");
}

#[rstest]
#[case::by_user_name(Port::Mqtt, "localhost")]
#[case::by_tls(Port::Mqtt, DPS)]
fn the_client_tells_the_service(#[case] port: Port, #[case] sni: &str) {
    let mut world = World::new();
    let mut config = support::client_config(world.cloud.trust_anchor(), Some(&Device::new(ID)));
    support::trust_any_name(&mut config);
    let mut client = world.accept_with(port, sni, config);
    session(&mut world, &mut client, &connect(ID, &user_name(ID), 60));
    let (topic, body) = ask(&mut world, &mut client, &format!("{REGISTER}1"), "{}");
    assert_eq!(topic, "$dps/registrations/res/404/?$rid=1");
    assert_eq!(body["errorCode"], 404_201);
}

mod by_key {
    use super::*;

    fn world() -> (World, Client) {
        let mut world = World::new();
        let mut enrolment = Device::new(ID).enrolment(ID);
        enrolment.attestation = Attestation::SymmetricKey(SymmetricKeys {
            primary: SymmetricKey::new(KEY.to_vec()).unwrap(),
            secondary: SymmetricKey::new(vec![8; 32]).unwrap(),
        });
        world.cloud.enrol(enrolment).unwrap();
        let client = world.connect(DPS, 8883, None);
        (world, client)
    }

    #[rstest]
    #[case::good(KEY, 3600, 202, None)]
    #[case::wrong_key([9; 32], 3600, 401, Some(401_000))]
    #[case::expired(KEY, 0, 401, Some(401_000))]
    fn the_token_is_judged_with_the_request(
        #[case] key: [u8; 32],
        #[case] lifetime: u64,
        #[case] status: u16,
        #[case] error_code: Option<u64>,
    ) {
        let (mut world, mut client) = world();
        let resource = format!("0ne00000000%2Fregistrations%2F{ID}");
        let expires = VIRTUAL_EPOCH.as_secs() + lifetime;
        let password = support::token(&resource, &key, expires, Some("registration"));
        let hello = connect_with_password(ID, &user_name(ID), &password);
        session(&mut world, &mut client, &hello);
        let (topic, body) = ask(&mut world, &mut client, &format!("{REGISTER}1"), "{}");
        assert!(topic.starts_with(&format!("$dps/registrations/res/{status}/?$rid=1")));
        assert_eq!(body["errorCode"].as_u64(), error_code);
        let events = world.event_lines();
        assert!(!events.contains("SharedAccessSignature"), "{events}");
    }
}

#[rstest]
#[case::connack(MqttCertificateFailure::Connack)]
#[case::answer(MqttCertificateFailure::Answer)]
fn a_wrong_certificate(#[case] failure: MqttCertificateFailure) {
    let mut config = config();
    config.behaviour.mqtt_certificate_failure = failure;
    let (mut world, _) = enrolled(config);
    let mut client = world.connect(DPS, 8883, Some(&Device::new(ID)));
    let hello = connect(ID, &user_name(ID), 60);
    match failure {
        MqttCertificateFailure::Connack => {
            assert_eq!(world.exchange(&mut client, &hello), NOT_AUTHORIZED);
            assert_eq!(client.then, Then::Finish);
            assert!(world.event_lines().contains("401002"));
        }
        MqttCertificateFailure::Answer => {
            session(&mut world, &mut client, &hello);
            let (topic, body) = ask(&mut world, &mut client, &format!("{REGISTER}1"), "{}");
            assert_eq!(topic, "$dps/registrations/res/401/?$rid=1");
            assert_eq!(body["errorCode"], 401_002);
        }
    }
}

#[rstest]
#[case::nothing_to_show(&connect(ID, &user_name(ID), 0), "neither a certificate nor a token")]
#[case::other_client_id(&connect("b", &user_name(ID), 0), "the client id is")]
#[case::hub_user_name(&connect(ID, &format!("{HUB}/{ID}/?api-version=1"), 0), "the user name is not")]
fn refused_sessions(#[case] hello: &[u8], #[case] reason: &str) {
    let mut world = World::new();
    let mut client = world.connect(DPS, 8883, None);
    assert_eq!(world.exchange(&mut client, hello), NOT_AUTHORIZED);
    assert_eq!(client.then, Then::Finish);
    let events = world.event_lines();
    assert!(events.contains(reason), "{events}");
}

#[rstest]
#[case::unknown_topic(&publish("$dps/registrations/x/", "", None), "no such topic")]
#[case::no_request_id(&publish("$dps/registrations/PUT/iotdps-register/?", "", None), "no `$rid`")]
#[case::exactly_once(b"\x34\x07\0\x03a/b\0\x01", "no QoS 2")]
#[case::second_connect(&connect(ID, &user_name(ID), 0), "unexpected CONNECT")]
fn violations_close_the_connection(#[case] bytes: &[u8], #[case] reason: &str) {
    let (mut world, mut client) = enrolled(config());
    session(&mut world, &mut client, &connect(ID, &user_name(ID), 0));
    assert_eq!(world.exchange(&mut client, bytes), b"");
    assert_eq!(client.then, Then::Finish);
    let events = world.event_lines();
    assert!(events.contains(reason), "{events}");
}

#[test]
fn other_subscriptions_are_refused_and_too_much_is_too_much() {
    let (mut world, mut client) = enrolled(config());
    let hello = connect(ID, &user_name(ID), 0);
    assert_eq!(world.exchange(&mut client, &hello), ACCEPTED);
    let refused = world.exchange(&mut client, &subscribe("#", 1));
    assert_eq!(refused, b"\x90\x03\0\x09\x80");
    let unheard = publish(&format!("{REGISTER}1"), "{}", None);
    assert_eq!(world.exchange(&mut client, &unheard), b"");
    world.exchange(&mut client, &subscribe(RESPONSES, 2));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(96 * 1024));
    let (topic, body) = ask(&mut world, &mut client, &format!("{REGISTER}2"), &large);
    assert_eq!(topic, "$dps/registrations/res/413/?$rid=2");
    assert_eq!(body["errorCode"], 413_000);
}

#[test]
fn a_fault_answers_429() {
    let (mut world, mut client) = enrolled(config());
    session(&mut world, &mut client, &connect(ID, &user_name(ID), 0));
    let rule = Rule {
        path: Some(Pattern("*iotdps-register*".into())),
        times: Repeat::Times(1),
        ..Rule::default()
    };
    let effect = Effect::Answer(Answer {
        status: 429,
        error_code: None,
        retry_after: Some("5".into()),
    });
    world.cloud.inject(CloudFault { rule, effect }).unwrap();
    let register = format!("{REGISTER}1");
    let (topic, _) = ask(&mut world, &mut client, &register, "{}");
    assert_eq!(topic, "$dps/registrations/res/429/?$rid=1&retry-after=5");
    let (topic, _) = ask(&mut world, &mut client, &register, "{}");
    assert_eq!(topic, "$dps/registrations/res/202/?$rid=1&retry-after=3");
}
