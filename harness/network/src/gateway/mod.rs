//! The device's gateway.

mod connection;
mod datagrams;

use az3166_event::{NetworkEvent, VirtualTime};
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{self, State};
use smoltcp::wire::{HardwareAddress, IpCidr, IpListenEndpoint};

use crate::capture::{Capture, Path};
use crate::configuration::GATEWAY_ADDRESS;
use crate::impairment::Impairment;
use crate::inspect::{Ends, Packet, inspect};
use crate::link::{Link, Way, instant, virtual_time};
use crate::names::Names;
use crate::{Closing, GatewayConfig, NetworkFault, Opening, Services};
use connection::{Connection, Surroundings};

/// Bytes that a connection holds in each direction.
const TCP_BUFFER: usize = 16 * 1024;

/// The other end of the device's link: an IPv4 router with a DNS server, an SNTP server,
/// and every host that the services have.
///
/// The caller carries packets and time: it hands over what the device sends, polls when a
/// packet came or a deadline passed, and takes what goes to the device. The same calls
/// give the same bytes.
pub struct Gateway {
    interface: Interface,
    sockets: SocketSet<'static>,
    dns: SocketHandle,
    sntp: SocketHandle,
    link: Link,
    uplink: Way,
    downlink: Way,
    impairment: Impairment,
    names: Names,
    unix_at_zero: u64,
    connections: Vec<Connection>,
    last_number: u32,
    faults: Vec<NetworkFault>,
    deadline: Option<VirtualTime>,
    capture: Capture,
    events: Vec<(VirtualTime, NetworkEvent)>,
}

impl Gateway {
    /// A gateway without connections or faults.
    pub fn new(config: GatewayConfig) -> Self {
        let mut link = Link::default();
        let mut settings = Config::new(HardwareAddress::Ip);
        settings.random_seed = config.seed;
        let mut interface = Interface::new(settings, &mut link, instant(VirtualTime::ZERO));
        // One address and one route fit every configuration of smoltcp's tables.
        interface.update_ip_addrs(|addresses| {
            let _ = addresses.push(IpCidr::new(GATEWAY_ADDRESS.into(), 24));
        });
        let _ = interface
            .routes_mut()
            .add_default_ipv4_route(GATEWAY_ADDRESS);
        interface.set_any_ip(true);
        let mut sockets = SocketSet::new(Vec::new());
        Self {
            dns: sockets.add(datagrams::socket(datagrams::DNS_PORT)),
            sntp: sockets.add(datagrams::socket(datagrams::NTP_PORT)),
            interface,
            sockets,
            link,
            uplink: Way::default(),
            downlink: Way::default(),
            impairment: Impairment::new(config.seed),
            names: Names::new(&config),
            unix_at_zero: config.unix_at_zero,
            connections: Vec::new(),
            last_number: 0,
            faults: Vec::new(),
            deadline: None,
            capture: Capture::new(config.unix_at_zero),
            events: Vec::new(),
        }
    }

    /// One packet from the device: the content of one SLIP frame.
    pub fn from_device(&mut self, now: VirtualTime, packet: &[u8]) {
        self.capture.record(now, Path::FromDevice, packet);
        if let Err(reason) = inspect(packet) {
            self.events.push((now, NetworkEvent::BadFrame { reason }));
            return;
        }
        self.impairment.send(
            &self.faults,
            now,
            packet.to_vec(),
            &mut self.uplink,
            &mut self.events,
        );
    }

    /// Works off what has arrived and what is due.
    pub fn poll(&mut self, now: VirtualTime, services: &mut dyn Services) {
        while let Some(packet) = self.uplink.receive(now) {
            self.ingest(now, packet, services);
        }
        let mut with = Surroundings {
            now,
            services,
            faults: &self.faults,
            events: &mut self.events,
        };
        for connection in &mut self.connections {
            let socket = self.sockets.get_mut(connection.handle);
            connection.pump(socket, &mut with);
        }
        let instant = instant(now);
        while PollResult::SocketStateChanged
            == self
                .interface
                .poll_egress(instant, &mut self.link, &mut self.sockets)
        {}
        self.reap(now, Closing::Lost, services);
        for packet in core::mem::take(&mut self.link.leaving) {
            self.impairment.send(
                &self.faults,
                now,
                packet,
                &mut self.downlink,
                &mut self.events,
            );
        }
        self.deadline = self
            .interface
            .poll_at(instant, &self.sockets)
            .map(virtual_time);
    }

    /// The next packet that has reached the device.
    pub fn to_device(&mut self, now: VirtualTime) -> Option<Vec<u8>> {
        let packet = self.downlink.receive(now)?;
        self.capture.record(now, Path::ToDevice, &packet);
        Some(packet)
    }

    /// When the gateway wants to be polled, or has a packet for the device that is still on
    /// its way at `now`. The services' own deadlines are not in it.
    pub fn next_deadline(&self, now: VirtualTime) -> Option<VirtualTime> {
        let downlink = self.downlink.next_arrival().filter(|at| *at > now);
        [self.deadline, self.uplink.next_arrival(), downlink]
            .into_iter()
            .flatten()
            .min()
    }

