//! One TCP connection: TLS, then the service that it is for.

use std::time::Duration;

use az3166_event::{CloudEvent, VirtualTime};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::http::HttpService;
use super::mqtt::MqttService;
use super::services::Services;
use super::site::Port;
use super::websocket::WebSocketService;
use super::{Then, Transmission};
use crate::certificate::DeviceCertificate;
use crate::fault::{Effect, Exchange, Outlet, Shaping, Silence};
use crate::hub::CallEnd;
use crate::mqtt::Packet;
use crate::tls::{Endpoint, Established, Session, Status};

/// How long a client may take for the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(60);

/// TLS alert `handshake_failure`, which servers send when no suite is in common.
const HANDSHAKE_FAILURE: u8 = 40;

/// One TCP connection.
pub(super) struct Connection {
    number: u32,
    /// In lower case; none where only the client can tell it and has not yet.
    host: Option<String>,
    session: Session,
    outlet: Outlet,
    service: Service,
    certificate: Option<DeviceCertificate>,
    issuers: Vec<Vec<u8>>,
    state: State,
    handshake_deadline: Option<VirtualTime>,
}

/// What a connection speaks inside TLS.
enum Service {
    /// The services' HTTP interfaces.
    Http(HttpService),
    /// A device's session over MQTT.
    Mqtt(MqttService),
    /// The same in a WebSocket connection.
    WebSocket(Box<WebSocketService>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing that the client sends is heard any more; the connection stays.
    Deaf,
    Finishing,
    Reset,
}

/// What a service wants done after some plain text.
#[derive(Debug, Default)]
pub(super) struct Reaction {
    /// Plain text for the client.
    pub(super) send: Vec<u8>,
    /// What becomes of the connection.
    pub(super) ending: Ending,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    /// It stays.
    #[default]
    None,
    /// It stays, but nothing is answered any more.
    Stall,
    /// The service closes it.
    Close,
    /// The service resets it.
    Reset,
    /// It goes on as a WebSocket connection.
    Upgrade,
}

/// What a service may know of its connection.
#[derive(Clone, Copy)]
pub(super) struct Peer<'a> {
    pub(super) connection: u32,
    /// The host that it is for, in lower case; empty where the client did not say so in TLS.
    pub(super) host: &'a str,
    /// The client's certificate; TLS has proven that the client has its key.
    pub(super) certificate: Option<&'a DeviceCertificate>,
    /// The certificates that the client sent after its own, in DER.
    pub(super) issuers: &'a [Vec<u8>],
}

/// The [`Peer`] of a connection: a macro, so that it borrows the named fields alone.
macro_rules! peer {
    ($connection:ident) => {
        Peer {
            connection: $connection.number,
            host: $connection.host.as_deref().unwrap_or_default(),
            certificate: $connection.certificate.as_ref(),
            issuers: &$connection.issuers,
        }
    };
}

impl From<Silence> for Ending {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::Stall => Self::Stall,
            Silence::Close => Self::Close,
            Silence::Reset => Self::Reset,
        }
    }
}

impl Connection {
    pub(super) fn new(
        now: VirtualTime,
        number: u32,
        host: Option<&str>,
        port: Port,
        session: Session,
    ) -> Self {
        Self {
            number,
            host: host.map(str::to_ascii_lowercase),
            session,
            outlet: Outlet::default(),
            service: match port {
                Port::Https => Service::Http(HttpService::default()),
                Port::Mqtt => Service::Mqtt(MqttService::default()),
            },
            certificate: None,
            issuers: Vec::new(),
            state: State::Open,
            handshake_deadline: Some(now + HANDSHAKE_TIME),
        }
    }

    pub(super) fn receive(
        &mut self,
        now: VirtualTime,
        bytes: &[u8],
        endpoint: &Endpoint,
        services: &mut Services,
    ) {
        if self.state != State::Open {
            return;
        }
        let mut result = self.session.receive(bytes);
        if self.session.has_hello() {
            result = self.answer_hello(now, endpoint, services);
            let shaping = services.take_shaping();
            self.outlet.put(now, self.session.take_output(), &shaping);
        }
        match result {
            Ok(status) => self.handle(now, status, services),
            Err(reason) => self.fail(now, reason, services),
        }
    }

    pub(super) fn transmit(&mut self, now: VirtualTime) -> Transmission {
        let bytes = self.session.take_output();
        self.outlet.put(now, bytes, &Shaping::default());
        let then = match self.state {
            _ if !self.outlet.is_released() => Then::Continue,
            State::Open | State::Deaf => Then::Continue,
            State::Finishing => Then::Finish,
            State::Reset => Then::Reset,
        };
        Transmission {
            bytes: self.outlet.take(),
            then,
        }
    }

