//! The hub over real TLS: hand-written MQTT bytes from a client of another TLS provider.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{CloudConfig, ServerChain, Then};
use rstest::rstest;
use support::mqtt::{connect, publish, subscribe};
use support::{Client, DPS, Device, HUB, ID, World};

const CONNACK_ACCEPTED: &[u8] = b"\x20\x02\0\0";
const CONNACK_NOT_AUTHORIZED: &[u8] = b"\x20\x02\0\x05";

fn user_name(device_id: &str) -> String {
    format!("{HUB}/{device_id}/?api-version=2021-04-12")
}

/// A world in which a device was provisioned as `AZ3166`.
fn provisioned() -> (World, Device) {
    provisioned_with(ServerChain::EcdsaP256)
}

fn provisioned_with(chain: ServerChain) -> (World, Device) {
    let mut world = World::with(CloudConfig::virtual_time([5; 32], chain));
    let device = Device::new(ID);
    let enrolment = device.enrolment(ID).with_device_id("AZ3166");
    world.cloud.enrol(enrolment).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(world.register(&mut client, ID).status, 202);
    world.wait(Duration::from_secs(4));
    world.cloud.closed(world.now, client.number);
    world.cloud.drain_events();
    (world, device)
}

/// The device's session with its hub.
fn session(world: &mut World, device: &Device) -> Client {
    let mut client = world.connect(HUB, 8883, Some(device));
    let answer = world.exchange(&mut client, &connect("AZ3166", &user_name("AZ3166"), 60));
    assert_eq!(answer, CONNACK_ACCEPTED);
    client
}

