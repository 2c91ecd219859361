//! The device: smoltcp as a client.

use std::collections::VecDeque;

use az3166_event::VirtualTime;
use az3166_network::{DEVICE_ADDRESS, GATEWAY_ADDRESS};
use core::net::Ipv4Addr;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::socket::{dns, tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{DnsQueryType, HardwareAddress, IpAddress, IpCidr, IpEndpoint};

pub struct Device {
    interface: Interface,
    pub sockets: SocketSet<'static>,
    dns: SocketHandle,
    udp: SocketHandle,
    link: Link,
    next_port: u16,
}

#[derive(Default)]
struct Link {
    arriving: VecDeque<Vec<u8>>,
    leaving: Vec<Vec<u8>>,
}

pub fn instant(now: VirtualTime) -> Instant {
    Instant::from_micros((now.as_nanos() / 1_000) as i64)
}

impl Device {
    pub fn new() -> Self {
        let mut link = Link::default();
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = 0xD0_0D;
        let mut interface = Interface::new(config, &mut link, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses
                .push(IpCidr::new(DEVICE_ADDRESS.into(), 24))
                .unwrap();
        });
        interface
            .routes_mut()
            .add_default_ipv4_route(GATEWAY_ADDRESS)
            .unwrap();
        let mut sockets = SocketSet::new(Vec::new());
        let dns = sockets.add(dns::Socket::new(&[GATEWAY_ADDRESS.into()], Vec::new()));
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 4096]);
        let mut datagrams = udp::Socket::new(buffer(), buffer());
        datagrams.bind(40_000).unwrap();
        let udp = sockets.add(datagrams);
        Self {
            interface,
            sockets,
            dns,
            udp,
            link,
            next_port: 50_000,
        }
    }

    pub fn poll(&mut self, now: VirtualTime) -> Vec<Vec<u8>> {
        self.interface
            .poll(instant(now), &mut self.link, &mut self.sockets);
        core::mem::take(&mut self.link.leaving)
    }

    pub fn deliver(&mut self, packet: Vec<u8>) {
        self.link.arriving.push_back(packet);
    }

    pub fn next_deadline(&mut self, now: VirtualTime) -> Option<VirtualTime> {
        let at = self.interface.poll_at(instant(now), &self.sockets)?;
        Some(VirtualTime::from_nanos(at.total_micros() as u64 * 1_000))
    }

    pub fn ask_dns(&mut self, name: &str) -> dns::QueryHandle {
        let socket = self.sockets.get_mut::<dns::Socket>(self.dns);
        socket
            .start_query(self.interface.context(), name, DnsQueryType::A)
            .unwrap()
    }

    pub fn dns_result(
        &mut self,
        query: dns::QueryHandle,
    ) -> Result<Ipv4Addr, dns::GetQueryResultError> {
        let socket = self.sockets.get_mut::<dns::Socket>(self.dns);
        let addresses = socket.get_query_result(query)?;
        let IpAddress::Ipv4(address) = addresses[0];
        Ok(address)
    }

    pub fn connect(&mut self, address: Ipv4Addr, port: u16) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        self.next_port += 1;
        let remote = IpEndpoint::new(address.into(), port);
        socket
            .connect(self.interface.context(), remote, self.next_port)
            .unwrap();
        self.sockets.add(socket)
    }

    pub fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    pub fn send_datagram(&mut self, bytes: &[u8], address: Ipv4Addr, port: u16) {
        let socket = self.sockets.get_mut::<udp::Socket>(self.udp);
        let to = IpEndpoint::new(address.into(), port);
        socket.send_slice(bytes, to).unwrap();
    }

    pub fn receive_datagram(&mut self) -> Option<(Vec<u8>, IpEndpoint)> {
        let socket = self.sockets.get_mut::<udp::Socket>(self.udp);
        let (bytes, from) = socket.recv().ok()?;
        Some((bytes.to_vec(), from.endpoint))
    }
}

struct Arrival(Vec<u8>);

struct Departure<'a>(&'a mut Vec<Vec<u8>>);

impl phy::Device for Link {
    type RxToken<'a> = Arrival;
    type TxToken<'a> = Departure<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Arrival, Departure<'_>)> {
        let packet = self.arriving.pop_front()?;
        Some((Arrival(packet), Departure(&mut self.leaving)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Departure<'_>> {
        Some(Departure(&mut self.leaving))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

impl phy::RxToken for Arrival {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl phy::TxToken for Departure<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        self.0.push(packet);
        result
    }
}
