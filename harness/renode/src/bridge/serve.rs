//! The model behind the bridge.

use core::time::Duration;

use az3166_event::VirtualTime;
use az3166_stsafe::{Acknowledge, Power, PowerCut, SecureElement};
use zeroize::Zeroizing;

use super::frame::{Body, Request};

/// The protocol's version.
const VERSION: u16 = 1;
/// The chip's 7-bit address on the DevKit.
const CHIP: u8 = 0x20;
/// What is added to a request's kind in its answer.
const ANSWER: u8 = 0x80;
/// The kind of an answer that tells an error.
const ERROR: u8 = 0xFF;

/// What to do after an answer was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Wait for the next request.
    Continue,
    /// Close the connection, for this reason.
    Close(String),
}

/// What goes back to the bridge.
pub struct Answer {
    /// The bytes, with their length field.
    pub bytes: Zeroizing<Vec<u8>>,
    /// What comes after them.
    pub then: Then,
}

/// One connection of the bridge to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// The model's time at the connection's time zero.
    base: VirtualTime,
    /// The latest time of the connection, in nanoseconds.
    last: u64,
    hello: Hello,
    power_cut: PowerCut,
    other_addressed: Option<VirtualTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hello {
    Awaited,
    Said,
}

impl Bridge {
    /// A new connection, whose time zero is the model's `base`.
    pub fn new(base: VirtualTime) -> Self {
        Self {
            base,
            last: 0,
            hello: Hello::Awaited,
            power_cut: PowerCut::NotDue,
            other_addressed: None,
        }
    }

    /// Time passed for the model that did not pass in Renode.
    pub fn shift(&mut self, by: Duration) {
        self.base += by;
    }

    /// The model's time of the last request.
    pub fn now(&self) -> VirtualTime {
        self.base + Duration::from_nanos(self.last)
    }

    /// Whether an answer since the last call has told of a power cut.
    pub fn take_power_cut(&mut self) -> PowerCut {
        core::mem::replace(&mut self.power_cut, PowerCut::NotDue)
    }

    /// When a device other than the chip was last addressed.
    pub fn other_addressed(&self) -> Option<VirtualTime> {
        self.other_addressed
    }

    /// Answers one request, given without its length field.
    pub fn serve(&mut self, request: &[u8], model: &mut SecureElement) -> Answer {
        match self.answer(request, model) {
            Ok(bytes) => Answer {
                bytes,
                then: Then::Continue,
            },
            Err(reason) => self.refuse(reason),
        }
    }

    /// The answer to bytes that are no request.
    pub fn refuse(&self, reason: String) -> Answer {
        Answer {
            bytes: frame(ERROR, 0, u64::MAX, reason.as_bytes()),
            then: Then::Close(reason),
        }
    }

    /// The end of the connection is a loss of power.
    pub fn close(&mut self, model: &mut SecureElement) {
        model.set_power(self.now(), Power::Off);
    }

    fn answer(
        &mut self,
        bytes: &[u8],
        model: &mut SecureElement,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        let request = Request::parse(bytes).map_err(|error| error.to_string())?;
        if request.time < self.last {
            return Err(format!(
                "the time went back from {} ns to {} ns",
                self.last, request.time
            ));
        }
        self.last = request.time;
        let payload = match (self.hello, request.body) {
            (Hello::Awaited, Body::Hello { version: VERSION }) => {
                self.hello = Hello::Said;
                Zeroizing::new(VERSION.to_le_bytes().to_vec())
            }
            (Hello::Awaited, Body::Hello { version }) => {
                return Err(format!(
                    "the bridge speaks version {version} and this server version {VERSION}; \
                     use the renode/ folder that came with hil"
                ));
            }
            (Hello::Awaited, _) => return Err("the first request is not hello".into()),
            (Hello::Said, Body::Hello { .. }) => return Err("a second hello".into()),
            (Hello::Said, body) => self.do_to(model, body),
        };
        let mut flags = 0;
        if model.take_power_cut() == PowerCut::Due {
            self.power_cut = PowerCut::Due;
            flags = 1;
        }
        let deadline = model.next_deadline().map_or(u64::MAX, |deadline| {
            let since = deadline.saturating_since(self.base);
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        });
        Ok(frame(request.kind | ANSWER, flags, deadline, &payload))
    }

    fn do_to(&mut self, model: &mut SecureElement, body: Body<'_>) -> Zeroizing<Vec<u8>> {
        let now = self.now();
        Zeroizing::new(match body {
            // Dealt with before the connection is open.
            Body::Hello { .. } => Vec::new(),
            Body::Power(power) => {
                model.set_power(now, power);
                Vec::new()
            }
            Body::Start { address, direction } => {
                let answer = model.address(now, address, direction);
                if address != CHIP {
                    self.other_addressed = Some(now);
                }
                vec![u8::from(answer == Acknowledge::Ack)]
            }
            Body::Write(data) => {
                let taken = data
                    .iter()
                    .take_while(|byte| model.write_byte(now, **byte) == Acknowledge::Ack)
                    .count();
                // At most 512.
                (taken as u16).to_le_bytes().to_vec()
            }
            Body::Read(count) => (0..count).map(|_| model.read_byte(now)).collect(),
            Body::Stop => {
                model.stop(now);
                Vec::new()
            }
            Body::Advance => {
                model.advance(now);
                Vec::new()
            }
        })
    }
}

