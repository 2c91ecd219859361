//! The cloud as its transport sees it: numbered connections, bytes, time, deadlines, events.

mod connection;
mod deadlines;
mod exchange;
mod http;
mod hub_session;
mod journal;
mod mqtt;
mod registration_session;
mod services;
mod site;
mod websocket;

use core::marker::PhantomData;
use std::collections::{BTreeMap, BTreeSet};

use az3166_event::{CloudEvent, VirtualTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};

use crate::clock::Epoch;
use crate::config::{CloudConfig, CloudError, TimeBase, Virtual};
use crate::fault::{CloudFault, FaultError};
use crate::hub::{Device, DeviceKey, Outgoing};
use crate::provisioning::{EnrolError, Enrolment, EnrolmentGroup, Provisioning};
use crate::state::{Change, Item, ItemKey};
use crate::tls::{Endpoint, Session};
use connection::Connection;
use deadlines::Deadlines;
use services::Services;

pub use site::Port;

/// A provisioning service and its hubs.
///
/// Every call takes the present; it must not go back. Whatever became due since the last call
/// happens first, at its own time.
pub struct Cloud<B: TimeBase = Virtual> {
    endpoint: Endpoint,
    services: Services,
    connections: BTreeMap<u32, Connection>,
    deadlines: Deadlines,
    /// Connections that may have something to transmit since the owner asked last.
    ready: BTreeSet<u32>,
    seed: [u8; 32],
    base: PhantomData<B>,
}

/// Whether something listens at a host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The connection is open.
    Accepted,
    /// Nothing listens there; a TCP reset is the answer.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Bytes for a client, and what happens to the connection after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmission {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What then.
    pub then: Then,
}

/// What happens to a connection after the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays open.
    Continue,
    /// The service sends no more: a TCP FIN.
    Finish,
    /// The service breaks it: a TCP RST.
    Reset,
}

impl<B: TimeBase> Cloud<B> {
    /// A cloud with no enrolments.
    ///
    /// # Errors
    /// The server's key or TLS provider is not usable.
    pub fn new(config: CloudConfig<B>) -> Result<Self, CloudError> {
        Ok(Self {
            endpoint: config.endpoint()?,
            services: Services::new(&config),
            connections: BTreeMap::new(),
            deadlines: Deadlines::default(),
            ready: BTreeSet::new(),
            seed: config.seed,
            base: PhantomData,
        })
    }

    /// Adds or replaces an individual enrolment.
    ///
    /// # Errors
    /// One of its members is not possible.
    pub fn enrol(&mut self, enrolment: Enrolment) -> Result<(), EnrolError> {
        self.services.provisioning.enrol(enrolment)
    }

    /// Removes an enrolment; the registration and the device stay.
    pub fn remove_enrolment(&mut self, registration_id: &str) -> Option<Enrolment> {
        self.services.provisioning.remove_enrolment(registration_id)
    }

    /// Adds or replaces an enrolment group.
    ///
    /// # Errors
    /// One of its members is not possible.
    pub fn enrol_group(&mut self, group: EnrolmentGroup) -> Result<(), EnrolError> {
        self.services.provisioning.enrol_group(group)
    }

    /// Removes an enrolment group; its devices' registrations stay.
    pub fn remove_group(&mut self, group_id: &str) -> Option<EnrolmentGroup> {
        self.services.provisioning.remove_group(group_id)
    }

