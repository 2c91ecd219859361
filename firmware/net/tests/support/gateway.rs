//! The other end of the link: a gateway with a DNS server, a time server, DPS and a hub, on a
//! clock that jumps from event to event.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::Arc;

use devkit_net::environment::MTU;
use devkit_net::slip::SlipLink;
use devkit_net::{BytePipe, Console, Duration, Instant, Link, Progress, Session};
use rustls::{ServerConfig, ServerConnection};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, Ipv4Address};

use super::{in_device, services};

/// What the service behind a TLS connection does with decrypted bytes.
pub trait Service {
    /// Answers to what came in.
    fn receive(&mut self, now: Instant, bytes: &[u8]) -> Reaction;
}

#[derive(Default)]
pub struct Reaction {
    pub answer: Vec<u8>,
    pub close: bool,
}

/// How the gateway's DNS server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dns {
    Answers,
    Silent,
    UnknownName,
}

/// How the gateway's time server behaves; `At` answers with this Unix time at the start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Time {
    At(u64),
    Silent,
}

/// Who listens on a TCP port.
pub enum Listener {
    Nobody,
    /// Takes the connection and says nothing.
    Stalled,
    Tls(Arc<ServerConfig>, Box<dyn Service>),
}

/// Who is at the other end of the link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    Gateway,
    /// Takes all packets and answers none.
    Mute,
    Nobody,
}

/// When packets reach the device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    BetweenPolls,
    DuringPolls,
}

pub struct Plan {
    pub arrival: Arrival,
    pub dns: Dns,
    pub time: Time,
    pub dps: Listener,
    pub dps_port: u16,
    pub hub: Listener,
    /// Of 100 packets in each direction so many are lost.
    pub loss: u64,
    pub attachment: Attachment,
}

/// The bytes on the wire, seen from one side.
#[derive(Default)]
struct Wire {
    to_gateway: VecDeque<u8>,
    to_device: VecDeque<u8>,
}

struct Ring(Rc<RefCell<Wire>>, Side);

#[derive(Clone, Copy)]
enum Side {
    Device,
    Gateway,
}

const RING: usize = 4096;

impl Ring {
    fn with<R>(&self, write: bool, f: impl FnOnce(&mut VecDeque<u8>) -> R) -> R {
        let mut wire = self.0.borrow_mut();
        match (self.1, write) {
            (Side::Device, true) | (Side::Gateway, false) => f(&mut wire.to_gateway),
            (Side::Device, false) | (Side::Gateway, true) => f(&mut wire.to_device),
        }
    }
}

impl BytePipe for Ring {
    fn room(&self) -> usize {
        self.with(true, |bytes| RING - bytes.len())
    }
    fn write(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.room());
        self.with(true, |ring| ring.extend(bytes));
    }
    fn read(&mut self, bytes: &mut [u8]) -> usize {
        self.with(false, |ring| {
            let count = ring.len().min(bytes.len());
            for (slot, byte) in bytes.iter_mut().zip(ring.drain(..count)) {
                *slot = byte;
            }
            count
        })
    }
    fn drained(&self) -> bool {
        self.with(true, |bytes| bytes.is_empty())
    }
}

#[derive(Default)]
pub struct Lines(pub Vec<String>);

impl Console for Lines {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        self.0.push(text.to_string());
    }
}

/// Loses packets by a fixed pattern.
struct Loss {
    percent: u64,
    state: u64,
}

impl Loss {
    fn strikes(&mut self) -> bool {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.state >> 33) % 100 < self.percent
    }
}

struct Port<'a> {
    link: &'a mut SlipLink<Ring>,
    loss: &'a mut Loss,
}