#[rstest]
fn a_device_talks_to_its_hub(
    #[values(ServerChain::EcdsaP256, ServerChain::Rsa4096Sha384)] chain: ServerChain,
) {
    let (mut world, device) = provisioned_with(chain);
    let known = world.cloud.devices().next().unwrap();
    assert!(!known.is_connected());
    let mut client = session(&mut world, &device);
    let topic = "devices/AZ3166/messages/events/%24.ct=application%2Fjson&k=v";
    let telemetry = publish(topic, "{\"temperature\":21}", Some(7));
    assert_eq!(world.exchange(&mut client, &telemetry), b"\x40\x02\0\x07");
    let unacknowledged = publish("devices/AZ3166/messages/events/", "two", None);
    assert_eq!(world.exchange(&mut client, &unacknowledged), b"");
    assert_eq!(world.exchange(&mut client, b"\xc0\0"), b"\xd0\0");
    let known = world.cloud.devices().next().unwrap();
    assert!(known.is_connected());
    assert_eq!(
        (known.hub.as_str(), known.device_id.as_str()),
        (HUB, "AZ3166")
    );
    let bodies: Vec<&[u8]> = known.telemetry.iter().map(|t| t.body.as_slice()).collect();
    assert_eq!(bodies, [b"{\"temperature\":21}".as_slice(), b"two"]);
    assert_eq!(world.exchange(&mut client, b"\xe0\0"), b"");
    assert_eq!(client.then, Then::Finish);
    assert!(!world.cloud.devices().next().unwrap().is_connected());
    let lines = world.event_lines();
    if chain == ServerChain::EcdsaP256 {
        let (_, lines) = lines.split_once('\n').unwrap();
        insta::assert_snapshot!(lines, @r#"
{"kind":"mqtt_connect","connection":2,"client_id":"AZ3166","user_name":"hil-hub.azure-devices.net/AZ3166/?api-version=2021-04-12","return_code":0}
{"kind":"telemetry","device_id":"AZ3166","body":"{\"temperature\":21}","properties":"%24.ct=application%2Fjson&k=v"}
{"kind":"telemetry","device_id":"AZ3166","body":"two","properties":""}
{"kind":"mqtt_disconnect","device_id":"AZ3166","reason":"client"}
"#);
    }
}

#[test]
fn the_twin_is_read_and_patched() {
    let (mut world, device) = provisioned();
    let mut client = session(&mut world, &device);
    let get = publish("$iothub/twin/GET/?$rid=1", " ", None);
    assert_eq!(world.exchange(&mut client, &get), b"", "not subscribed yet");
    let filter = "$iothub/twin/res/#";
    assert_eq!(
        world.exchange(&mut client, &subscribe(filter, 0)),
        b"\x90\x03\0\x09\0"
    );
    let answer = |topic: &str, body: &str| publish(topic, body, None);
    assert_eq!(
        world.exchange(&mut client, &get),
        answer(
            "$iothub/twin/res/200/?$rid=1",
            r#"{"desired":{"$version":1},"reported":{"$version":1}}"#
        )
    );
    let path = "$iothub/twin/PATCH/properties/reported/?$rid=2";
    assert_eq!(
        world.exchange(&mut client, &publish(path, r#"{"a":1}"#, None)),
        answer("$iothub/twin/res/204/?$rid=2&$version=2", "")
    );
    assert_eq!(
        world.exchange(&mut client, &publish(path, "[]", None)),
        answer("$iothub/twin/res/400/?$rid=2", "")
    );
    assert_eq!(
        world.exchange(&mut client, &get),
        answer(
            "$iothub/twin/res/200/?$rid=1",
            r#"{"desired":{"$version":1},"reported":{"$version":2,"a":1}}"#
        )
    );
}

#[rstest]
#[case(&subscribe("devices/AZ3166/messages/devicebound/#", 2), b"\x90\x03\0\x09\x01")]
#[case(&subscribe("devices/other/messages/devicebound/#", 1), b"\x90\x03\0\x09\x80")]
#[case(&subscribe("#", 0), b"\x90\x03\0\x09\x80")]
#[case(b"\xa2\x07\0\x09\0\x03a/b", b"\xb0\x02\0\x09")]
fn subscriptions(#[case] request: &[u8], #[case] answer: &[u8]) {
    let (mut world, device) = provisioned();
    let mut client = session(&mut world, &device);
    assert_eq!(world.exchange(&mut client, request), answer);
}

#[derive(Clone, Copy)]
enum Shown {
    Own,
    Other,
    Nothing,
}

#[rstest]
#[case::other_certificate(Shown::Other, "AZ3166", &user_name("AZ3166"), "401003 Thumbprint does not match")]
#[case::no_certificate(Shown::Nothing, "AZ3166", &user_name("AZ3166"), "showed no certificate")]
#[case::unknown_device(Shown::Own, "b", &user_name("b"), "knows no such device")]
#[case::other_client_id(Shown::Own, "b", &user_name("AZ3166"), "the client id is \"b\"")]
#[case::other_hub(
    Shown::Own,
    "AZ3166",
    "b.azure-devices.net/AZ3166/?api-version=1",
    "is for the hub"
)]
#[case::no_user_name(Shown::Own, "AZ3166", "AZ3166", "the user name is not")]
fn the_hub_refuses(
    #[case] shown: Shown,
    #[case] client_id: &str,
    #[case] user_name: &str,
    #[case] reason: &str,
) {
    let (mut world, device) = provisioned();
    let other = Device::new(ID);
    let shown = match shown {
        Shown::Own => Some(&device),
        Shown::Other => Some(&other),
        Shown::Nothing => None,
    };
    let mut client = world.connect(HUB, 8883, shown);
    let answer = world.exchange(&mut client, &connect(client_id, user_name, 60));
    assert_eq!(answer, CONNACK_NOT_AUTHORIZED);
    assert_eq!(client.then, Then::Finish);
    let events = world.event_lines();
    assert!(events.contains(&reason.replace('"', "\\\"")), "{events}");
    assert!(!world.cloud.devices().next().unwrap().is_connected());
}

#[rstest]
#[case::nothing_before_connect(false, b"\xc0\0", "unexpected PINGREQ")]
#[case::not_mqtt(false, b"GET / HTTP/1.1\r\n\r\n", "protocol error")]
#[case::second_connect(true, &connect("AZ3166", &user_name("AZ3166"), 60), "unexpected CONNECT")]
#[case::servers_packet(true, b"\xd0\0", "unexpected PINGRESP")]
#[case::other_devices_topic(true, &publish("devices/b/messages/events/", "", None), "another device's")]
#[case::unknown_topic(true, &publish("a/b", "", None), "no such topic")]
#[case::exactly_once(true, b"\x34\x07\0\x03a/b\0\x01", "no QoS 2")]
fn the_hub_closes_the_connection(
    #[case] connected: bool,
    #[case] bytes: &[u8],
    #[case] reason: &str,
) {
    let (mut world, device) = provisioned();
    let mut client = match connected {
        true => session(&mut world, &device),
        false => world.connect(HUB, 8883, Some(&device)),
    };
    assert_eq!(world.exchange(&mut client, bytes), b"");
    assert_eq!(client.then, Then::Finish);
    let events = world.event_lines();
    assert!(events.contains(reason), "{events}");
    assert!(!world.cloud.devices().next().unwrap().is_connected());
}

#[test]
fn another_protocol_version_is_told_so() {
    let (mut world, device) = provisioned();
    let mut client = world.connect(HUB, 8883, Some(&device));
    let version_5 = b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01d";
    assert_eq!(world.exchange(&mut client, version_5), b"\x20\x02\0\x01");
    assert_eq!(client.then, Then::Finish);
}

#[test]
fn a_second_session_ends_the_first() {
    let (mut world, device) = provisioned();
    let mut first = session(&mut world, &device);
    let mut second = session(&mut world, &device);
    world.pump(&mut first);
    assert_eq!(first.then, Then::Finish);
    world.cloud.closed(world.now, first.number);
    assert!(world.cloud.devices().next().unwrap().is_connected());
    assert_eq!(world.exchange(&mut second, b"\xc0\0"), b"\xd0\0");
    let lines = world.event_lines();
    assert_eq!(lines.matches("mqtt_disconnect").count(), 1);
    assert!(lines.contains("\"reason\":\"replaced\""));
}

#[test]
fn silence_ends_a_session_after_one_and_a_half_keep_alives() {
    let (mut world, device) = provisioned();
    let mut client = session(&mut world, &device);
    world.wait(Duration::from_secs(80));
    assert_eq!(world.exchange(&mut client, b"\xc0\0"), b"\xd0\0");
    let deadline = world.now + Duration::from_secs(90);
    assert_eq!(world.cloud.next_deadline(), Some(deadline));
    world.wait(Duration::from_secs(90));
    world.pump(&mut client);
    assert_eq!(client.then, Then::Finish);
    assert!(!world.cloud.devices().next().unwrap().is_connected());
    let events = world.cloud.drain_events();
    assert_eq!(events.last().unwrap().0, deadline);
}

#[test]
fn a_lost_connection_ends_the_session() {
    let (mut world, device) = provisioned();
    let client = session(&mut world, &device);
    world.cloud.closed(world.now, client.number);
    assert!(!world.cloud.devices().next().unwrap().is_connected());
    assert!(world.event_lines().contains("connection lost"));
}
