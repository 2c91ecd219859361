//! Faults of the link itself: silence, loss, corruption, latency.

use core::time::Duration;

use az3166_event::{NetworkEvent, VirtualTime};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::NetworkFault;
use crate::link::Way;

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

    /// Sends the packet on its way as the faults let it: never, once or oftener.
    pub fn send(
        &mut self,
        faults: &[NetworkFault],
        now: VirtualTime,
        mut packet: Vec<u8>,
        way: &mut Way,
        events: &mut Vec<(VirtualTime, NetworkEvent)>,
    ) {
        let mut latency = Duration::ZERO;
        let mut copies = 1;
        for fault in faults {
            let strikes = match fault {
                NetworkFault::LinkSilent => true,
                NetworkFault::Loss { percent }
                | NetworkFault::Corrupt { percent }
                | NetworkFault::Duplicate { percent } => {
                    self.random.next_u32() % 100 < u32::from(*percent)
                }
                NetworkFault::Latency(more) => {
                    latency += *more;
                    false
                }
                NetworkFault::DnsSilent
                | NetworkFault::DnsNameError
                | NetworkFault::DnsWrongAddress
                | NetworkFault::DnsMalformed
                | NetworkFault::SntpSilent
                | NetworkFault::SntpYear(_)
                | NetworkFault::SntpKissOfDeath
                | NetworkFault::SntpMalformed
                | NetworkFault::TcpRefuse { .. }
                | NetworkFault::TcpSilent { .. }
                | NetworkFault::TcpDrop { .. } => false,
            };
            if !strikes {
                continue;
            }
            let name = fault.name().into();
            events.push((now, NetworkEvent::Fault { fault: name }));
            match fault {
                NetworkFault::Corrupt { .. } => self.invert_one_bit(&mut packet),
                NetworkFault::Duplicate { .. } => copies += 1,
                _ => return,
            }
        }
        for _ in 1..copies {
            way.send(now, latency, packet.clone());
        }
        way.send(now, latency, packet);
    }

    fn invert_one_bit(&mut self, packet: &mut [u8]) {
        let random = self.random.next_u32() as usize;
        // The link carries at most 1500 bytes, never none.
        if let Some(place) = (random / 8).checked_rem(packet.len()) {
            packet[place] ^= 1 << (random % 8);
        }
    }
}
