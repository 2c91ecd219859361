//! MQTT over WebSocket, with hand-written handshakes and frames.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{Port, Then};
use rstest::rstest;
use support::mqtt::{connect, publish};
use support::{Client, DPS, Device, HUB, ID, World};

fn handshake(host: &str, subprotocol: &str) -> String {
    format!(
        "GET /$iothub/websocket?iothub-no-client-cert=true HTTP/1.1\r\nHost: {host}:443\r\n\
        Upgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    )
}

/// A client's frame (RFC 6455 section 5.2), masked.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [1, 2, 3, 4];
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(short @ ..126) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend(MASK);
    let masked = payload.iter().enumerate();
    frame.extend(masked.map(|(index, byte)| byte ^ MASK[index % 4]));
    frame
}

/// A world with a provisioned device and its WebSocket connection to the hub.
fn connected() -> (World, Client) {
    let mut world = World::new();
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(world.register(&mut client, ID).status, 202);
    world.wait(Duration::from_secs(4));
    let mut client = world.connect(HUB, 443, Some(&device));
    let answer = world.exchange(&mut client, handshake(HUB, "mqtt").as_bytes());
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(
        answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    );
    (world, client)
}

fn user_name() -> String {
    format!("{HUB}/{ID}/?api-version=2021-04-12")
}

#[test]
fn a_device_talks_to_its_hub() {
    let (mut world, mut client) = connected();
    let hello = frame(2, &connect(ID, &user_name(), 60));
    assert_eq!(world.exchange(&mut client, &hello), b"\x82\x04\x20\x02\0\0");
    let topic = format!("devices/{ID}/messages/events/");
    let message = publish(&topic, "{}", Some(7));
    let (first, second) = message.split_at(9);
    assert_eq!(world.exchange(&mut client, &frame(2, first)), b"");
    let answer = world.exchange(&mut client, &frame(2, second));
    assert_eq!(answer, b"\x82\x04\x40\x02\0\x07");
    assert_eq!(world.exchange(&mut client, &frame(9, b"?")), b"\x8a\x01?");
    let bye = world.exchange(&mut client, &frame(2, b"\xe0\0"));
    assert_eq!(bye, b"\x88\x02\x03\xe8");
    assert_eq!(client.then, Then::Finish);
    let events = world.event_lines();
    assert!(
        events.contains(r#""path":"/$iothub/websocket""#),
        "{events}"
    );
    assert!(events.contains(r#""status":101"#), "{events}");
    assert!(events.contains(r#""kind":"telemetry""#), "{events}");
    assert!(events.contains(r#""reason":"client""#), "{events}");
}

#[test]
fn frames_may_come_with_the_handshake() {
    let (mut world, first) = connected();
    world.cloud.closed(world.now, first.number);
    let mut client = world.accept(Port::Https, HUB, None);
    let mut bytes = handshake(HUB, "MQTT").into_bytes();
    bytes.extend(frame(2, &connect("b", &user_name(), 60)));
    let answer = world.exchange(&mut client, &bytes);
    assert!(answer.ends_with(b"\r\n\r\n\x82\x04\x20\x02\0\x05\x88\x02\x03\xe8"));
    assert_eq!(client.then, Then::Finish);
}

#[rstest]
#[case::text(&frame(1, b"x"), "\u{88}\u{2}\u{3}\u{eb}", "a text message")]
#[case::unmasked(b"\x82\x01x", "\u{88}\u{2}\u{3}\u{ea}", "WebSocket protocol error")]
#[case::not_mqtt(&frame(2, b"GET / HTTP/1.1\r\n"), "\u{88}\u{2}\u{3}\u{e8}", "protocol error")]
fn violations(#[case] bytes: &[u8], #[case] answer: &str, #[case] reason: &str) {
    let (mut world, mut client) = connected();
    let answer: Vec<u8> = answer.chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(world.exchange(&mut client, bytes), answer);
    assert_eq!(client.then, Then::Finish);
    let events = world.event_lines();
    assert!(events.contains(reason), "{events}");
}

#[test]
fn another_subprotocol_is_refused_and_the_connection_stays() {
    let mut world = World::new();
    let mut client = world.connect(HUB, 443, None);
    let answer = world.exchange(&mut client, handshake(HUB, "amqp").as_bytes());
    assert_eq!(support::Answer::parse(&answer).status, 400);
    assert_eq!(client.then, Then::Continue);
}
