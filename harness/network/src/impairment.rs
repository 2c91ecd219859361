//! Faults of the link itself: silence, loss, corruption, latency.

use core::time::Duration;

use az3166_event::{NetworkEvent, VirtualTime};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::NetworkFault;

/// What the link does to each packet, in either direction.
pub(crate) struct Impairment {
    random: ChaCha8Rng,
}

impl Impairment {
    pub fn new(seed: u64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// The packet as it arrives and how much later, or nothing where it is lost.
    pub fn pass(
        &mut self,
        faults: &[NetworkFault],
        now: VirtualTime,
        mut packet: Vec<u8>,
        events: &mut Vec<(VirtualTime, NetworkEvent)>,
    ) -> Option<(Duration, Vec<u8>)> {
        let mut latency = Duration::ZERO;
        for fault in faults {
            let strikes = match fault {
                NetworkFault::LinkSilent => true,
                NetworkFault::Loss { percent } | NetworkFault::Corrupt { percent } => {
                    self.random.next_u32() % 100 < u32::from(*percent)
                }
                NetworkFault::Latency(more) => {
                    latency += *more;
                    false
                }
                NetworkFault::DnsSilent
                | NetworkFault::DnsNameError
                | NetworkFault::DnsWrongAddress
                | NetworkFault::SntpSilent
                | NetworkFault::SntpYear(_)
                | NetworkFault::SntpKissOfDeath
                | NetworkFault::TcpRefuse { .. }
                | NetworkFault::TcpDrop { .. } => false,
            };
            if !strikes {
                continue;
            }
            let name = fault.name().into();
            events.push((now, NetworkEvent::Fault { fault: name }));
            match fault {
                NetworkFault::Corrupt { .. } => self.invert_one_bit(&mut packet),
                _ => return None,
            }
        }
        Some((latency, packet))
    }

    fn invert_one_bit(&mut self, packet: &mut [u8]) {
        let random = self.random.next_u32() as usize;
        // The link carries at most 1500 bytes, never none.
        if let Some(place) = (random / 8).checked_rem(packet.len()) {
            packet[place] ^= 1 << (random % 8);
        }
    }
}
