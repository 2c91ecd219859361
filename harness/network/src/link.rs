//! The gateway's end of the link, as smoltcp sees it, and the packets on their way.

use std::collections::VecDeque;

use az3166_event::VirtualTime;
use core::time::Duration;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

use crate::configuration::MTU;

/// One packet in, any number out.
#[derive(Default)]
pub(crate) struct Link {
    pub arriving: Option<Vec<u8>>,
    pub leaving: Vec<Vec<u8>>,
}

pub(crate) struct Arrival(Vec<u8>);

pub(crate) struct Departure<'a>(&'a mut Vec<Vec<u8>>);

impl Device for Link {
    type RxToken<'a> = Arrival;
    type TxToken<'a> = Departure<'a>;

    fn receive(&mut self, _timestamp: Instant) -> Option<(Arrival, Departure<'_>)> {
        let packet = self.arriving.take()?;
        Some((Arrival(packet), Departure(&mut self.leaving)))
    }

    fn transmit(&mut self, _timestamp: Instant) -> Option<Departure<'_>> {
        Some(Departure(&mut self.leaving))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

impl RxToken for Arrival {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Departure<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        self.0.push(packet);
        result
    }
}

/// Packets on their way in one direction, in order.
#[derive(Default)]
pub(crate) struct Way {
    packets: VecDeque<(VirtualTime, Vec<u8>)>,
}

/// More packets than this, and the next one is lost, as in any router.
const ROOM: usize = 256;

impl Way {
    /// Sends a packet that arrives after `latency`, but never before the one before it.
    pub fn send(&mut self, now: VirtualTime, latency: Duration, packet: Vec<u8>) {
        if self.packets.len() < ROOM {
            let before = self.packets.back().map_or(now, |(arrival, _)| *arrival);
            self.packets
                .push_back(((now + latency).max(before), packet));
        }
    }

    /// The next packet that has arrived.
    pub fn receive(&mut self, now: VirtualTime) -> Option<Vec<u8>> {
        let (arrival, _) = self.packets.front()?;
        if *arrival > now {
            return None;
        }
        self.packets.pop_front().map(|(_, packet)| packet)
    }

    /// When the next packet arrives.
    pub fn next_arrival(&self) -> Option<VirtualTime> {
        self.packets.front().map(|(arrival, _)| *arrival)
    }
}

/// smoltcp's clock counts microseconds.
pub(crate) fn instant(now: VirtualTime) -> Instant {
    let micros = now.as_nanos() / 1_000;
    Instant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// The first virtual time at which smoltcp's clock shows `instant`.
pub(crate) fn virtual_time(instant: Instant) -> VirtualTime {
    let micros = u64::try_from(instant.total_micros()).unwrap_or(0);
    VirtualTime::from_nanos(micros.saturating_mul(1_000))
}
