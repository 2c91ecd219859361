//! A first look at a packet from the device.

use core::net::Ipv4Addr;

use smoltcp::wire::{IpAddress, IpEndpoint, IpProtocol, Ipv4Packet, TcpPacket};

use crate::configuration::{DEVICE_ADDRESS, MTU};

/// What a well-formed packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// The first packet of a TCP connection.
    Syn(Ends),
    /// Any other.
    Other,
}

/// Both ends of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The device's address and port.
    pub device: IpEndpoint,
    /// The service's address.
    pub address: Ipv4Addr,
    /// The service's port.
    pub port: u16,
}

/// Looks at a packet; the error says why the gateway drops it.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Packet, String> {
    if bytes.len() > MTU {
        return Err(format!("{} bytes, more than the MTU of {MTU}", bytes.len()));
    }
    match bytes.first().map(|first| first >> 4) {
        None => return Err("empty".into()),
        Some(4) => {}
        Some(version) => return Err(format!("IP version {version} instead of 4")),
    }
    let packet = Ipv4Packet::new_checked(bytes)
        .map_err(|_| format!("{} bytes are no whole IPv4 packet", bytes.len()))?;
    let total = usize::from(packet.total_len());
    if total != bytes.len() {
        return Err(format!(
            "{} bytes where the header says {total}",
            bytes.len()
        ));
    }
    if !packet.verify_checksum() {
        return Err("wrong IPv4 header checksum".into());
    }
    if packet.more_frags() || packet.frag_offset() != 0 {
        return Err("IPv4 fragment".into());
    }
    let (source, destination) = (packet.src_addr(), packet.dst_addr());
    if source != DEVICE_ADDRESS {
        return Err(format!(
            "source address {source} instead of the device's {DEVICE_ADDRESS}"
        ));
    }
    let network = destination.octets()[0];
    if destination == DEVICE_ADDRESS || network == 0 || network == 127 || network >= 224 {
        return Err(format!("destination address {destination}"));
    }
    Ok(syn(&packet).map_or(Packet::Other, Packet::Syn))
}

fn syn(packet: &Ipv4Packet<&[u8]>) -> Option<Ends> {
    if packet.next_header() != IpProtocol::Tcp {
        return None;
    }
    let (source, destination) = (packet.src_addr(), packet.dst_addr());
    let segment = TcpPacket::new_checked(packet.payload()).ok()?;
    let whole = segment.verify_checksum(&source.into(), &destination.into());
    let first = segment.syn() && !segment.ack() && !segment.rst() && !segment.fin();
    let named = segment.src_port() != 0 && segment.dst_port() != 0;
    (whole && first && named).then(|| Ends {
        device: IpEndpoint::new(IpAddress::Ipv4(source), segment.src_port()),
        address: destination,
        port: segment.dst_port(),
    })
}
