//! DNS, SNTP, ICMP and frames that are none.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use core::net::Ipv4Addr;
use core::time::Duration;

use az3166_event::NetworkEvent;
use az3166_network::{GATEWAY_ADDRESS, NetworkFault};
use rstest::rstest;
use smoltcp::socket::dns::GetQueryResultError;
use smoltcp::wire::{Icmpv4Message, Icmpv4Packet, Icmpv4Repr, IpProtocol, Ipv4Packet, Ipv4Repr};
use world::{HOST, NTP, UNIX_AT_ZERO, World};

#[test]
fn names_get_addresses_in_the_order_of_asking() {
    let mut world = World::new();
    assert_eq!(world.resolve(NTP), Ok([10, 64, 1, 1].into()));
    assert_eq!(world.resolve("HOST.example"), Ok([10, 64, 1, 2].into()));
    assert_eq!(world.resolve(NTP), Ok([10, 64, 1, 1].into()));
    assert_eq!(
        world.resolve("unknown.example"),
        Err(GetQueryResultError::Failed)
    );
    let dns = |name: &str, answer: Option<&str>| NetworkEvent::Dns {
        name: name.into(),
        answer: answer.map(String::from),
    };
    assert_eq!(
        world.events(),
        [
            dns(NTP, Some("10.64.1.1")),
            dns(HOST, Some("10.64.1.2")),
            dns(NTP, Some("10.64.1.1")),
            dns("unknown.example", None),
        ]
    );
}

#[rstest]
#[case(NetworkFault::DnsSilent, Err(GetQueryResultError::Failed))]
#[case(NetworkFault::DnsNameError, Err(GetQueryResultError::Failed))]
#[case(NetworkFault::DnsWrongAddress, Ok([10, 64, 255, 1].into()))]
fn dns_faults(#[case] fault: NetworkFault, #[case] result: Result<Ipv4Addr, GetQueryResultError>) {
    let mut world = World::new();
    let name = fault.name();
    world.gateway.inject(fault.clone());
    assert_eq!(world.resolve(HOST), result);
    assert_eq!(
        fault == NetworkFault::DnsSilent,
        world.now.as_secs_f64() > 5.0
    );
    assert!(
        world
            .events()
            .contains(&NetworkEvent::Fault { fault: name.into() })
    );
    world.gateway.clear_faults();
    assert_eq!(world.resolve(HOST), Ok([10, 64, 1, 1].into()));
}

#[test]
fn a_malformed_answer_is_no_dns_message() {
    let mut world = World::new();
    world.gateway.inject(NetworkFault::DnsMalformed);
    let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01";
    world.device.send_datagram(query, GATEWAY_ADDRESS, 53);
    world.wait(Duration::from_secs(1));
    let (answer, _) = world.device.receive_datagram().unwrap();
    assert!(answer.len() < 12);
}

const REQUEST: [u8; 48] = {
    let mut request = [0; 48];
    request[0] = 0x23;
    request[40] = 0xAB;
    request[47] = 0xCD;
    request
};

fn ask_time(world: &mut World, address: Ipv4Addr) -> Option<Vec<u8>> {
    world.device.send_datagram(&REQUEST, address, 123);
    let mut answer = None;
    world.run(Duration::from_secs(5), |world| {
        answer = world.device.receive_datagram();
        answer.is_some()
    });
    let (bytes, from) = answer?;
    assert_eq!((from.addr, from.port), (address.into(), 123));
    Some(bytes)
}

/// The transmit timestamp of an answer, in milliseconds since 1970.
fn told(answer: &[u8]) -> i64 {
    let field = |at: usize| i64::from(u32::from_be_bytes(answer[at..at + 4].try_into().unwrap()));
    (field(40) - 2_208_988_800) * 1000 + ((field(44) * 1000 + (1 << 31)) >> 32)
}

#[test]
fn sntp_tells_the_virtual_time() {
    let mut world = World::new();
    let address = world.resolve(NTP).unwrap();
    world.wait(Duration::from_millis(12_345));
    let answer = ask_time(&mut world, address).unwrap();
    assert_eq!(told(&answer), UNIX_AT_ZERO as i64 * 1000 + 12_345);
    // Server, version 4, no alarm; the client's transmit time comes back as origin.
    assert_eq!((answer[0], answer[1]), (0x24, 1));
    assert_eq!(answer[24..32], REQUEST[40..]);
    let told = NetworkEvent::Sntp {
        unix_seconds: Some(UNIX_AT_ZERO as i64 + 12),
    };
    assert!(world.events().contains(&told));
}

