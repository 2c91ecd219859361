//! TCP through the gateway: carried bytes, ends of every kind, faults.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use core::time::Duration;

use az3166_event::NetworkEvent;
use az3166_network::{Closing, NetworkFault};
use rstest::rstest;
use smoltcp::socket::tcp::State;
use world::{Call, HOST, World};

const GREETING: &[u8] = b"good day";

fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 251) as u8)
        .collect()
}

#[rstest]
#[case::clean(vec![])]
#[case::loss(vec![NetworkFault::Loss { percent: 20 }])]
#[case::corruption(vec![NetworkFault::Corrupt { percent: 10 }])]
#[case::latency(vec![NetworkFault::Latency(Duration::from_millis(80))])]
#[case::duplication(vec![NetworkFault::Duplicate { percent: 30 }])]
#[case::all(vec![
    NetworkFault::Loss { percent: 10 },
    NetworkFault::Corrupt { percent: 5 },
    NetworkFault::Latency(Duration::from_millis(20)),
])]
fn bytes_arrive_whole(#[case] faults: Vec<NetworkFault>) {
    let mut world = World::new();
    let handle = world.connect(7);
    for fault in faults {
        world.gateway.inject(fault);
    }
    let bytes = bytes(60_000);
    let echo = world.exchange(handle, &bytes, bytes.len());
    assert!(echo == bytes, "{} of {} bytes", echo.len(), bytes.len());
    assert!(world.services.received[&1] == bytes);
}

#[test]
fn connections_go_on_side_by_side() {
    let mut world = World::new();
    let first = world.connect(7);
    let second = world.connect(7);
    assert_eq!(world.exchange(second, b"two", 3), b"two");
    assert_eq!(world.exchange(first, b"one", 3), b"one");
    let other = world.resolve("other.example").unwrap();
    world.connect_to(other, 9);
    let opened: Vec<_> = world.services.calls.clone();
    let open = |number, host: &str, port| Call::Open(number, host.into(), port);
    assert_eq!(
        opened,
        [
            open(1, HOST, 7),
            open(2, HOST, 7),
            open(3, "other.example", 9)
        ]
    );
}

#[test]
fn an_address_without_a_name_is_its_own_name() {
    let mut world = World::new();
    let handle = world.connect_to([192, 0, 2, 1].into(), 7);
    assert_eq!(world.exchange(handle, b"hello", 5), b"hello");
    assert_eq!(world.services.calls, [Call::Open(1, "192.0.2.1".into(), 7)]);
}

#[rstest]
#[case::by_the_service(80, None, vec!["reset by service"])]
#[case::by_a_fault(7, Some(NetworkFault::TcpRefuse { host: Some("HOST.example".into()), port: Some(7) }), vec!["reset by service"])]
#[case::fault_of_another_host(7, Some(NetworkFault::TcpRefuse { host: Some("other.example".into()), port: Some(7) }), vec![])]
#[case::fault_of_another_port(7, Some(NetworkFault::TcpRefuse { host: None, port: Some(9) }), vec![])]
fn refusals(#[case] port: u16, #[case] fault: Option<NetworkFault>, #[case] endings: Vec<&str>) {
    let mut world = World::new();
    world.resolve(HOST).unwrap();
    if let Some(fault) = fault {
        world.gateway.inject(fault);
    }
    let start = world.now;
    let handle = world.connect(port);
    let refused = !endings.is_empty();
    assert_eq!(world.device.tcp(handle).state() == State::Closed, refused);
    assert_eq!(world.now, start, "at once");
    assert_eq!(world.endings(), endings);
}

#[test]
fn the_service_finishes() {
    let mut world = World::new();
    let handle = world.connect(13);
    assert_eq!(world.exchange(handle, b"", GREETING.len()), GREETING);
    world.run(Duration::from_secs(1), |world| {
        world.device.tcp(handle).state() == State::CloseWait
    });
    world.device.tcp(handle).close();
    world.wait(Duration::from_secs(30));
    assert_eq!(world.device.tcp(handle).state(), State::Closed);
    assert_eq!(
        world.services.calls[1..],
        [Call::Closed(1, Closing::Finished)]
    );
    assert_eq!(world.endings(), ["service"]);
}

#[test]
fn the_service_resets() {
    let mut world = World::new();
    world
        .gateway
        .inject(NetworkFault::Latency(Duration::from_millis(5)));
    let handle = world.connect(14);
    assert_eq!(world.exchange(handle, b"", GREETING.len()), GREETING);
    let closed = |world: &mut World| world.device.tcp(handle).state() == State::Closed;
    assert!(world.run(Duration::from_secs(1), closed));
    assert_eq!(world.services.calls.len(), 1);
    assert_eq!(world.endings(), ["reset by service"]);
}

#[rstest]
#[case::nothing_to_say(7, b"")]
#[case::last_words(15, GREETING)]
fn the_device_finishes(#[case] port: u16, #[case] last_words: &[u8]) {
    let mut world = World::new();
    let handle = world.connect(port);
    world.device.tcp(handle).close();
    assert_eq!(world.exchange(handle, b"", usize::MAX), last_words);
    world.wait(Duration::from_secs(30));
    assert_eq!(world.device.tcp(handle).state(), State::Closed);
    assert_eq!(
        world.services.calls[1..],
        [Call::Closed(1, Closing::Finished)]
    );
    assert_eq!(world.endings(), ["device"]);
}

