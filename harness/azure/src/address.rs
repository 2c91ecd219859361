//! Which addresses a device may be let out to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks that are no part of the public Internet (IANA IPv4 Special-Purpose Address Registry), and
/// what they are.
const IPV4: [(Ipv4Addr, u8, &str); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared address space"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    // Azure's virtual public address of the host: WireServer and the guest agent's metadata.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "metadata"),
    (Ipv4Addr::new(169, 254, 169, 254), 32, "metadata"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Why nobody is connected to `address`; none where it is public.
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => refusal_v6(address),
    }
}

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    let is_in = |network: Ipv4Addr, length: u8| {
        let shift = 32 - u32::from(length);
        network.to_bits() >> shift == address.to_bits() >> shift
    };
    IPV4.iter()
        .find(|(network, length, _)| is_in(*network, *length))
        .map(|(.., what)| *what)
}

/// Global unicast is 2000::/3 (RFC 4291 section 2.4); where an address carries an IPv4 address, that
/// one counts.
fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        // IPv4-mapped (RFC 4291, 2.5.5.2), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xFFFF] | [0x64, 0xFF9B, 0, 0, 0, 0] => refusal_v4(v4(g, h)),
        [0, 0, 0, 0, 0, 0] if [g, h] == [0, 1] => Some("loopback"),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => refusal_v4(v4(high, low)),
        // Teredo, ORCHID, benchmarking and other protocol assignments (RFC 2928).
        [0x2001, 0..=0x1FF, ..] => Some("protocol assignments"),
        [0x2001, 0xDB8, ..] => Some("documentation"),
        [0x3FFF, 0..=0xFFF, ..] => Some("documentation"),
        [0x2000..=0x3FFF, ..] => None,
        [0xFC00..=0xFDFF, ..] => Some("private"),
        [0xFE80..=0xFEBF, ..] => Some("link-local"),
        [0xFF00..=0xFFFF, ..] => Some("multicast"),
        _ => Some("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.0.0.0", "this network")]
    #[case("10.0.0.1", "private")]
    #[case("10.255.255.255", "private")]
    #[case("100.64.0.1", "shared address space")]
    #[case("100.127.255.255", "shared address space")]
    #[case("127.0.0.1", "loopback")]
    #[case("127.255.255.254", "loopback")]
    #[case("168.63.129.16", "metadata")]
    #[case("169.254.169.254", "metadata")]
    #[case("169.254.0.1", "link-local")]
    #[case("172.16.0.1", "private")]
    #[case("172.31.255.255", "private")]
    #[case("192.0.0.192", "protocol assignments")]
    #[case("192.0.2.1", "documentation")]
    #[case("192.88.99.1", "6to4 relay")]
    #[case("192.168.0.1", "private")]
    #[case("198.18.0.1", "benchmarking")]
    #[case("198.19.255.255", "benchmarking")]
    #[case("198.51.100.1", "documentation")]
    #[case("203.0.113.1", "documentation")]
    #[case("224.0.0.251", "multicast")]
    #[case("240.0.0.1", "reserved")]
    #[case("255.255.255.255", "reserved")]
    #[case("::", "reserved")]
    #[case("::1", "loopback")]
    #[case("::7f00:1", "reserved")]
    #[case("::ffff:127.0.0.1", "loopback")]
    #[case("::ffff:10.1.2.3", "private")]
    #[case("::ffff:100.64.0.1", "shared address space")]
    #[case("::ffff:169.254.169.254", "metadata")]
    #[case("64:ff9b::a00:1", "private")]
    #[case("64:ff9b:1::1", "reserved")]
    #[case("100::1", "reserved")]
    #[case("2001::1", "protocol assignments")]
    #[case("2001:db8::1", "documentation")]
    #[case("2002:7f00:1::", "loopback")]
    #[case("2002:a9fe:a9fe::1", "metadata")]
    #[case("3fff:fff::1", "documentation")]
    #[case("fc00::1", "private")]
    #[case("fd00:ec2::254", "private")]
    #[case("fe80::1", "link-local")]
    #[case("fec0::1", "reserved")]
    #[case("ff02::1", "multicast")]
    fn special_addresses_are_refused(#[case] address: &str, #[case] what: &str) {
        assert_eq!(refusal(address.parse().unwrap()), Some(what));
    }

    #[rstest]
    #[case("9.255.255.255")]
    #[case("11.0.0.0")]
    #[case("20.49.109.32")]
    #[case("100.63.255.255")]
    #[case("100.128.0.0")]
    #[case("126.255.255.255")]
    #[case("168.63.129.17")]
    #[case("169.253.255.255")]
    #[case("169.255.0.0")]
    #[case("172.15.255.255")]
    #[case("172.32.0.0")]
    #[case("192.167.255.255")]
    #[case("198.17.255.255")]
    #[case("198.20.0.0")]
    #[case("223.255.255.255")]
    #[case("2603:1030:c02:8::14")]
    #[case("2001:200::1")]
    #[case("::ffff:20.49.109.32")]
    #[case("64:ff9b::1431:6d20")]
    fn public_addresses_are_not(#[case] address: &str) {
        assert_eq!(refusal(address.parse().unwrap()), None);
    }
}
