//! IPv4, UDP and TCP over a [`Link`]: smoltcp with the addresses of the harness's network.

use alloc::boxed::Box;
use alloc::vec;
use core::net::Ipv4Addr;

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{self, ChecksumCapabilities, Device, DeviceCapabilities, Medium};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{
    HardwareAddress, IPV4_HEADER_LEN, Icmpv4Packet, Icmpv4Repr, IpAddress, IpCidr, IpEndpoint,
    IpProtocol, Ipv4Packet, Ipv4Repr,
};

use crate::environment::{Link, MTU};

/// The device's address.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 2);
/// The gateway, which is the DNS server too.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
const PREFIX: u8 = 24;

/// A ping without data.
const ECHO_LEN: usize = IPV4_HEADER_LEN + 8;

/// Size of each direction's buffer of a TCP connection, in bytes: almost three full segments.
const TCP_BUFFER: usize = 4096;
/// DNS answers over UDP have at most 512 bytes (RFC 1035 section 4.2.1).
const UDP_BUFFER: usize = 512;

/// How long to wait before looking again whether the link takes packets: the host's reading of
/// the link is no event for the device.
const LINK_RETRY: Duration = Duration::from_millis(10);

/// How often to ask whether anybody is there, until somebody is.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The device's side of the network.
pub struct Stack {
    interface: Interface,
    sockets: SocketSet<'static>,
    packets: Box<Packets>,
    received: bool,
    probe_at: Instant,
}

struct Packets {
    receive: [u8; MTU],
    send: [u8; MTU],
}

impl Stack {
    /// An interface that has not sent anything. `seed` makes TCP's initial sequence numbers hard
    /// to guess.
    pub fn new(now: Instant, seed: u64) -> Self {
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut Shape, now);
        interface.update_ip_addrs(|addresses| {
            // One address always fits.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(ADDRESS), PREFIX));
        });
        // One route always fits.
        let _ = interface.routes_mut().add_default_ipv4_route(GATEWAY);
        Self {
            interface,
            sockets: SocketSet::new(vec![]),
            packets: Box::new(Packets {
                receive: [0; MTU],
                send: [0; MTU],
            }),
            received: false,
            probe_at: now,
        }
    }

    /// Moves packets between the link and the sockets.
    pub fn poll(&mut self, now: Instant, link: &mut dyn Link) {
        if !self.received && now >= self.probe_at && link.ready() {
            link.send(&echo_request());
            self.probe_at = now + PROBE_INTERVAL;
        }
        let (interface, mut device, sockets) = self.parts(link);
        interface.poll(now, &mut device, sockets);
    }

    /// Sends what the sockets have to send. Packets that came in meanwhile stay on the link: for
    /// what they bring the sockets' users have to be asked again.
    pub fn flush(&mut self, now: Instant, link: &mut dyn Link) {
        let (interface, mut device, sockets) = self.parts(link);
        while interface.poll_egress(now, &mut device, sockets) != PollResult::None {}
    }

    fn parts<'a>(
        &'a mut self,
        link: &'a mut dyn Link,
    ) -> (
        &'a mut Interface,
        LinkDevice<'a>,
        &'a mut SocketSet<'static>,
    ) {
        let Packets { receive, send } = &mut *self.packets;
        let device = LinkDevice {
            link,
            receive,
            send,
            received: &mut self.received,
        };
        (&mut self.interface, device, &mut self.sockets)
    }

    /// When [`Stack::poll`] has something to do, provided that no packet comes in before.
    pub fn next(&mut self, now: Instant, link: &dyn Link) -> Option<Instant> {
        if link.ready() {
            self.interface.poll_at(now, &self.sockets)
        } else {
            Some(now + LINK_RETRY)
        }
    }

    /// Whether any packet has ever come in. The gateway is pinged until one has: so a link on
    /// which nobody is can be told from services that are silent.
    pub fn has_received(&self) -> bool {
        self.received
    }

    /// Opens a UDP socket on `port`.
    pub fn open_udp(&mut self, port: u16) -> SocketHandle {
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 2], vec![0; UDP_BUFFER]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        // Fails only for port 0, and then nothing is ever received.
        let _ = socket.bind(port);
        self.sockets.add(socket)
    }

    /// A socket that [`Stack::open_udp`] opened.
    pub fn udp(&mut self, handle: SocketHandle) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// Starts a TCP connection from `port` of the device.
    pub fn open_tcp(&mut self, port: u16, remote: (Ipv4Addr, u16)) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; TCP_BUFFER]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        let remote = IpEndpoint::new(IpAddress::Ipv4(remote.0), remote.1);
        // Fails only for an unusable address or port: the socket stays closed, like a refused
        // connection.
        let _ = socket.connect(self.interface.context(), remote, port);
        self.sockets.add(socket)
    }

    /// A socket that [`Stack::open_tcp`] opened.
    pub fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// Forgets a socket and frees its buffers.
    pub fn remove(&mut self, handle: SocketHandle) {
        self.sockets.remove(handle);
    }
}

/// A ping (RFC 792) of the gateway. Its answer needs no socket: that it comes is enough.
fn echo_request() -> [u8; ECHO_LEN] {
    let echo = Icmpv4Repr::EchoRequest {
        ident: 0,
        seq_no: 0,
        data: &[],
    };
    let header = Ipv4Repr {
        src_addr: ADDRESS,
        dst_addr: GATEWAY,
        next_header: IpProtocol::Icmp,
        payload_len: ECHO_LEN - IPV4_HEADER_LEN,
        hop_limit: 64,
    };
    let mut packet = [0; ECHO_LEN];
    let checksums = ChecksumCapabilities::default();
    header.emit(&mut Ipv4Packet::new_unchecked(&mut packet[..]), &checksums);
    let payload = &mut packet[IPV4_HEADER_LEN..];
    echo.emit(&mut Icmpv4Packet::new_unchecked(payload), &checksums);
    packet
}

/// The capabilities of the link, without a link.
struct Shape;

struct NoToken;

impl phy::RxToken for NoToken {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&[])
    }
}

impl phy::TxToken for NoToken {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        f(&mut vec![0; length])
    }
}

impl Device for Shape {
    type RxToken<'a> = NoToken;
    type TxToken<'a> = NoToken;

    fn receive(&mut self, _: Instant) -> Option<(NoToken, NoToken)> {
        None
    }

    fn transmit(&mut self, _: Instant) -> Option<NoToken> {
        None
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

struct LinkDevice<'a> {
    link: &'a mut dyn Link,
    receive: &'a mut [u8; MTU],
    send: &'a mut [u8; MTU],
    received: &'a mut bool,
}

struct Received<'a>(&'a [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

struct Sending<'a> {
    link: &'a mut dyn Link,
    buffer: &'a mut [u8; MTU],
}

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let packet = &mut self.buffer[..length];
        let result = f(packet);
        self.link.send(packet);
        result
    }
}

impl Device for LinkDevice<'_> {
    type RxToken<'a>
        = Received<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Sending<'a>
    where
        Self: 'a;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        // An answer may have to go out for what comes in.
        if !self.link.ready() {
            return None;
        }
        let length = self.link.receive(self.receive)?;
        *self.received = true;
        let sending = Sending {
            link: &mut *self.link,
            buffer: &mut *self.send,
        };
        Some((Received(&self.receive[..length]), sending))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        self.link.ready().then_some(Sending {
            link: &mut *self.link,
            buffer: &mut *self.send,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        Shape.capabilities()
    }
}
