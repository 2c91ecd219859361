//! The whole way, polled: time, registration, hub.

mod lookup;
mod online;
mod query;
mod registering;

use alloc::string::String;
use alloc::vec::Vec;

use smoltcp::time::{Duration, Instant};
use zeroize::Zeroizing;

use crate::channel::{Activity, Channel, Closing, Remote};
use crate::dps::{Assignment, Transport};
use crate::environment::{Console, Link};
use crate::failure::{Failure, FailureKind};
use crate::messages::Message;
use crate::mqtt::hub;
use crate::stack::Stack;
use crate::tls::{Crypto, TlsConfig, TrustAnchors};
use lookup::{Lookup, TIME_SERVER, TimeQuery, WallClock};
use online::Online;
use registering::{Registering, Target};

/// How long the way to the assignment may take, from the first poll on. With what comes before
/// (secure element, key derivation) and after, no failing path takes a minute.
const REGISTRATION_BUDGET: Duration = Duration::from_secs(48);

/// How long the way to the acknowledged telemetry may take.
const TOTAL_BUDGET: Duration = Duration::from_secs(54);

/// A time that does not come.
const NEVER: Instant = Instant::from_micros_const(i64::MAX);

/// The first port of the dynamic range (RFC 6335 section 6).
const FIRST_PORT: u16 = 49152;

/// Who the device is.
pub struct Identity {
    /// Its registration id.
    pub registration_id: String,
    /// The alias certificate, in DER.
    pub certificate: Vec<u8>,
    /// The alias private key: the scalar, big-endian.
    pub key: Zeroizing<[u8; 32]>,
}

/// Where the device registers, and what it tells its hub.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host name of the provisioning service.
    pub endpoint: String,
    /// What carries the registration.
    pub transport: Transport,
    /// The ID scope.
    pub id_scope: String,
    /// The telemetry message: a JSON document.
    pub telemetry: String,
}

/// How far a session is. Each unfinished state says when to poll again at the latest; a packet
/// on the link is a reason to poll at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// On the way to the hub.
    Registering(Instant),
    /// At the hub, telemetry acknowledged.
    Online(Instant),
    /// Over; the failure has been printed.
    Failed(Failure),
}

/// One attempt to register and to stay at the hub.
pub struct Session {
    stack: Stack,
    tls: Option<TlsConfig>,
    target: Target,
    telemetry: String,
    crypto: Crypto,
    clock: Option<WallClock>,
    next_port: u16,
    deadline: Instant,
    total_deadline: Instant,
    phase: Phase,
    /// A connection that is done with, but not yet delivered.
    closing: Option<Closing>,
}

enum Phase {
    Starting,
    TimeServer(Lookup),
    Time(TimeQuery),
    Service(Lookup),
    Registering(Registering),
    Hub(Lookup, Assignment),
    Online(Online),
    Failed(Failure),
}

/// What a phase wants next.
enum Next {
    /// Poll again at once.
    Now,
    /// Poll again at this time.
    At(Instant),
}

impl Session {
    /// A session that starts with its first poll. `now` counts from any fixed moment.
    pub fn new(
        now: Instant,
        crypto: &Crypto,
        anchors: TrustAnchors,
        identity: Identity,
        settings: Settings,
    ) -> Self {
        let Identity {
            registration_id,
            certificate,
            key,
        } = identity;
        let tls = TlsConfig::new(crypto, anchors, &certificate, &key);
        Self {
            stack: Stack::new(now, 0),
            tls,
            target: Target {
                host: settings.endpoint,
                id_scope: settings.id_scope,
                registration_id,
                transport: settings.transport,
            },
            telemetry: settings.telemetry,
            crypto: crypto.clone(),
            clock: None,
            next_port: FIRST_PORT,
            deadline: now + REGISTRATION_BUDGET,
            total_deadline: now + TOTAL_BUDGET,
            phase: Phase::Starting,
            closing: None,
        }
    }