#[test]
fn the_device_resets() {
    let mut world = World::new();
    let handle = world.connect(7);
    world.device.tcp(handle).send_slice(b"last").unwrap();
    world.wait(Duration::from_secs(1));
    world.device.tcp(handle).abort();
    world.wait(Duration::from_secs(1));
    assert_eq!(world.services.received[&1], b"last");
    assert_eq!(world.services.calls[1..], [Call::Closed(1, Closing::Reset)]);
    assert_eq!(world.endings(), ["reset by device"]);
}

#[test]
fn a_device_that_falls_silent_is_lost() {
    let mut world = World::new();
    let handle = world.connect(7);
    world.device.tcp(handle).send_slice(b"hello").unwrap();
    let heard = |world: &mut World| world.services.received.contains_key(&1);
    world
        .gateway
        .inject(NetworkFault::Latency(Duration::from_millis(1)));
    assert!(world.run(Duration::from_secs(1), heard));
    world.gateway.inject(NetworkFault::LinkSilent);
    world.wait(Duration::from_secs(200));
    assert_eq!(world.services.calls[1..], [Call::Closed(1, Closing::Lost)]);
    assert_eq!(world.endings(), ["lost"]);
}

#[rstest]
fn a_connection_is_cut_after_its_bytes(#[values(0, 1, 99, 100, 101, 5_000)] after_bytes: u64) {
    let mut world = World::new();
    let handle = world.connect(7);
    world.gateway.inject(NetworkFault::TcpDrop {
        host: Some(HOST.into()),
        after_bytes,
    });
    let sent = bytes(100);
    let mut echo = world.exchange(handle, &sent, 100);
    world.wait(Duration::from_secs(1));
    let cut = after_bytes <= 200;
    assert_eq!(world.device.tcp(handle).state() == State::Closed, cut);
    let socket = world.device.tcp(handle);
    if socket.can_recv() {
        echo.extend(socket.recv(|rest| (rest.len(), rest.to_vec())).unwrap());
    }
    let up = world.services.received.get(&1).map_or(0, Vec::len);
    let allowed = usize::try_from(after_bytes).unwrap().min(200);
    assert_eq!(
        (up, echo.len()),
        (allowed.min(100), allowed - allowed.min(100))
    );
    let endings: &[&str] = if cut { &["lost"] } else { &[] };
    assert_eq!(world.endings(), endings);
    assert_eq!(world.services.calls.len(), 1 + endings.len());
}

#[test]
fn a_silent_link_answers_nothing() {
    let mut world = World::new();
    world.gateway.inject(NetworkFault::LinkSilent);
    let handle = world.device.connect([192, 0, 2, 1].into(), 7);
    world.wait(Duration::from_secs(30));
    assert_eq!(world.device.tcp(handle).state(), State::SynSent);
    assert!(world.services.calls.is_empty());
    world.gateway.clear_faults();
    world.wait(Duration::from_secs(60));
    assert_eq!(world.device.tcp(handle).state(), State::Established);
}

#[test]
fn a_silent_port_answers_nothing() {
    let mut world = World::new();
    let address = world.resolve(HOST).unwrap();
    world.gateway.inject(NetworkFault::TcpSilent { port: 7 });
    let handle = world.device.connect(address, 7);
    world.wait(Duration::from_secs(30));
    assert_eq!(world.device.tcp(handle).state(), State::SynSent);
    let handle = world.connect(9);
    assert_eq!(world.device.tcp(handle).state(), State::Established);
    assert_eq!(world.services.calls.len(), 1);
}

#[test]
fn latency_is_paid_each_way() {
    let mut world = World::new();
    let address = world.resolve(HOST).unwrap();
    world
        .gateway
        .inject(NetworkFault::Latency(Duration::from_millis(70)));
    let start = world.now;
    world.connect_to(address, 7);
    assert_eq!(world.now - start, Duration::from_millis(140));
}

#[test]
fn the_same_ports_can_be_used_again_while_the_old_connection_fades() {
    let mut world = World::new();
    let handle = world.connect(13);
    world.run(Duration::from_secs(1), |world| {
        world.device.tcp(handle).state() == State::CloseWait
    });
    world.device.tcp(handle).close();
    world.wait(Duration::from_millis(100));
    // The gateway closed first, so its side waits in TIME-WAIT; the device begins anew.
    world.device = world::Device::new();
    let handle = world.connect(13);
    assert_eq!(world.device.tcp(handle).state(), State::CloseWait);
    assert!(
        world
            .services
            .calls
            .contains(&Call::Open(2, HOST.into(), 13))
    );
}

#[test]
fn an_idle_connection_stays() {
    let mut world = World::new();
    let handle = world.connect(7);
    assert_eq!(world.exchange(handle, b"one", 3), b"one");
    world.wait(Duration::from_secs(3_600));
    assert_eq!(world.exchange(handle, b"two", 3), b"two");
    world.wait(Duration::from_secs(3_600));
    world.device.tcp(handle).close();
    world.wait(Duration::from_secs(1));
    assert_eq!(world.endings(), ["device"]);
}

#[test]
fn events_name_the_host() {
    let mut world = World::new();
    world.connect(7);
    let open = NetworkEvent::TcpOpen {
        connection: 1,
        host: HOST.into(),
        port: 7,
    };
    assert!(world.events().contains(&open));
}
