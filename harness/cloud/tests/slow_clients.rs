//! Clients that send as little as keeps a connection open: each deadline is for the whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use az3166_cloud::{Port, Then};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use support::{Answer, DPS, World, client_config};

const SECOND: Duration = Duration::from_secs(1);

/// Seconds until the service ends the connection to a client that sends one of `bytes` a second,
/// and what it says then.
fn endured(world: &mut World, client: &mut support::Client, bytes: &[u8]) -> (usize, Vec<u8>) {
    for (seconds, byte) in bytes.iter().enumerate() {
        let answer = world.exchange(client, &[*byte]);
        if client.then == Then::Finish {
            return (seconds, answer);
        }
        assert_eq!(answer, b"", "after {seconds} s");
        world.wait(SECOND);
    }
    panic!("it is patient without end");
}

#[test]
fn a_request_has_one_deadline_from_its_first_byte() {
    let mut world = World::new();
    let head = format!("GET / HTTP/1.1\r\nHost: {DPS}\r\nX: {}", "x".repeat(300));
    let body = format!(
        "PUT / HTTP/1.1\r\nHost: {DPS}\r\nContent-Length: 300\r\n\r\n{}",
        "x".repeat(299)
    );
    for slow in [head, body] {
        let mut client = world.connect(DPS, 443, None);
        // Idle is not slow.
        world.wait(100 * SECOND);
        let (seconds, answer) = endured(&mut world, &mut client, slow.as_bytes());
        assert_eq!(seconds, 60);
        assert_eq!(Answer::parse(&answer).status, 408);
    }
}

#[test]
fn the_next_request_has_a_deadline_of_its_own() {
    let mut world = World::new();
    let mut client = world.connect(DPS, 443, None);
    let request = format!("GET / HTTP/1.1\r\nHost: {DPS}\r\n\r\n");
    for _ in 0..3 {
        let (first, last) = request.split_at(20);
        world.exchange(&mut client, first.as_bytes());
        world.wait(50 * SECOND);
        let answer = world.exchange(&mut client, last.as_bytes());
        assert_eq!(Answer::parse(&answer).status, 404);
        world.wait(110 * SECOND);
    }
    world.wait(11 * SECOND);
    world.pump(&mut client);
    assert_eq!(client.then, Then::Finish, "idle for too long");
    assert_eq!(world.exchange(&mut client, b""), b"", "nothing was asked");
}

#[test]
fn a_handshake_has_one_deadline() {
    let mut world = World::new();
    for port in [Port::Https, Port::Mqtt] {
        let config = client_config(world.cloud.trust_anchor(), None);
        let name = ServerName::try_from(DPS).unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        assert!(hello.len() > 70);
        world.connections += 1;
        let number = world.connections;
        world.cloud.accept(world.now, number, port);
        let ended = hello.iter().position(|byte| {
            world.cloud.receive(world.now, number, &[*byte]);
            let then = world.cloud.transmit(world.now, number).then;
            world.wait(SECOND);
            then == Then::Finish
        });
        assert_eq!(ended, Some(60), "{port:?}");
    }
    let reasons = world.event_lines();
    assert_eq!(reasons.matches("the handshake took too long").count(), 2);
}