    pub(super) fn deadline(&self) -> Option<VirtualTime> {
        let due = [self.outlet.next(), self.patience()];
        due.into_iter().flatten().min()
    }

    /// When the client has been silent for too long.
    fn patience(&self) -> Option<VirtualTime> {
        match self.state {
            State::Open => self.handshake_deadline.or_else(|| self.service.deadline()),
            State::Deaf | State::Finishing | State::Reset => None,
        }
    }

    /// Does what is due.
    pub(super) fn advance(&mut self, now: VirtualTime, services: &mut Services) {
        self.outlet.release(now);
        if self.patience().is_none_or(|deadline| deadline > now) {
            return;
        }
        if self.handshake_deadline.is_some() {
            self.fail(now, "the handshake took too long".into(), services);
            return;
        }
        let peer = peer!(self);
        let reaction = self.service.expire(now, peer, services);
        self.react(now, reaction, Shaping::default());
    }

    /// Sends a packet to a hub's device.
    pub(super) fn deliver(&mut self, now: VirtualTime, packet: &Packet) {
        let listens = self.service.mqtt_mut().is_some_and(|own| own.is_with_hub());
        if listens && self.state == State::Open {
            let reaction = self.service.wrap(Reaction {
                send: packet.encode(),
                ending: Ending::None,
            });
            self.react(now, reaction, Shaping::default());
        }
    }

    /// Answers a request that waits for a method's call.
    pub(super) fn answer_call(&mut self, now: VirtualTime, end: &CallEnd, services: &mut Services) {
        if let Service::Http(service) = &mut self.service
            && self.state == State::Open
        {
            let reaction = service.answer_call(now, end, peer!(self), services);
            self.conclude(now, reaction, services);
        }
    }

    /// Closes the connection because the hub wants it.
    pub(super) fn evict(&mut self, now: VirtualTime, reason: &str, services: &mut Services) {
        if let Some(service) = self.service.mqtt_mut() {
            service.evicted(now, reason, services);
        }
        let closing = self.service.wrap(Reaction {
            send: Vec::new(),
            ending: Ending::Close,
        });
        self.react(now, closing, Shaping::default());
    }

    /// Closes the connection from the service's side.
    fn finish(&mut self) {
        self.session.close_notify();
        self.state = State::Finishing;
    }

    /// The TCP connection is gone.
    pub(super) fn closed(&mut self, now: VirtualTime, services: &mut Services) {
        let handshaking = !self.session.is_established() && self.handshake_deadline.is_some();
        if handshaking && self.state == State::Open {
            services.journal.note(
                now,
                CloudEvent::TlsFailed {
                    connection: self.number,
                    reason: "the connection ended during the handshake".into(),
                },
            );
        }
        let peer = peer!(self);
        self.service.closed(now, peer, services);
        services.hubs.forget(self.number);
    }

    /// Goes on with the handshake, unless a fault says otherwise.
    fn answer_hello(
        &mut self,
        now: VirtualTime,
        endpoint: &Endpoint,
        services: &mut Services,
    ) -> Result<Status, String> {
        if self.host.is_none() {
            let named = self.session.requested_name();
            self.host = named.map(|name| name.to_ascii_lowercase());
        }
        let host = self.host.as_deref().unwrap_or_default();
        let effect = services.strike(now, Exchange::handshake(host));
        match effect {
            Some(Effect::Certificate(fault)) => self.session.accept(endpoint, Some(fault)),
            Some(Effect::Alert(description)) => {
                self.session.refuse(description);
                Err(format!("the server sent alert {description}"))
            }
            Some(Effect::NoCommonSuite) => {
                self.session.refuse(HANDSHAKE_FAILURE);
                Err("no cipher suite in common".into())
            }
            Some(Effect::Stall) => {
                self.state = State::Deaf;
                Ok(Status::default())
            }
            Some(Effect::Close) => {
                self.state = State::Finishing;
                Ok(Status::default())
            }
            Some(Effect::Reset) => {
                self.state = State::Reset;
                Ok(Status::default())
            }
            _ => self.session.accept(endpoint, None),
        }
    }

    fn handle(&mut self, now: VirtualTime, status: Status, services: &mut Services) {
        if let Some(established) = status.established {
            self.established(now, established, services);
        }
        if !status.plaintext.is_empty() {
            services
                .journal
                .note_plaintext(self.number, &status.plaintext);
            let peer = peer!(self);
            let reaction = self.service.receive(now, &status.plaintext, peer, services);
            self.conclude(now, reaction, services);
        }
        if status.finished && self.state == State::Open {
            self.finish();
        }
    }

