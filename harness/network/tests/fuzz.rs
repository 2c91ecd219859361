//! The fuzzers' bodies, bounded.

use az3166_network::fuzzing;
use proptest::prelude::*;

/// Packets whose protocol, destination and ports are likely.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let packet = (
        prop_oneof![Just(6_u8), Just(17), Just(1), any::<u8>()],
        prop_oneof![Just([10, 64, 0, 1]), Just([10, 64, 1, 1]), any::<[u8; 4]>()],
        prop_oneof![Just(53_u16), Just(123), 1..4_u16, any::<u16>()],
        prop::collection::vec(prop_oneof![Just(0_u8), 0..8_u8, any::<u8>()], 2..100),
        0..3_u32,
        prop_oneof![
            Just(0x02_u8),
            Just(0x10),
            Just(0x18),
            Just(0x11),
            any::<u8>()
        ],
    );
    let packet = packet.prop_map(|(protocol, destination, port, mut rest, sequence, flags)| {
        if protocol == 6 && rest.len() >= 20 {
            rest[..4].copy_from_slice(&sequence.to_be_bytes());
            rest[8] = 0x50;
            rest[9] = flags;
        }
        let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 64, 0, 2];
        bytes.extend(destination);
        bytes.extend([0x80, 1]);
        bytes.extend(port.to_be_bytes());
        if protocol == 17 {
            let length = rest.len() as u16 + 6;
            bytes.extend(length.to_be_bytes());
        }
        bytes.append(&mut rest);
        // An odd length byte, so that checksums are made right.
        if bytes.len() % 2 == 0 {
            bytes.push(0);
        }
        [vec![bytes.len() as u8], bytes].concat()
    });
    prop::collection::vec(packet, 1..12).prop_map(|packets| packets.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 0..1000)) {
        fuzzing::fuzz_packets(&data);
        fuzzing::fuzz_dns(&data);
        fuzzing::fuzz_sntp(&data);
    }

    #[test]
    fn likely_packets_are_taken(data in packets()) {
        fuzzing::fuzz_packets(&data);
    }
}