struct Packet(Vec<u8>);
impl phy::RxToken for Packet {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}
struct Sender<'a>(&'a mut SlipLink<Ring>, bool);
impl phy::TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        if !self.1 {
            self.0.send(&packet);
        }
        result
    }
}
impl Device for Port<'_> {
    type RxToken<'b>
        = Packet
    where
        Self: 'b;
    type TxToken<'b>
        = Sender<'b>
    where
        Self: 'b;
    fn receive(&mut self, _: Instant) -> Option<(Packet, Sender<'_>)> {
        let mut buffer = [0; MTU];
        loop {
            let length = self.link.receive(&mut buffer)?;
            if !self.loss.strikes() {
                let lost = self.loss.strikes();
                return Some((Packet(buffer[..length].to_vec()), Sender(self.link, lost)));
            }
        }
    }
    fn transmit(&mut self, _: Instant) -> Option<Sender<'_>> {
        self.link
            .ready()
            .then(|| Sender(self.link, self.loss.strikes()))
    }
    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

struct Server {
    socket: SocketHandle,
    listener: Listener,
    tls: Option<ServerConnection>,
    closing: bool,
    name: Option<String>,
}

/// A link that keeps its packets back for one look, when it is told to.
struct Late<L> {
    link: L,
    keep_back: Rc<Cell<bool>>,
}

impl<L: Link> Link for Late<L> {
    fn ready(&self) -> bool {
        self.link.ready()
    }
    fn send(&mut self, packet: &[u8]) {
        self.link.send(packet);
    }
    fn receive(&mut self, packet: &mut [u8; MTU]) -> Option<usize> {
        if self.keep_back.take() {
            None
        } else {
            self.link.receive(packet)
        }
    }
    fn drained(&self) -> bool {
        self.link.drained()
    }
}

/// Runs `session` until it ends or `enough` says so. Returns the end, the console's lines and
/// the seconds that it took.
pub fn run(
    mut session: Session,
    plan: Plan,
    start: Instant,
    mut enough: impl FnMut(&Progress, Instant) -> bool,
) -> (Progress, Vec<String>, u64) {
    let wire = Rc::new(RefCell::new(Wire::default()));
    let keep_back = Rc::new(Cell::new(false));
    let link = SlipLink::new(Ring(wire.clone(), Side::Device));
    let mut device: Box<dyn Link> = match plan.arrival {
        Arrival::BetweenPolls => Box::new(link),
        Arrival::DuringPolls => Box::new(Late {
            link,
            keep_back: keep_back.clone(),
        }),
    };
    let mut link = SlipLink::new(Ring(wire.clone(), Side::Gateway));
    let mut loss = Loss {
        percent: plan.loss,
        state: 7,
    };
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = 99;
    let mut interface = Interface::new(
        config,
        &mut Port {
            link: &mut link,
            loss: &mut loss,
        },
        start,
    );
    interface.update_ip_addrs(|addresses| {
        addresses
            .push(IpCidr::new(IpAddress::v4(10, 64, 0, 1), 24))
            .unwrap();
    });
    interface.set_any_ip(true);
    interface
        .routes_mut()
        .add_default_ipv4_route(Ipv4Address::new(10, 64, 0, 1))
        .unwrap();
    let mut sockets = SocketSet::new(vec![]);
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 2048]);
    let mut udp_on = |port: u16| {
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(port).unwrap();
        sockets.add(socket)
    };
    let (dns, sntp) = (udp_on(53), udp_on(123));
    let mut servers: Vec<Server> = [(plan.dps_port, plan.dps), (8883, plan.hub)]
        .into_iter()
        .map(|(port, listener)| {
            let buffer = || tcp::SocketBuffer::new(vec![0; 16384]);
            let mut socket = tcp::Socket::new(buffer(), buffer());
            if !matches!(listener, Listener::Nobody) {
                socket.listen(port).unwrap();
            }
            Server {
                socket: sockets.add(socket),
                listener,
                tls: None,
                closing: false,
                name: None,
            }
        })
        .collect();

    let mut lines = Lines::default();
    let (mut now, mut polls, mut waited) = (start, 0, false);
    loop {
        let waiting = |wire: &RefCell<Wire>| !wire.borrow().to_device.is_empty();
        keep_back.set(waiting(&wire) && !waited);
        let progress = in_device(|| session.poll(now, &mut *device, &mut lines));
        waited = waiting(&wire);
        if matches!(progress, Progress::Failed(_)) || enough(&progress, now) {
            return (progress, lines.0, (now - start).secs());
        }
        let (Progress::Registering(mut wake) | Progress::Online(mut wake)) = progress else {
            unreachable!()
        };
        if plan.attachment == Attachment::Mute {
            wire.borrow_mut().to_gateway.clear();
        }
        if plan.attachment == Attachment::Gateway {
            let mut port = Port {
                link: &mut link,
                loss: &mut loss,
            };
            interface.poll(now, &mut port, &mut sockets);
            answer_dns(sockets.get_mut(dns), plan.dns);
            answer_time(sockets.get_mut(sntp), plan.time, now, start);
            for server in &mut servers {
                serve(server, sockets.get_mut(server.socket), now);
            }
            interface.poll(now, &mut port, &mut sockets);
            if let Some(next) = interface.poll_at(now, &sockets) {
                wake = wake.min(next);
            }
            if !wire.borrow().to_device.is_empty() {
                wake = now;
            }
        }
        polls += 1;
        assert!(polls < 4000, "the device polls without end: {:?}", lines.0);
        // A packet takes a moment.
        now = wake.max(now + Duration::from_micros(200));
        assert!(now - start < Duration::from_secs(600), "{:?}", lines.0);
    }
}

