//! Services by port: 7 echoes, 9 swallows, 13 greets and finishes, 14 greets and resets,
//! 15 waits for the device to finish and then greets; others refuse.

use std::collections::BTreeMap;

use az3166_event::VirtualTime;
use az3166_network::{Closing, Opening, Services, Then, Transmission};

pub const GREETING: &[u8] = b"good day";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Open(u32, String, u16),
    Closed(u32, Closing),
}

#[derive(Default)]
pub struct Script {
    pub calls: Vec<Call>,
    /// Bytes received, by connection.
    pub received: BTreeMap<u32, Vec<u8>>,
    pub deadline: Option<VirtualTime>,
    states: BTreeMap<u32, State>,
}

struct State {
    port: u16,
    pending: Vec<u8>,
}

impl Script {
    /// Gives a connection more to transmit.
    pub fn say(&mut self, connection: u32, bytes: &[u8]) {
        let state = self.states.get_mut(&connection).unwrap();
        state.pending.extend(bytes);
    }
}

impl Services for Script {
    fn open(&mut self, _: VirtualTime, connection: u32, host: &str, port: u16) -> Opening {
        self.calls.push(Call::Open(connection, host.into(), port));
        if ![7, 9, 13, 14, 15].contains(&port) {
            return Opening::Refused;
        }
        let pending = match port {
            13 | 14 => GREETING.to_vec(),
            _ => Vec::new(),
        };
        self.states.insert(connection, State { port, pending });
        Opening::Accepted
    }

    fn receive(&mut self, _: VirtualTime, connection: u32, bytes: &[u8]) {
        self.received.entry(connection).or_default().extend(bytes);
        let state = self.states.get_mut(&connection).unwrap();
        if state.port == 7 {
            state.pending.extend(bytes);
        }
    }

    fn transmit(&mut self, _: VirtualTime, connection: u32) -> Transmission {
        let state = self.states.get_mut(&connection).unwrap();
        Transmission {
            bytes: core::mem::take(&mut state.pending),
            then: match state.port {
                13 => Then::Finish,
                14 => Then::Reset,
                _ => Then::Continue,
            },
        }
    }

    fn closed(&mut self, _: VirtualTime, connection: u32, how: Closing) {
        self.calls.push(Call::Closed(connection, how));
        let state = self.states.get_mut(&connection).unwrap();
        if state.port == 15 {
            state.pending.extend(GREETING);
        }
    }

    fn next_deadline(&self) -> Option<VirtualTime> {
        self.deadline
    }
}