#[test]
fn sntp_answers_for_its_names_alone() {
    let mut world = World::new();
    let address = world.resolve(HOST).unwrap();
    assert_eq!(ask_time(&mut world, address), None);
    assert_eq!(ask_time(&mut world, GATEWAY_ADDRESS), None);
}

#[rstest]
#[case(NetworkFault::SntpSilent, None)]
#[case(NetworkFault::SntpYear(1999), Some(915_148_800))]
#[case(NetworkFault::SntpKissOfDeath, None)]
#[case(NetworkFault::SntpMalformed, None)]
fn sntp_faults(#[case] fault: NetworkFault, #[case] unix_seconds: Option<i64>) {
    let mut world = World::new();
    let address = world.resolve(NTP).unwrap();
    world.gateway.inject(fault.clone());
    let answer = ask_time(&mut world, address);
    assert_eq!(answer.is_none(), fault == NetworkFault::SntpSilent);
    match (answer, unix_seconds) {
        (Some(answer), Some(seconds)) => assert_eq!(told(&answer), seconds * 1000),
        (Some(answer), None) if fault == NetworkFault::SntpMalformed => {
            assert_eq!(answer.len(), 4);
        }
        (Some(answer), None) => {
            assert_eq!(
                (answer[0], answer[1], &answer[12..16]),
                (0xE4, 0, b"RATE".as_slice())
            );
        }
        (None, _) => {}
    }
    assert!(
        world
            .events()
            .contains(&NetworkEvent::Sntp { unix_seconds })
    );
}

fn echo_request(destination: Ipv4Addr, source: Ipv4Addr) -> Vec<u8> {
    let ping = Icmpv4Repr::EchoRequest {
        ident: 1,
        seq_no: 2,
        data: b"ping",
    };
    let header = Ipv4Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: IpProtocol::Icmp,
        payload_len: ping.buffer_len(),
        hop_limit: 64,
    };
    let mut bytes = vec![0; header.buffer_len() + ping.buffer_len()];
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes);
    header.emit(&mut packet, &Default::default());
    ping.emit(
        &mut Icmpv4Packet::new_unchecked(packet.payload_mut()),
        &Default::default(),
    );
    bytes
}

#[test]
fn every_address_answers_a_ping() {
    let mut world = World::new();
    for address in [GATEWAY_ADDRESS, Ipv4Addr::new(203, 0, 113, 9)] {
        let request = echo_request(address, [10, 64, 0, 2].into());
        world.gateway.from_device(world.now, &request);
        world.gateway.poll(world.now, &mut world.services);
        let reply = world.gateway.to_device(world.now).unwrap();
        let reply = Ipv4Packet::new_checked(&reply).unwrap();
        assert_eq!(reply.src_addr(), address);
        let message = Icmpv4Packet::new_checked(reply.payload()).unwrap();
        assert_eq!(message.msg_type(), Icmpv4Message::EchoReply);
    }
}

#[rstest]
#[case(|packet: &mut Vec<u8>| packet.clear(), "empty")]
#[case(|packet: &mut Vec<u8>| packet[0] = 0x65, "IP version 6 instead of 4")]
#[case(|packet: &mut Vec<u8>| packet.truncate(10), "10 bytes are no whole IPv4 packet")]
#[case(|packet: &mut Vec<u8>| packet.push(0), "33 bytes where the header says 32")]
#[case(|packet: &mut Vec<u8>| packet[8] = 1, "wrong IPv4 header checksum")]
#[case(|packet: &mut Vec<u8>| packet.resize(1501, 0), "1501 bytes, more than the MTU of 1500")]
#[case(
    |packet: &mut Vec<u8>| *packet = echo_request(GATEWAY_ADDRESS, [10, 64, 0, 3].into()),
    "source address 10.64.0.3 instead of the device's 10.64.0.2"
)]
#[case(
    |packet: &mut Vec<u8>| *packet = echo_request([255; 4].into(), [10, 64, 0, 2].into()),
    "destination address 255.255.255.255"
)]
fn bad_frames_say_what_is_wrong(#[case] spoil: fn(&mut Vec<u8>), #[case] reason: &str) {
    let mut world = World::new();
    let mut packet = echo_request(GATEWAY_ADDRESS, [10, 64, 0, 2].into());
    spoil(&mut packet);
    world.gateway.from_device(world.now, &packet);
    world.gateway.poll(world.now, &mut world.services);
    assert_eq!(world.gateway.to_device(world.now), None);
    let reason = reason.into();
    assert_eq!(world.events(), [NetworkEvent::BadFrame { reason }]);
}
