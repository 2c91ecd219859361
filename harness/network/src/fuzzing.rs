//! Bodies for fuzzers: any bytes are allowed, and a panic is a finding.

use core::time::Duration;

use az3166_event::VirtualTime;
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

use crate::{
    Closing, DEVICE_ADDRESS, Gateway, GatewayConfig, Opening, Services, Transmission, dns, sntp,
};

/// A service that takes every connection and sends all bytes back.
#[derive(Default)]
struct Echo(Vec<(u32, Vec<u8>)>);

impl Services for Echo {
    fn open(&mut self, _: VirtualTime, connection: u32, _: &str, _: u16) -> Opening {
        self.0.push((connection, Vec::new()));
        Opening::Accepted
    }

    fn receive(&mut self, _: VirtualTime, connection: u32, bytes: &[u8]) {
        let echo = self.0.iter_mut().find(|(number, _)| *number == connection);
        if let Some((_, echo)) = echo {
            echo.extend_from_slice(bytes);
        }
    }

    fn transmit(&mut self, _: VirtualTime, connection: u32) -> Transmission {
        let echo = self.0.iter_mut().find(|(number, _)| *number == connection);
        Transmission {
            bytes: echo.map_or_else(Vec::new, |(_, echo)| core::mem::take(echo)),
            ..Transmission::NOTHING
        }
    }

    fn closed(&mut self, _: VirtualTime, connection: u32, _: Closing) {
        self.0.retain(|(number, _)| *number != connection);
    }

    fn next_deadline(&self) -> Option<VirtualTime> {
        None
    }
}

/// Hands `data` to a gateway as packets from the device.
///
/// Each packet is a length byte and that many bytes; an odd length byte has its addresses
/// and checksums corrected, which reaches further than random bytes do.
pub fn fuzz_packets(data: &[u8]) {
    let mut gateway = Gateway::new(GatewayConfig {
        hosts: vec!["a".into()],
        ntp_names: vec!["b".into()],
        seed: 0,
        unix_at_zero: 0,
    });
    let mut services = Echo::default();
    let mut now = VirtualTime::ZERO;
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (packet, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        let mut packet = packet.to_vec();
        if length % 2 == 1 {
            correct(&mut packet);
        }
        gateway.from_device(now, &packet);
        gateway.poll(now, &mut services);
        while gateway.to_device(now).is_some() {}
        now += Duration::from_millis(u64::from(*length));
    }
    assert!(gateway.capture().to_pcapng().len() >= 12 * gateway.capture().packets());
}

/// Makes a packet pass the first checks: version, length, source and checksums.
fn correct(bytes: &mut [u8]) {
    let Ok(total) = u16::try_from(bytes.len()) else {
        return;
    };
    if bytes.len() < 20 {
        return;
    }
    let mut packet = Ipv4Packet::new_unchecked(&mut *bytes);
    packet.set_version(4);
    packet.set_header_len(20);
    packet.set_total_len(total);
    packet.clear_flags();
    packet.set_frag_offset(0);
    packet.set_src_addr(DEVICE_ADDRESS);
    packet.fill_checksum();
    let (source, destination) = (packet.src_addr().into(), packet.dst_addr().into());
    let protocol = packet.next_header();
    let payload = packet.payload_mut();
    if protocol == IpProtocol::Tcp && TcpPacket::new_checked(&mut *payload).is_ok() {
        TcpPacket::new_unchecked(payload).fill_checksum(&source, &destination);
    } else if protocol == IpProtocol::Udp && UdpPacket::new_checked(&mut *payload).is_ok() {
        UdpPacket::new_unchecked(payload).fill_checksum(&source, &destination);
    }
}

/// Reads `data` as a DNS query and answers it in every way.
pub fn fuzz_dns(data: &[u8]) {
    if let Ok(query) = dns::parse(data) {
        for answer in [
            dns::Answer::Address(DEVICE_ADDRESS),
            dns::Answer::NoData,
            dns::Answer::NameError,
        ] {
            assert!(query.respond(answer).len() >= 12);
        }
    }
}

/// Reads `data` as an SNTP request.
pub fn fuzz_sntp(data: &[u8]) {
    let _ = sntp::respond(data, sntp::Telling::KissOfDeath);
}