    /// Does what can be done at the time `now`, one expensive step at most.
    pub fn poll(
        &mut self,
        now: Instant,
        link: &mut dyn Link,
        console: &mut dyn Console,
    ) -> Progress {
        // The stack of before the start has no random numbers yet.
        if !matches!(self.phase, Phase::Starting) {
            self.stack.poll(now, link);
        }
        let next = match self.step(now, link, console) {
            Ok(next) => next,
            Err(failure) => {
                self.fail(now, failure, console);
                Next::Now
            }
        };
        if let Some(closing) = &mut self.closing
            && !closing.poll(now, &mut self.stack)
        {
            self.closing = None;
        }
        self.stack.flush(now, link);
        let wake = self.wake(now, link, next);
        match &self.phase {
            Phase::Failed(failure) if self.closing.is_none() => Progress::Failed(failure.clone()),
            Phase::Online(online) if online.settled => Progress::Online(wake),
            _ => Progress::Registering(wake),
        }
    }

    fn wake(&mut self, now: Instant, link: &dyn Link, next: Next) -> Instant {
        let phase = match next {
            Next::Now => return now,
            Next::At(at) => at,
        };
        let closing = self.closing.as_ref().map(Closing::next);
        [self.stack.next(now, link), closing]
            .into_iter()
            .flatten()
            .fold(phase, Instant::min)
    }

    fn step(
        &mut self,
        now: Instant,
        link: &dyn Link,
        console: &mut dyn Console,
    ) -> Result<Next, Failure> {
        let stack = &mut self.stack;
        match &mut self.phase {
            Phase::Starting => {
                self.check_settings()?;
                let random = self.random()?;
                self.next_port = FIRST_PORT + (random[0] >> 50) as u16;
                self.stack = Stack::new(now, random[1]);
                self.phase = Phase::TimeServer(self.lookup(now, TIME_SERVER, self.deadline)?);
                Ok(Next::Now)
            }
            Phase::TimeServer(lookup) => {
                let Some(server) = lookup.poll(now, stack, link)? else {
                    return Ok(Next::At(lookup.next()));
                };
                let nonce = self.random()?[0];
                let port = self.port();
                let times = (now, self.deadline);
                let query = TimeQuery::new(&mut self.stack, server, (nonce, port), times);
                self.phase = Phase::Time(query);
                Ok(Next::Now)
            }
            Phase::Time(query) => {
                let Some(clock) = query.poll(now, stack)? else {
                    return Ok(Next::At(query.next()));
                };
                self.clock = Some(clock);
                let host = self.target.host.clone();
                self.phase = Phase::Service(self.lookup(now, &host, self.deadline)?);
                Ok(Next::Now)
            }
            Phase::Service(lookup) => {
                let Some(address) = lookup.poll(now, stack, link)? else {
                    return Ok(Next::At(lookup.next()));
                };
                let host = self.target.host.clone();
                let remote = Remote {
                    host: &host,
                    address,
                    port: self.target.transport.port(),
                    oversize: FailureKind::DpsResponse,
                };
                let channel = self.connect(now, remote, self.deadline)?;
                self.phase = Phase::Registering(Registering::new(channel, self.deadline));
                Ok(Next::Now)
            }
            Phase::Registering(registering) => {
                let (assignment, activity, at) =
                    registering.poll(now, stack, &self.target, console)?;
                let Some(assignment) = assignment else {
                    return Ok(next(activity, at, self.deadline));
                };
                console.line(format_args!("{}", Message::Assigned(&assignment.hub)));
                let lookup = self.lookup(now, &assignment.hub, self.total_deadline)?;
                self.leave(now, Phase::Hub(lookup, assignment));
                Ok(Next::Now)
            }
            Phase::Hub(lookup, assignment) => {
                let Some(address) = lookup.poll(now, stack, link)? else {
                    return Ok(Next::At(lookup.next()));
                };
                let assignment = assignment.clone();
                let remote = Remote {
                    host: &assignment.hub,
                    address,
                    port: hub::PORT,
                    oversize: FailureKind::HubProtocol,
                };
                let channel = self.connect(now, remote, self.total_deadline)?;
                let telemetry = core::mem::take(&mut self.telemetry);
                self.phase = Phase::Online(Online::new(channel, assignment, telemetry));
                Ok(Next::Now)
            }
            Phase::Online(online) => {
                let (activity, at) = online.poll(now, stack, console)?;
                if online.settled {
                    return Ok(next(activity, at, NEVER));
                }
                if now >= self.total_deadline {
                    let reason = "the hub took too long to accept the telemetry message";
                    return Err(Failure::new(FailureKind::HubTimeout, reason));
                }
                Ok(next(activity, at, self.total_deadline))
            }
            Phase::Failed(_) => Ok(Next::At(NEVER)),
        }
    }