fn answer_dns(socket: &mut udp::Socket<'_>, dns: Dns) {
    while let Ok((query, from)) = socket.recv() {
        let mut answer = query.to_vec();
        answer[2] = 0x81;
        match dns {
            Dns::Silent => continue,
            Dns::UnknownName => answer[3] = 3,
            Dns::Answers => {
                answer[7] = 1;
                answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x40\x01\x05");
            }
        }
        let _ = socket.send_slice(&answer, reply(&from));
    }
}

/// Answers go out from the address that was asked.
fn reply(from: &udp::UdpMetadata) -> udp::UdpMetadata {
    udp::UdpMetadata {
        local_address: from.local_address,
        ..from.endpoint.into()
    }
}

fn answer_time(socket: &mut udp::Socket<'_>, time: Time, now: Instant, start: Instant) {
    while let Ok((query, from)) = socket.recv() {
        let Time::At(unix) = time else { continue };
        let mut answer = [0; 48];
        (answer[0], answer[1]) = (0x24, 1);
        answer[24..32].copy_from_slice(&query[40..48]);
        let seconds = (unix + (now - start).secs() + 2_208_988_800) as u32;
        answer[40..44].copy_from_slice(&seconds.to_be_bytes());
        answer[44] = 1;
        let _ = socket.send_slice(&answer, reply(&from));
    }
}

fn serve(server: &mut Server, socket: &mut tcp::Socket<'_>, now: Instant) {
    let Listener::Tls(config, service) = &mut server.listener else {
        return;
    };
    if !socket.is_active() {
        return;
    }
    let tls = server.tls.get_or_insert_with(|| services::accept(config));
    while socket.can_recv() {
        socket
            .recv(|bytes| {
                let mut rest: &[u8] = bytes;
                let _ = tls.read_tls(&mut rest);
                (bytes.len() - rest.len(), ())
            })
            .unwrap();
        let _ = tls.process_new_packets();
    }
    server.name = tls.server_name().map(String::from);
    let mut plaintext = vec![0; 8192];
    if let Ok(length @ 1..) = tls.reader().read(&mut plaintext) {
        let Reaction { answer, close } = service.receive(now, &plaintext[..length]);
        tls.writer().write_all(&answer).unwrap();
        if close {
            tls.send_close_notify();
            server.closing = true;
        }
    }
    while tls.wants_write() && socket.can_send() {
        let mut bytes = Vec::new();
        tls.write_tls(&mut bytes).unwrap();
        assert_eq!(
            socket.send_slice(&bytes),
            Ok(bytes.len()),
            "the test's buffer is large enough"
        );
    }
    if server.closing || socket.state() == tcp::State::CloseWait {
        socket.close();
    }
}
