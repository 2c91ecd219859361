//! The one cloud that all connections share: every call, its time, and what comes of it.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use az3166_cloud::{Cloud, CloudFault, FaultError, Opening, Port, Then, Transmission, Wall};
use az3166_event::VirtualTime;
use tokio::sync::Notify;

use crate::clock::{Clock, date};
use crate::key_log;
use crate::store::{Store, StoreError};
use crate::trace::{Happening, Incident, Record, Trace};

/// The cloud and its surroundings. Calls are short: the longest one signs a key exchange.
pub(crate) struct Engine {
    inner: Mutex<Inner>,
    /// The next deadline came nearer.
    sooner: Notify,
    /// What is kept cannot be written any more.
    failure: Notify,
}

struct Inner {
    cloud: Cloud<Wall>,
    clock: Clock,
    trace: Trace,
    store: Store,
    key_log: Option<File>,
    /// What was answered would be lost, so nothing is answered any more.
    is_broken: bool,
    /// Why, until somebody asks.
    failed: Option<StoreError>,
    connections: HashMap<u32, Arc<Notify>>,
    /// The connection that this call is about, which needs no word of it.
    served: Option<u32>,
    last: u32,
    /// What the timer waits for.
    deadline: Option<VirtualTime>,
}

/// A connection as its transport knows it.
pub(crate) struct Opened {
    pub(crate) number: u32,
    /// Something may have to be transmitted.
    pub(crate) ready: Arc<Notify>,
}

/// What a client asked for when it connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A kind of port.
    Port(Port),
    /// A host by name, and its port, through the proxy.
    Host(String, u16),
}

impl Engine {
    pub(crate) fn new(
        cloud: Cloud<Wall>,
        clock: Clock,
        trace: Trace,
        store: Store,
        key_log: Option<File>,
    ) -> Self {
        Self {
            inner: Mutex::new(Inner {
                cloud,
                clock,
                trace,
                store,
                key_log,
                is_broken: false,
                failed: None,
                connections: HashMap::new(),
                served: None,
                last: 0,
                deadline: None,
            }),
            sooner: Notify::new(),
            failure: Notify::new(),
        }
    }

    /// A client at `peer` has connected.
    ///
    /// # Errors
    /// Nothing listens at its destination; the reason in words.
    pub(crate) fn open(&self, peer: &str, destination: &Destination) -> Result<Opened, String> {
        self.call(|inner, now| {
            let Some(number) = inner.last.checked_add(1) else {
                return Err("all connection numbers are used up: restart the server".into());
            };
            let port = match destination {
                Destination::Port(port) => {
                    inner.cloud.accept(now, number, *port);
                    match port {
                        Port::Https => "https".to_owned(),
                        Port::Mqtt => "mqtt".to_owned(),
                    }
                }
                Destination::Host(host, port) => {
                    let opening = inner.cloud.open(now, number, host, *port);
                    if let Opening::Refused { reason } = opening {
                        return Err(reason);
                    }
                    format!("proxy to {host}:{port}")
                }
            };
            inner.last = number;
            let ready = Arc::new(Notify::new());
            inner.connections.insert(number, ready.clone());
            let peer = peer.to_owned();
            let connection = number;
            inner.note(
                now,
                Incident::Opened {
                    connection,
                    peer,
                    port,
                },
            );
            Ok(Opened { number, ready })
        })
    }

    /// The client of `connection` sent `bytes`.
    pub(crate) fn receive(&self, connection: u32, bytes: &[u8]) -> Transmission {
        let transmission = self.call(|inner, now| {
            inner.cloud.receive(now, connection, bytes);
            inner.served = Some(connection);
            inner.cloud.transmit(now, connection)
        });
        self.unless_failed(transmission)
    }

    /// What `connection` has to transmit.
    pub(crate) fn transmit(&self, connection: u32) -> Transmission {
        let transmission = self.call(|inner, now| inner.cloud.transmit(now, connection));
        self.unless_failed(transmission)
    }

    /// The connection is gone.
    pub(crate) fn closed(&self, connection: u32) {
        self.call(|inner, now| {
            inner.connections.remove(&connection);
            inner.cloud.closed(now, connection);
        });
    }

    /// Writes an incident into the trace.
    pub(crate) fn note(&self, incident: Incident) {
        self.call(|inner, now| inner.note(now, incident));
    }

    /// Looks at the cloud.
    pub(crate) fn view<T>(&self, look: impl FnOnce(&Cloud<Wall>, &Trace) -> T) -> T {
        let inner = self.lock();
        look(&inner.cloud, &inner.trace)
    }