    /// Adds a fault.
    pub fn inject(&mut self, fault: NetworkFault) {
        self.faults.push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The events since the last call, in order.
    pub fn drain_events(&mut self) -> Vec<(VirtualTime, NetworkEvent)> {
        core::mem::take(&mut self.events)
    }

    /// Everything that the device sent and got.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// The capture, to add TLS keys.
    pub fn capture_mut(&mut self) -> &mut Capture {
        &mut self.capture
    }

    fn ingest(&mut self, now: VirtualTime, packet: Vec<u8>, services: &mut dyn Services) {
        match inspect(&packet) {
            // Damaged on its way: lost, as behind any router.
            Err(_) => return,
            Ok(Packet::Syn(ends)) => {
                let silent = NetworkFault::TcpSilent { port: ends.port };
                if self.fault(now, |fault| *fault == silent).is_some() {
                    return;
                }
                self.open(now, ends, services);
            }
            Ok(Packet::Other) => {}
        }
        self.link.arriving = Some(packet);
        let _ = self
            .interface
            .poll_ingress_single(instant(now), &mut self.link, &mut self.sockets);
        self.answer_dns(now);
        self.answer_sntp(now);
        self.reap(now, Closing::Reset, services);
    }

    /// Makes a listener for a new connection, if a service wants it; smoltcp refuses
    /// what finds no listener.
    fn open(&mut self, now: VirtualTime, ends: Ends, services: &mut dyn Services) {
        if let Some(known) = self
            .connections
            .iter()
            .position(|connection| connection.ends == ends)
        {
            let handle = self.connections[known].handle;
            if self.sockets.get::<tcp::Socket>(handle).state() != State::TimeWait {
                return;
            }
            // The same ports again after a connection that is over (RFC 1122, 4.2.2.13).
            self.connections.remove(known);
            self.sockets.remove(handle);
        }
        self.last_number += 1;
        let number = self.last_number;
        let host = match self.names.name_of(ends.address) {
            Some(name) => name.to_owned(),
            None => ends.address.to_string(),
        };
        self.events.push((
            now,
            NetworkEvent::TcpOpen {
                connection: number,
                host: host.clone(),
                port: ends.port,
            },
        ));
        let handle = self.listener(ends);
        let accepted = handle.is_some()
            && !self.refuses(now, &host, ends.port)
            && services.open(now, number, &host, ends.port) == Opening::Accepted;
        match handle {
            Some(handle) if accepted => {
                let connection = Connection::new(number, host, ends, handle);
                self.connections.push(connection);
            }
            _ => {
                if let Some(handle) = handle {
                    self.sockets.remove(handle);
                }
                let event = NetworkEvent::TcpClosed {
                    connection: number,
                    by: "reset by service".into(),
                };
                self.events.push((now, event));
            }
        }
    }

    fn refuses(&mut self, now: VirtualTime, to_host: &str, to_port: u16) -> bool {
        let refuses = |fault: &NetworkFault| match fault {
            NetworkFault::TcpRefuse { host, port } => {
                let host_fits = host
                    .as_ref()
                    .is_none_or(|host| host.eq_ignore_ascii_case(to_host));
                host_fits && port.is_none_or(|port| port == to_port)
            }
            _ => false,
        };
        self.fault(now, refuses).is_some()
    }

    /// The last fault of a kind, which is told as an event.
    fn fault(
        &mut self,
        now: VirtualTime,
        kind: impl Fn(&NetworkFault) -> bool,
    ) -> Option<NetworkFault> {
        let fault = self.faults.iter().rev().find(|fault| kind(fault))?.clone();
        let name = fault.name().into();
        self.events.push((now, NetworkEvent::Fault { fault: name }));
        Some(fault)
    }

    fn listener(&mut self, ends: Ends) -> Option<SocketHandle> {
        let buffer = || tcp::SocketBuffer::new(vec![0; TCP_BUFFER]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        // Each piece that a service hands over is a segment of its own, as with TCP_NODELAY.
        socket.set_nagle_enabled(false);
        let endpoint = IpListenEndpoint {
            addr: Some(ends.address.into()),
            port: ends.port,
        };
        socket.listen(endpoint).ok()?;
        Some(self.sockets.add(socket))
    }

    /// Removes connections whose socket has lost its peer in this way or another.
    fn reap(&mut self, now: VirtualTime, how: Closing, services: &mut dyn Services) {
        let mut with = Surroundings {
            now,
            services,
            faults: &self.faults,
            events: &mut self.events,
        };
        self.connections.retain_mut(|connection| {
            let socket = self.sockets.get_mut::<tcp::Socket>(connection.handle);
            // A RST before the handshake's end makes smoltcp listen again.
            if !matches!(socket.state(), State::Closed | State::Listen) {
                return true;
            }
            connection.pump(socket, &mut with);
            connection.notice_loss(how, &mut with);
            self.sockets.remove(connection.handle);
            false
        });
    }
}
