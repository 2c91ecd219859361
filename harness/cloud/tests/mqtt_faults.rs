//! Faults of registrations over MQTT.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{CloudConfig, ServerChain, Then};
use rstest::rstest;
use support::mqtt::{connect, publish, read_publish, subscribe};
use support::{Client, DPS, Device, ID, World};

const REGISTER: &str = "$dps/registrations/PUT/iotdps-register/?$rid=1";

/// A device that is enrolled, its connection, and one fault.
fn with(fault: &str) -> (World, Client) {
    let mut world = World::with(CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256));
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    world
        .cloud
        .inject(serde_json::from_str(fault).unwrap())
        .unwrap();
    let client = world.connect(DPS, 8883, Some(&device));
    (world, client)
}

fn hello() -> Vec<u8> {
    connect(
        ID,
        &format!("0ne00000000/registrations/{ID}/api-version=2019-03-31"),
        0,
    )
}

/// What comes back at once for the registration request.
fn register(world: &mut World, client: &mut Client) -> Vec<u8> {
    assert_eq!(world.exchange(client, &hello()), b"\x20\x02\0\0");
    world.exchange(client, &subscribe("$dps/registrations/res/#", 1));
    world.exchange(client, &publish(REGISTER, "{}", None))
}

#[rstest]
#[case::answer(
    r#"{"answer": {"status": 429, "retry_after": "5"}}"#,
    "429/?$rid=1&retry-after=5",
    "{\"errorCode\":429000"
)]
#[case::of_the_device(
    r#"{"device": "az-*", "answer": {"status": 503}}"#,
    "503/?$rid=1",
    "{\"errorCode\":503000"
)]
#[case::of_another(
    r#"{"device": "x*", "answer": {"status": 503}}"#,
    "202/?$rid=1&retry-after=3",
    "{\"operationId\":"
)]
#[case::for_the_topic(
    r#"{"topic": "*iotdps-register*", "retry_after": "soon"}"#,
    "202/?$rid=1&retry-after=soon",
    "{\"operationId\":"
)]
#[case::not_for_the_topic(
    r#"{"topic": "*operationstatus*", "retry_after": "soon"}"#,
    "202/?$rid=1&retry-after=3",
    "{\"operationId\":"
)]
#[case::fail(
    r#"{"fail": {"error_code": 400208}}"#,
    "202/?$rid=1&retry-after=3",
    "{\"operationId\":"
)]
#[case::no_content_type(
    r#"{"content_type": "text/html"}"#,
    "202/?$rid=1&retry-after=3",
    "{\"operationId\":"
)]
fn answers(#[case] fault: &str, #[case] topic: &str, #[case] body: &str) {
    let (mut world, mut client) = with(fault);
    let (seen, payload) = read_publish(&register(&mut world, &mut client));
    assert_eq!(seen, format!("$dps/registrations/res/{topic}"));
    assert!(payload.starts_with(body.as_bytes()));
    serde_json::from_slice::<serde_json::Value>(&payload).unwrap();
}

#[test]
fn another_topic() {
    let (mut world, mut client) = with(r#"{"answer_topic": "$dps/x"}"#);
    let (topic, _) = read_publish(&register(&mut world, &mut client));
    assert_eq!(topic, "$dps/x");
}

#[rstest]
#[case(r#"{"truncate": {"keep": 5}}"#, b"{\"ope")]
#[case(r#"{"truncate_json": null}"#, b"{\"operationId\":\"")]
fn short_bodies(#[case] fault: &str, #[case] start: &[u8]) {
    let (mut world, mut client) = with(fault);
    let (_, payload) = read_publish(&register(&mut world, &mut client));
    assert!(payload.starts_with(start));
    assert!(serde_json::from_slice::<serde_json::Value>(&payload).is_err());
    assert_eq!(client.then, Then::Continue);
}

#[test]
fn a_long_body() {
    let (mut world, mut client) = with(r#"{"oversize": {"bytes": 100}}"#);
    let answer = register(&mut world, &mut client);
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("\"padding\":\"xxx"), "{text}");
}

#[rstest]
#[case("stall", Then::Continue)]
#[case("close", Then::Finish)]
#[case("reset", Then::Reset)]
fn no_answer(#[case] effect: &str, #[case] then: Then) {
    let (mut world, mut client) = with(&format!(r#"{{"method": "PUBLISH", "{effect}": null}}"#));
    assert_eq!(register(&mut world, &mut client), b"");
    assert_eq!(client.then, then);
}

#[test]
fn an_answer_then_the_end() {
    let (mut world, mut client) = with(r#"{"method": "PUBLISH", "close_after": null}"#);
    let (topic, _) = read_publish(&register(&mut world, &mut client));
    assert_eq!(topic, "$dps/registrations/res/202/?$rid=1&retry-after=3");
    assert_eq!(client.then, Then::Finish);
}

#[test]
fn a_refused_connection() {
    let (mut world, mut client) = with(r#"{"connack": 5}"#);
    assert_eq!(world.exchange(&mut client, &hello()), b"\x20\x02\0\x05");
    assert_eq!(client.then, Then::Finish);
    let lines = world.event_lines();
    assert!(
        lines.contains("\"kind\":\"registration_connect\""),
        "{lines}"
    );
}

#[test]
fn a_late_answer() {
    let (mut world, mut client) = with(r#"{"method": "PUBLISH", "delay": {"ms": 700}}"#);
    assert_eq!(register(&mut world, &mut client), b"");
    world.wait(Duration::from_millis(700));
    let (topic, _) = read_publish(&world.exchange(&mut client, b""));
    assert_eq!(topic, "$dps/registrations/res/202/?$rid=1&retry-after=3");
}

#[test]
fn a_registration_that_fails() {
    let (mut world, mut client) = with(r#"{"fail": {"error_code": 400208}}"#);
    let (_, payload) = read_publish(&register(&mut world, &mut client));
    let answer: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    let operation = answer["operationId"].as_str().unwrap();
    world.wait(Duration::from_secs(4));
    let topic = format!(
        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId={operation}"
    );
    let (topic, payload) = read_publish(&world.exchange(&mut client, &publish(&topic, "", None)));
    assert_eq!(topic, "$dps/registrations/res/200/?$rid=2");
    let answer: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(answer["registrationState"]["errorCode"], 400_208);
}