    /// Puts these faults in the place of those in force.
    pub(crate) fn replace_faults(&self, faults: Vec<CloudFault>) -> Result<(), FaultError> {
        self.call(|inner, _| {
            inner.cloud.clear_faults();
            faults
                .into_iter()
                .try_for_each(|fault| inner.cloud.inject(fault))
        })
    }

    /// Waits until what is kept cannot be written any more.
    pub(crate) async fn failed(&self) -> StoreError {
        loop {
            let failure = self.failure.notified();
            if let Some(error) = self.lock().failed.take() {
                return error;
            }
            failure.await;
        }
    }

    /// Synchronises what was written with the disk.
    ///
    /// # Errors
    /// The disk is broken.
    pub(crate) fn synchronise(&self) -> Result<(), StoreError> {
        let dirty = self.lock().store.take_dirty();
        // Without the lock: a disk may take long.
        let result = dirty.map_or(Ok(()), |file| file?.sync_data());
        result.map_err(|error| self.lock().store.sync_error(error))
    }

    /// The same; where it fails, nothing is answered any more.
    pub(crate) fn synchronise_or_fail(&self) {
        if let Err(error) = self.synchronise() {
            self.lock().fail(error);
            self.failure.notify_one();
        }
    }

    /// Does what becomes due, for ever.
    pub(crate) async fn keep_time(&self) {
        loop {
            let wait = self.call(|inner, now| {
                inner.cloud.advance(now);
                let deadline = inner.cloud.next_deadline();
                deadline.map(|deadline| deadline.saturating_since(now))
            });
            let sooner = self.sooner.notified();
            match wait {
                // A timer's grain is a millisecond; what is due within it is due then.
                Some(wait) => {
                    let pause = wait.max(Duration::from_millis(1));
                    let _ = tokio::time::timeout(pause, sooner).await;
                }
                None => sooner.await,
            }
        }
    }

    /// Runs a call now, and sees to what came of it.
    fn call<T>(&self, call: impl FnOnce(&mut Inner, VirtualTime) -> T) -> T {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let now = inner.clock.now();
        let result = call(inner, now);
        let kept = inner.keep();
        if let Err(error) = kept {
            inner.fail(error);
            self.failure.notify_one();
        }
        inner.log_keys(now);
        inner.collect();
        let deadline = inner.cloud.next_deadline();
        let is_sooner = match (deadline, inner.deadline) {
            (Some(new), Some(old)) => new < old,
            (Some(_), None) => true,
            (None, _) => false,
        };
        inner.deadline = deadline;
        drop(guard);
        if is_sooner {
            self.sooner.notify_one();
        }
        result
    }

    /// The transmission, or a reset where what it tells of is not kept.
    fn unless_failed(&self, transmission: Transmission) -> Transmission {
        match self.lock().is_broken {
            false => transmission,
            true => Transmission {
                bytes: Vec::new(),
                then: Then::Reset,
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in a call is a bug; the others go on with what is there.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn note(&mut self, now: VirtualTime, incident: Incident) {
        self.trace.record(Record {
            time: date(now),
            happening: Happening::Serve(incident),
        });
    }

    fn fail(&mut self, error: StoreError) {
        self.is_broken = true;
        self.failed = Some(error);
    }

    /// Writes down what changed, before anybody is told.
    fn keep(&mut self) -> Result<(), StoreError> {
        let changes = self.cloud.take_changes();
        if changes.is_empty() || self.is_broken {
            return Ok(());
        }
        self.store.append(&changes)?;
        if self.store.is_overgrown() {
            self.store.compact(self.cloud.snapshot())?;
        }
        Ok(())
    }

    /// Writes the secrets of new sessions down, where that is wanted.
    fn log_keys(&mut self, now: VirtualTime) {
        let Some(file) = &mut self.key_log else {
            return;
        };
        let lines = self.cloud.key_log();
        if !lines.is_empty()
            && let Err(error) = key_log::append(file, &lines)
        {
            self.key_log = None;
            let text = format!("writing the key log failed, and ends: {error}");
            self.note(now, Incident::Warning { text });
        }
    }

    /// Fetches what the cloud has to say.
    fn collect(&mut self) {
        for (at, event) in self.cloud.drain_events() {
            self.trace.record(Record {
                time: date(at),
                happening: Happening::Cloud(event),
            });
        }
        let served = self.served.take();
        for number in self.cloud.take_ready() {
            if Some(number) != served
                && let Some(ready) = self.connections.get(&number)
            {
                ready.notify_one();
            }
        }
    }
}
