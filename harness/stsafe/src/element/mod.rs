//! The chip on its bus.

mod run;
mod state;

use az3166_event::{SecureElementEvent, VirtualTime};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::command::Wake;
use crate::injected::Injected;
use crate::{
    Acknowledge, Configuration, Direction, Fault, NvmImage, Power, PowerCut, ReadWithoutResponse,
};
use state::{Awake, State, Transfer};

/// One STSAFE-A100 on an I2C bus.
///
/// The caller is the bus: it tells the chip each address, byte and stop, with the
/// virtual time, which must never go back.
#[derive(Clone)]
pub struct SecureElement {
    configuration: Configuration,
    nvm: NvmImage,
    random: ChaCha20Rng,
    state: State,
    refusals: u32,
    faults: Injected,
    power_cut: PowerCut,
    events: Vec<(VirtualTime, SecureElementEvent)>,
}

impl SecureElement {
    /// A chip without power.
    pub fn new(configuration: Configuration, nvm: NvmImage) -> Self {
        Self {
            random: ChaCha20Rng::from_seed(configuration.random_seed),
            configuration,
            nvm,
            state: State::Unpowered,
            refusals: 0,
            faults: Injected::default(),
            power_cut: PowerCut::NotDue,
            events: Vec::new(),
        }
    }

    /// Applies or removes power. After power-on the chip refuses its address for its boot
    /// time; a loss of power leaves only what is in NVM at that instant.
    pub fn set_power(&mut self, now: VirtualTime, power: Power) {
        self.advance(now);
        let on = match (&self.state, power) {
            (State::Unpowered, Power::On) => true,
            (State::Awake(_) | State::Hibernating(_) | State::Dead, Power::Off) => false,
            (State::Unpowered, Power::Off)
            | (State::Awake(_) | State::Hibernating(_) | State::Dead, Power::On) => return,
        };
        self.tell_refusals(now);
        self.events.push((now, SecureElementEvent::Power { on }));
        self.state = match power {
            Power::On => State::booting(now, &self.configuration),
            Power::Off => State::Unpowered,
        };
    }

    /// A START or repeated START with this 7-bit address.
    ///
    /// Every START on the bus has to be told, not only those with the chip's address: a
    /// repeated START ends a frame as STOP does, and any START may wake the chip.
    pub fn address(&mut self, now: VirtualTime, address: u8, direction: Direction) -> Acknowledge {
        self.stop(now);
        if let State::Hibernating(Wake::Start) = self.state {
            self.state = State::booting(now, &self.configuration);
        }
        if address != self.configuration.address {
            return Acknowledge::Nack;
        }
        let answer = self.answer(now, direction);
        match answer {
            Acknowledge::Ack => self.tell_refusals(now),
            Acknowledge::Nack => self.refusals = self.refusals.saturating_add(1),
        }
        answer
    }

    fn answer(&mut self, now: VirtualTime, direction: Direction) -> Acknowledge {
        let absent = self.faults.absent(now, &mut self.events);
        let State::Awake(awake) = &mut self.state else {
            return Acknowledge::Nack;
        };
        let nothing_to_read = direction == Direction::Read
            && awake.response.is_none()
            && self.configuration.unverified.read_without_response == ReadWithoutResponse::Refused;
        if absent
            || now < awake.ready_at
            || nothing_to_read
            || self.faults.refuses(direction, now, &mut self.events)
        {
            return Acknowledge::Nack;
        }
        awake.transfer = match direction {
            // Room for the longest frame, so that no copy of a secret stays behind.
            Direction::Write => Transfer::Writing(Zeroizing::new(Vec::with_capacity(
                usize::from(self.configuration.product.io_buffer) + 1,
            ))),
            Direction::Read => Transfer::Reading { position: 0 },
        };
        Acknowledge::Ack
    }

    /// A byte from the host, after an acknowledged address with [`Direction::Write`].
    ///
    /// Bytes beyond the I/O buffer are acknowledged and make the frame over-long.
    pub fn write_byte(&mut self, now: VirtualTime, byte: u8) -> Acknowledge {
        self.advance(now);
        let limit = usize::from(self.configuration.product.io_buffer);
        match &mut self.state {
            State::Awake(Awake {
                transfer: Transfer::Writing(frame),
                ..
            }) => {
                if frame.len() <= limit {
                    frame.push(byte);
                }
                Acknowledge::Ack
            }
            _ => Acknowledge::Nack,
        }
    }

    /// The next byte for the host, after an acknowledged address with [`Direction::Read`];
    /// otherwise the idle bus, 0xFF.
    pub fn read_byte(&mut self, now: VirtualTime) -> u8 {
        self.advance(now);
        match &mut self.state {
            State::Awake(Awake {
                transfer: Transfer::Reading { position },
                response: Some(response),
                ..
            }) => {
                let byte = response.byte(*position);
                *position += 1;
                byte
            }
            _ => 0xFF,
        }
    }

    /// A STOP: ends a frame, which the chip then executes.
    pub fn stop(&mut self, now: VirtualTime) {
        self.advance(now);
        let State::Awake(awake) = &mut self.state else {
            return;
        };
        match core::mem::replace(&mut awake.transfer, Transfer::Idle) {
            Transfer::Writing(frame) if !frame.is_empty() => self.run(now, &frame),
            Transfer::Writing(_) | Transfer::Reading { .. } | Transfer::Idle => {}
        }
    }

    /// Lets time pass: NVM writes go on, and a power cut can fall due.
    ///
    /// Every other call with a time does this too; this one is for a machine that
    /// sleeps until [`Self::next_deadline`], and before a look at [`Self::nvm`].
    pub fn advance(&mut self, now: VirtualTime) {
        let State::Awake(awake) = &mut self.state else {
            return;
        };
        if awake.advance(&mut self.nvm, now) == PowerCut::Due {
            self.state = State::Dead;
            self.power_cut = PowerCut::Due;
            return;
        }
        if let (Some(wake), true) = (awake.hibernates, now >= awake.ready_at) {
            self.state = State::Hibernating(wake);
        }
    }

    /// When something happens without the bus: the instant of a power cut.
    pub fn next_deadline(&self) -> Option<VirtualTime> {
        match &self.state {
            State::Awake(awake) => awake.cut_at(),
            State::Unpowered | State::Dead | State::Hibernating(_) => None,
        }
    }

    /// Adds a fault.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Removes all faults. What a fault already did to the present command stays.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The NVM as it was when the chip was last told the time.
    pub fn nvm(&self) -> &NvmImage {
        &self.nvm
    }

    /// Replaces the NVM; a write that goes on meanwhile is lost.
    pub fn set_nvm(&mut self, nvm: NvmImage) {
        if let State::Awake(awake) = &mut self.state {
            awake.programming = None;
        }
        self.nvm = nvm;
    }

    /// Whether a power cut fault was reached since the last call: the machine must cut its
    /// power now. Until it does, the chip is dead.
    pub fn take_power_cut(&mut self) -> PowerCut {
        core::mem::replace(&mut self.power_cut, PowerCut::NotDue)
    }

    /// The events since the last call, in order.
    pub fn drain_events(&mut self) -> Vec<(VirtualTime, SecureElementEvent)> {
        core::mem::take(&mut self.events)
    }

    fn tell_refusals(&mut self, now: VirtualTime) {
        let count = core::mem::take(&mut self.refusals);
        if count > 0 {
            self.events
                .push((now, SecureElementEvent::Refused { count }));
        }
    }
}
