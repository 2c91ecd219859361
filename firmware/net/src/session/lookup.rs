//! From names to addresses, and the time of day.

use alloc::format;
use alloc::string::String;
use core::net::Ipv4Addr;

use smoltcp::time::Instant;

use super::query::{Query, Silent};
use crate::dns;
use crate::environment::Link;
use crate::failure::{Failure, FailureKind};
use crate::sntp;
use crate::stack::{GATEWAY, Stack};

/// Asks the gateway for the address of one host.
pub(super) struct Lookup {
    host: String,
    id: u16,
    query: Query,
}

impl Lookup {
    pub(super) fn new(
        stack: &mut Stack,
        host: &str,
        (id, local_port): (u16, u16),
        times: (Instant, Instant),
    ) -> Result<Self, Failure> {
        let question = dns::query(id, host).ok_or_else(|| {
            Failure::new(
                FailureKind::SettingInvalid,
                format!("{host} is no host name"),
            )
        })?;
        let query = Query::new(stack, (GATEWAY, dns::PORT), local_port, question, times);
        Ok(Self {
            host: host.into(),
            id,
            query,
        })
    }

    pub(super) fn next(&self) -> Instant {
        self.query.next()
    }

    pub(super) fn poll(
        &mut self,
        now: Instant,
        stack: &mut Stack,
        link: &dyn Link,
    ) -> Result<Option<Ipv4Addr>, Failure> {
        let Self { host, id, query } = self;
        match query.poll(now, stack, |datagram| dns::answer(*id, host, datagram)) {
            Ok(None) => Ok(None),
            Ok(Some(Ok(address))) => Ok(Some(address)),
            Ok(Some(Err(error))) => Err(Failure::new(
                FailureKind::DnsFailed,
                format!("no address of {host}: {error}"),
            )),
            Err(Silent) if !stack.has_received() => {
                let reason = match link.drained() {
                    true => "the gateway at the other end of the network link is silent",
                    false => "nobody is at the other end of the network link",
                };
                Err(Failure::new(FailureKind::LinkSilent, reason))
            }
            Err(Silent) => {
                let reason = format!("no DNS server answered for {host}");
                Err(Failure::new(FailureKind::DnsTimeout, reason))
            }
        }
    }
}

/// The time server that the device asks.
pub(super) const TIME_SERVER: &str = "pool.ntp.org";

/// Unix time, as it was when an answer came.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    unix_ms: u64,
    at: Instant,
}

impl WallClock {
    pub(super) fn unix_seconds(&self, now: Instant) -> u64 {
        (self.unix_ms + (now - self.at).total_millis()) / 1000
    }
}

/// Asks the time server for the time.
pub(super) struct TimeQuery {
    nonce: u64,
    query: Query,
}

impl TimeQuery {
    pub(super) fn new(
        stack: &mut Stack,
        server: Ipv4Addr,
        (nonce, local_port): (u64, u16),
        times: (Instant, Instant),
    ) -> Self {
        let question = sntp::request(nonce).into();
        Self {
            nonce,
            query: Query::new(stack, (server, sntp::PORT), local_port, question, times),
        }
    }

    pub(super) fn next(&self) -> Instant {
        self.query.next()
    }

    pub(super) fn poll(
        &mut self,
        now: Instant,
        stack: &mut Stack,
    ) -> Result<Option<WallClock>, Failure> {
        match self
            .query
            .poll(now, stack, |datagram| sntp::answer(self.nonce, datagram))
        {
            Ok(None) => Ok(None),
            Ok(Some(Ok(unix_ms))) => Ok(Some(WallClock { unix_ms, at: now })),
            Ok(Some(Err(error))) => {
                let reason = format!("{TIME_SERVER}: {error}");
                Err(Failure::new(FailureKind::SntpInvalid, reason))
            }
            Err(Silent) => {
                let reason = format!("the time server {TIME_SERVER} did not answer");
                Err(Failure::new(FailureKind::SntpTimeout, reason))
            }
        }
    }
}
