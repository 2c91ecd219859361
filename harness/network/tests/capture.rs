//! The capture: read back by an independent reader, and the same for the same seed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use core::time::Duration;

use az3166_event::VirtualTime;
use az3166_network::{DEVICE_ADDRESS, Gateway, NetworkFault};
use pcap_parser::pcapng::{Block, OptionCode, SecretsType};
use pcap_parser::{Linktype, PcapBlockOwned, PcapError, PcapNGReader, traits::PcapReaderIterator};
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket};
use world::{UNIX_AT_ZERO, World};

/// A connection with some traffic under faults.
fn run(seed: u64) -> World {
    let mut world = World::with_seed(seed);
    let handle = world.connect(7);
    world.gateway.inject(NetworkFault::Loss { percent: 20 });
    world.wait(Duration::from_millis(1_500));
    assert_eq!(world.exchange(handle, &[7; 5_000], 5_000).len(), 5_000);
    world
}

#[derive(Default)]
struct Read {
    sections: usize,
    link_types: Vec<Linktype>,
    keys: Vec<u8>,
    packets: Vec<(u64, u32, Vec<u8>)>,
}

fn read(file: &[u8]) -> Read {
    let mut reader = PcapNGReader::new(1 << 20, file).unwrap();
    let mut read = Read::default();
    loop {
        let (offset, block) = match reader.next() {
            Ok(next) => next,
            Err(PcapError::Eof) => return read,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().unwrap();
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let PcapBlockOwned::NG(block) = block else {
            panic!("a block of the old format");
        };
        match block {
            Block::SectionHeader(_) => read.sections += 1,
            Block::InterfaceDescription(interface) => {
                assert_eq!(interface.ts_resolution(), Some(1_000_000_000));
                read.link_types.push(interface.linktype);
            }
            Block::DecryptionSecrets(secrets) => {
                assert_eq!(secrets.secrets_type, SecretsType::TlsKeyLog);
                assert!(read.packets.is_empty(), "keys come before packets");
                read.keys = secrets.data[..secrets.secrets_len as usize].to_vec();
            }
            Block::EnhancedPacket(packet) => {
                let flags = packet
                    .options
                    .iter()
                    .find(|option| option.code == OptionCode(2));
                let flags = u32::from_le_bytes(flags.unwrap().value[..4].try_into().unwrap());
                assert_eq!(packet.caplen, packet.origlen);
                let nanos = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let data = packet.data[..packet.caplen as usize].to_vec();
                read.packets.push((nanos, flags, data));
            }
            _ => panic!("a block that is never written"),
        }
        reader.consume(offset);
    }
}

#[test]
fn an_independent_reader_reads_it() {
    let mut world = run(1);
    let keys = "CLIENT_RANDOM 00 01";
    world.gateway.capture_mut().add_tls_keys(keys);
    let read = read(&world.gateway.capture().to_pcapng());
    assert_eq!((read.sections, read.link_types), (1, vec![Linktype::RAW]));
    assert_eq!(read.keys, b"CLIENT_RANDOM 00 01\n");
    assert_eq!(read.packets.len(), world.gateway.capture().packets());
    let epoch = UNIX_AT_ZERO * 1_000_000_000;
    assert_eq!(read.packets[0].0, epoch);
    let last = read.packets.last().unwrap().0;
    assert!(last > epoch + 1_500_000_000 && last <= epoch + world.now.as_nanos());
    for (_, flags, packet) in &read.packets {
        let source = &packet[12..16];
        assert_eq!(*flags == 1, source == [10, 64, 0, 2], "1 is inbound");
        assert_eq!(
            usize::from(u16::from_be_bytes([packet[2], packet[3]])),
            packet.len()
        );
    }
}

/// How many bytes each TCP segment to the device carries, without those that carry none.
fn segments(packets: &[(u64, u32, Vec<u8>)]) -> Vec<usize> {
    packets
        .iter()
        .filter_map(|(_, _, packet)| {
            let ip = Ipv4Packet::new_checked(packet).unwrap();
            let comes = ip.dst_addr() == DEVICE_ADDRESS && ip.next_header() == IpProtocol::Tcp;
            comes.then(|| {
                TcpPacket::new_checked(ip.payload())
                    .unwrap()
                    .payload()
                    .len()
            })
        })
        .filter(|length| *length > 0)
        .collect()
}

#[test]
fn each_piece_is_a_segment_of_its_own() {
    let mut world = World::new();
    let handle = world.connect(9);
    // The device has acknowledged nothing when the last piece leaves.
    let latency = Duration::from_millis(50);
    world.gateway.inject(NetworkFault::Latency(latency));
    for byte in b"good day" {
        world.services.say(1, &[*byte]);
        world.wait(Duration::from_millis(1));
    }
    assert_eq!(world.exchange(handle, b"", 8), b"good day");
    let read = read(&world.gateway.capture().to_pcapng());
    assert_eq!(segments(&read.packets), [1; 8]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let first = run(1);
    let second = run(1);
    assert!(first.gateway.capture().to_pcapng() == second.gateway.capture().to_pcapng());
    assert_eq!(first.now, second.now);
    assert!(first.gateway.capture().to_pcapng() != run(2).gateway.capture().to_pcapng());
}

#[test]
fn an_idle_gateway_wants_nothing() {
    let mut world = World::new();
    world.connect(7);
    world.wait(Duration::from_secs(5));
    assert_eq!(world.gateway.next_deadline(world.now), None);
    assert_eq!(world.gateway.to_device(VirtualTime::MAX), None);
}

#[test]
fn a_gateway_can_move_between_threads() {
    fn check<T: Send>() {}
    check::<Gateway>();
}