fn frame(kind: u8, flags: u8, deadline: u64, payload: &[u8]) -> Zeroizing<Vec<u8>> {
    // Payloads have at most 512 bytes, error texts fewer than 200.
    let length = (10 + payload.len()) as u16;
    let mut bytes = Zeroizing::new(Vec::with_capacity(12 + payload.len()));
    bytes.extend(length.to_le_bytes());
    bytes.extend([kind, flags]);
    bytes.extend(deadline.to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use az3166_stsafe::{Configuration, Effect, Fault, NvmImage, crc16};

    const HELLO: &[u8] = b"HILSTSFE\x01\0";

    struct Machine {
        model: SecureElement,
        bridge: Bridge,
    }

    impl Machine {
        fn new() -> Self {
            Self {
                model: SecureElement::new(Configuration::default(), NvmImage::default()),
                bridge: Bridge::new(VirtualTime::from_millis(5)),
            }
        }

        fn ask(&mut self, kind: u8, time: u64, payload: &[u8]) -> Vec<u8> {
            let request = [&[kind], &time.to_le_bytes()[..], payload].concat();
            let answer = self.bridge.serve(&request, &mut self.model);
            let (length, rest) = answer.bytes.split_at(2);
            assert_eq!(
                usize::from(u16::from_le_bytes([length[0], length[1]])),
                rest.len()
            );
            rest.to_vec()
        }

        /// Power on, and the chip's boot time is over.
        fn booted() -> Self {
            let mut machine = Self::new();
            machine.ask(1, 0, HELLO);
            machine.ask(2, 0, &[1]);
            machine
        }

        fn command(&mut self, time: u64, body: &[u8]) -> Vec<u8> {
            assert_eq!(self.ask(3, time, &[0x40])[10], 1);
            let frame = [body, &crc16(body).to_be_bytes()].concat();
            assert_eq!(
                self.ask(4, time, &frame)[10..],
                (frame.len() as u16).to_le_bytes()
            );
            self.ask(6, time, &[])
        }
    }

    /// Longer than every busy time, in nanoseconds.
    const LATER: u64 = 1_000_000_000;

    #[test]
    fn a_query_is_answered_as_on_the_bus() {
        let mut machine = Machine::booted();
        assert_eq!(
            machine.ask(3, 0, &[0x40])[10],
            0,
            "booting: it refuses its address"
        );
        machine.command(LATER, &[0x14, 0x07]);
        assert_eq!(
            machine.ask(3, LATER, &[0x41])[10],
            0,
            "busy: it refuses its address"
        );
        assert_eq!(machine.ask(3, 2 * LATER, &[0x41])[10], 1);
        let read = machine.ask(5, 2 * LATER, &12u16.to_le_bytes());
        assert_eq!(read[0], 0x85);
        // Status, length, two empty slots, CRC, then the idle bus.
        assert_eq!(read[10..18], [0, 0, 7, 2, 0, 0, 1, 0]);
        assert_eq!(read[20..], [0xFF, 0xFF]);
    }

    #[test]
    fn a_power_cut_is_told_with_its_instant() {
        let mut machine = Machine::booted();
        machine.model.inject(Fault::once(Effect::PowerCut {
            zone: 6,
            after_bytes: 1,
        }));
        let stopped = machine.command(LATER, &[6, 0, 6, 0, 0, 1, 2, 3, 4]);
        let deadline = u64::from_le_bytes(stopped[2..10].try_into().unwrap());
        assert!((LATER..2 * LATER).contains(&deadline), "{deadline}");
        let cut = machine.ask(7, deadline, &[]);
        assert_eq!(cut[..2], [0x87, 1]);
        assert_eq!(machine.bridge.take_power_cut(), PowerCut::Due);
        assert_eq!(machine.bridge.take_power_cut(), PowerCut::NotDue);
        assert_eq!(machine.ask(2, deadline, &[0])[..2], [0x82, 0], "told once");
    }

    #[rstest::rstest]
    #[case(vec![(6, 0, &[] as &[u8])], "the first request is not hello")]
    #[case(vec![(1, 0, HELLO), (1, 0, HELLO)], "a second hello")]
    #[case(vec![(1, 0, b"HILSTSFE\x02\0" as &[u8])], "the bridge speaks version 2 and this server version 1; use the renode/ folder that came with hil")]
    #[case(vec![(1, 7, HELLO), (6, 6, &[])], "the time went back from 7 ns to 6 ns")]
    fn a_broken_order_is_refused(
        #[case] requests: Vec<(u8, u64, &'static [u8])>,
        #[case] reason: &str,
    ) {
        let mut machine = Machine::new();
        let answers: Vec<_> = requests
            .iter()
            .map(|(kind, time, payload)| machine.ask(*kind, *time, payload))
            .collect();
        let last = answers.last().unwrap();
        assert_eq!(last[0], ERROR);
        assert_eq!(str::from_utf8(&last[10..]).unwrap(), reason);
    }

    #[test]
    fn the_models_time_is_the_connections_behind_its_base() {
        let mut machine = Machine::booted();
        machine.bridge.shift(Duration::from_millis(1));
        machine.ask(7, 2_000_000, &[]);
        assert_eq!(machine.bridge.now(), VirtualTime::from_millis(8));
        machine.bridge.close(&mut machine.model);
        let (at, event) = machine.model.drain_events().pop().unwrap();
        assert_eq!(at, VirtualTime::from_millis(8));
        assert_eq!(event, az3166_event::SecureElementEvent::Power { on: false });
    }
}
