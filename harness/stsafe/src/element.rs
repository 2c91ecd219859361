//! The chip on its bus.

use az3166_event::{SecureElementEvent, VirtualTime};

use crate::{Acknowledge, Configuration, Direction, Fault, NvmImage, Power, PowerCut};

/// One STSAFE-A100 on an I2C bus.
///
/// The caller is the bus: it tells the chip each address, byte and stop, with the
/// virtual time, which must never go back.
#[derive(Clone)]
pub struct SecureElement {
    configuration: Configuration,
    nvm: NvmImage,
    power: Power,
    faults: Vec<Fault>,
    events: Vec<(VirtualTime, SecureElementEvent)>,
}

impl SecureElement {
    /// A chip without power.
    pub fn new(configuration: Configuration, nvm: NvmImage) -> Self {
        Self {
            configuration,
            nvm,
            power: Power::Off,
            faults: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Applies or removes power. After power-on the chip refuses its address for its boot time.
    pub fn set_power(&mut self, now: VirtualTime, power: Power) {
        if self.power != power {
            let on = power == Power::On;
            self.events.push((now, SecureElementEvent::Power { on }));
        }
        self.power = power;
    }

    /// A START or repeated START with this 7-bit address.
    pub fn address(&mut self, now: VirtualTime, address: u8, direction: Direction) -> Acknowledge {
        let _ = (now, address == self.configuration.address, direction);
        Acknowledge::Nack
    }

    /// A byte from the host, after an acknowledged address with [`Direction::Write`].
    pub fn write_byte(&mut self, now: VirtualTime, byte: u8) -> Acknowledge {
        let _ = (now, byte);
        Acknowledge::Nack
    }

    /// The next byte for the host, after an acknowledged address with [`Direction::Read`].
    pub fn read_byte(&mut self, now: VirtualTime) -> u8 {
        let _ = now;
        0xFF
    }

    /// A STOP.
    pub fn stop(&mut self, now: VirtualTime) {
        let _ = now;
    }

    /// Lets time pass: NVM writes go on, and a power cut can fall due.
    ///
    /// Every other call with a time does this too; this one is for a machine that
    /// sleeps until [`Self::next_deadline`].
    pub fn advance(&mut self, now: VirtualTime) {
        let _ = now;
    }

    /// When something happens without the bus: the instant of a power cut.
    pub fn next_deadline(&self) -> Option<VirtualTime> {
        None
    }

    /// Adds a fault.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Removes all faults that have not struck yet.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The NVM as it is at the last time that the chip was told.
    pub fn nvm(&self) -> &NvmImage {
        &self.nvm
    }

    /// Replaces the NVM, as if the chip were exchanged while it has no power.
    pub fn set_nvm(&mut self, nvm: NvmImage) {
        self.nvm = nvm;
    }

    /// Whether a power cut fault was reached since the last call: the machine must cut its power now.
    ///
    /// Until it does, the chip is dead.
    pub fn take_power_cut(&mut self) -> PowerCut {
        PowerCut::NotDue
    }

    /// The events since the last call.
    pub fn drain_events(&mut self) -> Vec<(VirtualTime, SecureElementEvent)> {
        core::mem::take(&mut self.events)
    }
}