    /// Every record that changed since the last call, as it is now. What
    /// [`apply`](Self::apply) took in is no change.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = self.services.provisioning.take_changes();
        for (key, record) in self.services.hubs.take_changes() {
            changes.push(match record {
                Some(record) => Change::Put(Box::new(Item::Device(record))),
                None => Change::Delete(ItemKey::Device(key.hub, key.device_id)),
            });
        }
        changes
    }

    /// Every record.
    pub fn snapshot(&self) -> impl Iterator<Item = Change> {
        let devices = self.services.hubs.records().map(Item::Device);
        self.services
            .provisioning
            .snapshot()
            .chain(devices.map(|item| Change::Put(Box::new(item))))
    }

    /// Takes in a change that an earlier run handed out.
    pub fn apply(&mut self, change: Change) {
        let hubs = &mut self.services.hubs;
        match change {
            Change::Put(item) => match *item {
                Item::Device(record) => hubs.restore(&record),
                item => {
                    let change = Change::Put(Box::new(item));
                    self.services.provisioning.apply(change);
                }
            },
            Change::Delete(ItemKey::Device(hub, id)) => {
                hubs.forget_device(&DeviceKey::new(&hub, &id));
            }
            change => self.services.provisioning.apply(change),
        }
    }

    /// The provisioning service: enrolments and registrations.
    pub fn provisioning(&self) -> &Provisioning {
        &self.services.provisioning
    }

    /// The devices of all hubs: thumbprints, connection state, telemetry, twin.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.services.hubs.devices()
    }

    /// The client certificates that were shown in complete handshakes, as DER, each with the
    /// handshake's time, in order.
    pub fn client_certificates(&self) -> &[(VirtualTime, Vec<u8>)] {
        self.services.journal.client_certificates()
    }

    /// The root certificate that a device must trust, in DER.
    pub fn trust_anchor(&self) -> &[u8] {
        self.endpoint.trust_anchor()
    }

    /// Every host name that the cloud answers to.
    pub fn host_names(&self) -> Vec<String> {
        self.services.host_names()
    }

    /// A client opened the TCP connection `connection` to `host`, by name, and `port`.
    ///
    /// Numbers are never used twice.
    pub fn open(&mut self, now: VirtualTime, connection: u32, host: &str, port: u16) -> Opening {
        self.advance(now);
        let port = match self.services.port_of(host, port) {
            Ok(port) => port,
            Err(reason) => return Opening::Refused { reason },
        };
        self.begin(now, connection, Some(host), port);
        Opening::Accepted
    }

    /// A client opened the TCP connection `connection` to a port of this kind. The host that it
    /// means follows from what it says: the TLS server name, the `Host` header field, the MQTT
    /// user name.
    ///
    /// Numbers are never used twice.
    pub fn accept(&mut self, now: VirtualTime, connection: u32, port: Port) {
        self.advance(now);
        self.begin(now, connection, None, port);
    }

    fn begin(&mut self, now: VirtualTime, connection: u32, host: Option<&str>, port: Port) {
        let session = Session::new(&self.endpoint, self.generator(connection));
        let opened = Connection::new(now, connection, host, port, session);
        self.deadlines.set(connection, opened.deadline());
        self.connections.insert(connection, opened);
    }

    /// Does something to a connection, if it exists, and takes note of what that may have changed.
    fn with(
        &mut self,
        connection: u32,
        work: impl FnOnce(&mut Connection, &Endpoint, &mut Services),
    ) {
        if let Some(subject) = self.connections.get_mut(&connection) {
            work(subject, &self.endpoint, &mut self.services);
            self.deadlines.set(connection, subject.deadline());
            self.ready.insert(connection);
        }
    }

    /// The client of `connection` sent `bytes`.
    pub fn receive(&mut self, now: VirtualTime, connection: u32, bytes: &[u8]) {
        self.advance(now);
        self.with(connection, |receiver, endpoint, services| {
            receiver.receive(now, bytes, endpoint, services);
        });
        self.settle(now);
    }

    /// Bytes for the client of `connection`, and what happens to the connection after them.
    pub fn transmit(&mut self, now: VirtualTime, connection: u32) -> Transmission {
        self.advance(now);
        match self.connections.get_mut(&connection) {
            Some(sender) => {
                let transmission = sender.transmit(now);
                self.deadlines.set(connection, sender.deadline());
                transmission
            }
            None => Transmission {
                bytes: Vec::new(),
                then: Then::Reset,
            },
        }
    }

    /// The TCP connection `connection` is gone, by whomever.
    pub fn closed(&mut self, now: VirtualTime, connection: u32) {
        self.advance(now);
        if let Some(mut gone) = self.connections.remove(&connection) {
            gone.closed(now, &mut self.services);
            self.deadlines.set(connection, None);
            self.ready.remove(&connection);
        }
        self.settle(now);
    }

    /// The connections that may have something to transmit since the last call: those that
    /// received something, whose deadlines passed, or that another connection's traffic concerned.
    pub fn take_ready(&mut self) -> BTreeSet<u32> {
        core::mem::take(&mut self.ready)
    }

    /// The next instant at which something happens without a call; [`advance`](Self::advance)
    /// must be called then, and every connection may have something to transmit.
    pub fn next_deadline(&self) -> Option<VirtualTime> {
        let services = self.services.next_deadline();
        self.deadlines.next().into_iter().chain(services).min()
    }

    /// Does what became due until `now`.
    pub fn advance(&mut self, now: VirtualTime) {
        self.endpoint.set_time(self.services.epoch.since_1970(now));
        while let Some(at) = self.next_deadline().filter(|at| *at <= now) {
            self.services.advance(at);
            for connection in self.deadlines.due(at) {
                self.with(connection, |due, _, services| due.advance(at, services));
            }
            self.settle(at);
        }
    }

    /// Puts a fault into force.
    ///
    /// # Errors
    /// It could never take effect.
    pub fn inject(&mut self, fault: CloudFault) -> Result<(), FaultError> {
        self.services.faults.inject(fault)
    }

    /// Ends all faults.
    pub fn clear_faults(&mut self) {
        self.services.faults.clear();
    }

    /// What happened since the last call, in the order of its time.
    pub fn drain_events(&mut self) -> Vec<(VirtualTime, CloudEvent)> {
        self.services.journal.drain()
    }

    /// Plain text that clients sent since the last call, with the connection's number.
    pub fn take_plaintext_from_device(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.services.journal.take_plaintext()
    }

    /// Lines in the NSS key log format since the last call: they decrypt a capture.
    pub fn key_log(&mut self) -> Vec<String> {
        self.endpoint.take_key_log()
    }

    /// Carries out what one connection's traffic means for others.
    fn settle(&mut self, now: VirtualTime) {
        loop {
            for (at, event) in self.services.hubs.take_notes() {
                self.services.journal.note(at, event);
            }
            let outgoing = self.services.hubs.take_outgoing();
            if outgoing.is_empty() {
                return;
            }
            for each in outgoing {
                match each {
                    Outgoing::Packet { connection, packet } => {
                        self.with(connection, |to, _, _| to.deliver(now, &packet));
                    }
                    Outgoing::Evict { connection, reason } => {
                        self.with(connection, |to, _, services| {
                            to.evict(now, reason, services)
                        });
                    }
                    Outgoing::CallEnd(end) => {
                        self.with(end.connection, |to, _, services| {
                            to.answer_call(now, &end, services);
                        });
                    }
                }
            }
        }
    }

    /// A connection's own generator, so that the order of packets on others changes nothing.
    fn generator(&self, connection: u32) -> ChaCha20Rng {
        let digest = Sha256::new()
            .chain_update(b"connection")
            .chain_update(self.seed)
            .chain_update(connection.to_be_bytes())
            .finalize();
        ChaCha20Rng::from_seed(digest.into())
    }
}

impl Epoch {
    fn of<B: TimeBase>(config: &CloudConfig<B>) -> Self {
        Self(config.epoch)
    }
}