    /// Does what a service wants, and goes on with the next protocol if that is it.
    fn conclude(&mut self, now: VirtualTime, reaction: Reaction, services: &mut Services) {
        let upgraded = reaction.ending == Ending::Upgrade;
        self.react(now, reaction, services.take_shaping());
        if upgraded {
            self.upgrade(now, services);
        }
    }

    /// Goes on as a WebSocket connection.
    fn upgrade(&mut self, now: VirtualTime, services: &mut Services) {
        let rest = match &mut self.service {
            Service::Http(service) => service.take_rest(),
            Service::Mqtt(_) | Service::WebSocket(_) => return,
        };
        self.service = Service::WebSocket(Box::new(WebSocketService::new(now)));
        let reaction = self.service.receive(now, &rest, peer!(self), services);
        self.react(now, reaction, services.take_shaping());
    }

    fn established(&mut self, now: VirtualTime, what: Established, services: &mut Services) {
        self.handshake_deadline = None;
        self.service.begin(now);
        let mut chain = what.client_chain.into_iter();
        let leaf = chain.next();
        self.issuers = chain.collect();
        let leaf = leaf.as_deref();
        if let Some(der) = leaf {
            services.journal.note_client_certificate(now, der);
        }
        // The verifier has parsed it before.
        self.certificate = leaf.and_then(|der| DeviceCertificate::from_der(der).ok());
        services.journal.note(
            now,
            CloudEvent::TlsEstablished {
                connection: self.number,
                server_name: what.server_name,
                version: what.version,
                suite: what.suite,
                client_certificate_sha256: leaf.map(|der| hex::encode(Sha256::digest(der))),
                client_certificate_sha1: leaf.map(|der| hex::encode_upper(Sha1::digest(der))),
            },
        );
    }

    fn react(&mut self, now: VirtualTime, reaction: Reaction, shaping: Shaping) {
        for record in shaping.records(&reaction.send) {
            self.session.send(record);
        }
        self.outlet.put(now, self.session.take_output(), &shaping);
        match reaction.ending {
            Ending::None | Ending::Upgrade => {}
            Ending::Stall => self.state = State::Deaf,
            Ending::Close => self.finish(),
            Ending::Reset => self.state = State::Reset,
        }
    }

    fn fail(&mut self, now: VirtualTime, reason: String, services: &mut Services) {
        services.journal.note(
            now,
            CloudEvent::TlsFailed {
                connection: self.number,
                reason,
            },
        );
        self.handshake_deadline = None;
        self.state = State::Finishing;
    }
}

impl Service {
    fn begin(&mut self, now: VirtualTime) {
        match self {
            Self::Http(service) => service.begin(now),
            Self::Mqtt(service) => service.begin(now),
            Self::WebSocket(_) => {}
        }
    }

    fn receive(
        &mut self,
        now: VirtualTime,
        bytes: &[u8],
        peer: Peer<'_>,
        services: &mut Services,
    ) -> Reaction {
        match self {
            Self::Http(service) => service.receive(now, bytes, peer, services),
            Self::Mqtt(service) => service.receive(now, bytes, peer, services),
            Self::WebSocket(service) => service.receive(now, bytes, peer, services),
        }
    }

    fn deadline(&self) -> Option<VirtualTime> {
        match self {
            Self::Http(service) => service.deadline(),
            Self::Mqtt(service) => service.deadline(),
            Self::WebSocket(service) => service.mqtt().deadline(),
        }
    }

    fn expire(&mut self, now: VirtualTime, peer: Peer<'_>, services: &mut Services) -> Reaction {
        let reaction = match self {
            Self::Http(service) => service.expire(now, peer, services),
            Self::Mqtt(service) => service.expire(now, peer, services),
            Self::WebSocket(service) => service.mqtt_mut().expire(now, peer, services),
        };
        self.wrap(reaction)
    }

    fn closed(&mut self, now: VirtualTime, peer: Peer<'_>, services: &mut Services) {
        if let Some(service) = self.mqtt_mut() {
            service.closed(now, peer, services);
        }
    }

    fn mqtt_mut(&mut self) -> Option<&mut MqttService> {
        match self {
            Self::Http(_) => None,
            Self::Mqtt(service) => Some(service),
            Self::WebSocket(service) => Some(service.mqtt_mut()),
        }
    }

    /// What an MQTT session wants sent, as this connection sends it.
    fn wrap(&mut self, reaction: Reaction) -> Reaction {
        match self {
            Self::Http(_) | Self::Mqtt(_) => reaction,
            Self::WebSocket(service) => service.wrap(reaction),
        }
    }
}
