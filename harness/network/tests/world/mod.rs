//! A device of smoltcp's, a gateway and scripted services, on one virtual clock.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "each test file is a program of its own and uses a part of this; a test may panic"
)]

mod device;
mod services;

use core::net::Ipv4Addr;
use core::time::Duration;

use az3166_event::{NetworkEvent, VirtualTime};
use az3166_network::{Gateway, GatewayConfig, Services};
pub use device::Device;
pub use services::{Call, Script};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{dns, tcp};

pub const HOST: &str = "host.example";
pub const NTP: &str = "pool.ntp.org";
pub const UNIX_AT_ZERO: u64 = 1_767_225_600;

pub struct World {
    pub gateway: Gateway,
    pub services: Script,
    pub device: Device,
    pub now: VirtualTime,
}

impl World {
    pub fn new() -> Self {
        Self::with_seed(1)
    }

    pub fn with_seed(seed: u64) -> Self {
        let gateway = Gateway::new(GatewayConfig {
            hosts: vec![HOST.into(), "Other.example".into()],
            ntp_names: vec![NTP.into()],
            seed,
            unix_at_zero: UNIX_AT_ZERO,
        });
        Self {
            gateway,
            services: Script::default(),
            device: Device::new(),
            now: VirtualTime::ZERO,
        }
    }

    /// Lets things happen until `done` or for `limit`; tells whether it was done.
    pub fn run(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        let mut idle = 0;
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let next = [
                self.device.next_deadline(self.now),
                self.gateway.next_deadline(self.now),
                self.services.next_deadline(),
            ];
            let next = next.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            idle = if next <= self.now { idle + 1 } else { 0 };
            assert!(idle < 100, "time does not pass at {}", self.now);
            self.now = self.now.max(next);
        }
    }

    pub fn wait(&mut self, interval: Duration) {
        self.run(interval, |_| false);
    }

    /// Carries packets until none is on its way at this instant.
    fn settle(&mut self) {
        loop {
            let sent = self.device.poll(self.now);
            for packet in &sent {
                self.gateway.from_device(self.now, packet);
            }
            self.gateway.poll(self.now, &mut self.services);
            let mut received = 0;
            while let Some(packet) = self.gateway.to_device(self.now) {
                self.device.deliver(packet);
                received += 1;
            }
            if sent.is_empty() && received == 0 {
                return;
            }
        }
    }

    /// Asks DNS for a name, as a client with its usual repetitions.
    pub fn resolve(&mut self, name: &str) -> Result<Ipv4Addr, dns::GetQueryResultError> {
        let query = self.device.ask_dns(name);
        let mut result = Err(dns::GetQueryResultError::Pending);
        self.run(Duration::from_secs(60), |world| {
            result = world.device.dns_result(query);
            !matches!(result, Err(dns::GetQueryResultError::Pending))
        });
        result
    }

    /// Opens a connection to `HOST`, established or failed when it returns.
    pub fn connect(&mut self, port: u16) -> SocketHandle {
        let address = self.resolve(HOST).unwrap();
        self.connect_to(address, port)
    }

    pub fn connect_to(&mut self, address: Ipv4Addr, port: u16) -> SocketHandle {
        let handle = self.device.connect(address, port);
        self.run(Duration::from_secs(100), |world| {
            world.device.tcp(handle).state() != tcp::State::SynSent
        });
        handle
    }

    /// Sends all bytes and receives until `expected` came, the peer finished, or time ran out.
    pub fn exchange(&mut self, handle: SocketHandle, bytes: &[u8], expected: usize) -> Vec<u8> {
        let (mut sent, mut received) = (0, Vec::new());
        self.run(Duration::from_secs(600), |world| {
            loop {
                let before = (sent, received.len());
                let socket = world.device.tcp(handle);
                if socket.can_send() {
                    sent += socket.send_slice(&bytes[sent..]).unwrap();
                }
                while socket.can_recv() {
                    received.extend(socket.recv(|bytes| (bytes.len(), bytes.to_vec())).unwrap());
                }
                // What was just queued, and the room just made, has to be known to the peer
                // before time passes.
                world.settle();
                if before == (sent, received.len()) {
                    break;
                }
            }
            let socket = world.device.tcp(handle);
            (sent == bytes.len() && received.len() >= expected) || !socket.is_active()
        });
        received
    }

    pub fn events(&mut self) -> Vec<NetworkEvent> {
        let events = self.gateway.drain_events().into_iter();
        events.map(|(_, event)| event).collect()
    }

    /// The ends of connections among the events since the last call.
    pub fn endings(&mut self) -> Vec<String> {
        let events = self.events().into_iter();
        events
            .filter_map(|event| match event {
                NetworkEvent::TcpClosed { by, .. } => Some(by),
                _ => None,
            })
            .collect()
    }
}
