//! Hands the gateway's TCP connections to the local cloud.

use az3166_cloud::Cloud;
use az3166_event::VirtualTime;
use az3166_network::{Closing, Opening, Services, Then, Transmission};

pub(super) struct CloudServices<'a>(pub &'a mut Cloud);

impl Services for CloudServices<'_> {
    fn open(&mut self, now: VirtualTime, connection: u32, host: &str, port: u16) -> Opening {
        match self.0.open(now, connection, host, port) {
            az3166_cloud::Opening::Accepted => Opening::Accepted,
            az3166_cloud::Opening::Refused { .. } => Opening::Refused,
        }
    }

    fn receive(&mut self, now: VirtualTime, connection: u32, bytes: &[u8]) {
        self.0.receive(now, connection, bytes);
    }

    fn transmit(&mut self, now: VirtualTime, connection: u32) -> Transmission {
        let sent = self.0.transmit(now, connection);
        let then = match sent.then {
            az3166_cloud::Then::Continue => Then::Continue,
            az3166_cloud::Then::Finish => Then::Finish,
            az3166_cloud::Then::Reset => Then::Reset,
        };
        Transmission {
            bytes: sent.bytes,
            then,
        }
    }

    fn closed(&mut self, now: VirtualTime, connection: u32, _how: Closing) {
        self.0.closed(now, connection);
    }

    fn next_deadline(&self) -> Option<VirtualTime> {
        self.0.next_deadline()
    }
}