    /// Changes the phase; the connection of the one that ends is closed in good order.
    fn leave(&mut self, now: Instant, phase: Phase) {
        let ended = core::mem::replace(&mut self.phase, phase);
        let (Phase::Registering(Registering { channel, .. })
        | Phase::Online(Online { channel, .. })) = ended
        else {
            return;
        };
        self.closing = Some(channel.close(now));
    }

    fn fail(&mut self, now: Instant, failure: Failure, console: &mut dyn Console) {
        let at_hub = matches!(self.phase, Phase::Hub(..) | Phase::Online(_));
        console.line(format_args!("{}", Message::Failed(&failure)));
        if !at_hub {
            console.line(format_args!("{}", Message::RegistrationFailed));
        }
        // The alias key is wiped with its last user.
        self.tls = None;
        self.leave(now, Phase::Failed(failure));
    }

    fn check_settings(&self) -> Result<(), Failure> {
        let Target {
            host,
            id_scope,
            registration_id,
            transport: _,
        } = &self.target;
        let invalid = |what: &str| Err(Failure::new(FailureKind::SettingInvalid, what));
        if self.tls.is_none() {
            return invalid("the alias key is no private key of P-256");
        }
        if !is_token(registration_id, b"-._:") {
            return invalid("the registration id is empty, too long or has a forbidden character");
        }
        if !is_token(id_scope, b"-") {
            return invalid("the ID scope is empty, too long or has a forbidden character");
        }
        if !is_token(host, b"-.") {
            return invalid("the endpoint is no host name");
        }
        Ok(())
    }

    fn lookup(&mut self, now: Instant, host: &str, deadline: Instant) -> Result<Lookup, Failure> {
        let id = (self.random()?[0] >> 48) as u16;
        let port = self.port();
        Lookup::new(&mut self.stack, host, (id, port), (now, deadline))
    }

    fn connect(
        &mut self,
        now: Instant,
        remote: Remote<'_>,
        deadline: Instant,
    ) -> Result<Channel, Failure> {
        let (Some(tls), Some(clock)) = (self.tls.clone(), self.clock) else {
            return Err(Failure::new(
                FailureKind::SettingInvalid,
                "there is no identity or time",
            ));
        };
        let local_port = self.port();
        let unix_seconds = clock.unix_seconds(now);
        Channel::open(
            &mut self.stack,
            &tls,
            remote,
            local_port,
            unix_seconds,
            (now, deadline),
        )
    }

    fn port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
        port
    }

    fn random(&self) -> Result<[u64; 2], Failure> {
        let mut bytes = [0; 16];
        self.crypto
            .random()
            .fill(&mut bytes)
            .map_err(|_| Failure::new(FailureKind::Random, "the random number generator failed"))?;
        let (high, low) = bytes.split_at(8);
        let number = |half: &[u8]| {
            half.iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte))
        };
        Ok([number(high), number(low)])
    }
}

fn next(activity: Activity, at: Option<Instant>, limit: Instant) -> Next {
    match activity {
        Activity::Busy => Next::Now,
        Activity::Idle => Next::At(at.map_or(limit, |at| at.min(limit))),
    }
}

/// 1 to 128 letters, digits and characters of `others`.
fn is_token(text: &str, others: &[u8]) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}
