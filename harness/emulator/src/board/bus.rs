//! The board's I2C bus: STSAFE and display on I2C1; no sensor answers.

use az3166_event::VirtualTime;
use az3166_stsafe::{Acknowledge, Direction, SecureElement};

use super::Ssd1306;
use crate::peripheral::i2c::Lines;

/// A device on an I2C bus.
pub trait I2cDevice {
    /// A START or repeated START with this 7-bit address.
    fn address(&mut self, now: VirtualTime, address: u8, direction: Direction) -> Acknowledge;
    /// A byte from the master, after an acknowledged address for writing.
    fn write(&mut self, now: VirtualTime, byte: u8) -> Acknowledge;
    /// The next byte for the master, after an acknowledged address for reading.
    fn read(&mut self, now: VirtualTime) -> u8;
    /// A STOP.
    fn stop(&mut self, now: VirtualTime);
}

impl I2cDevice for SecureElement {
    fn address(&mut self, now: VirtualTime, address: u8, direction: Direction) -> Acknowledge {
        SecureElement::address(self, now, address, direction)
    }

    fn write(&mut self, now: VirtualTime, byte: u8) -> Acknowledge {
        self.write_byte(now, byte)
    }

    fn read(&mut self, now: VirtualTime) -> u8 {
        self.read_byte(now)
    }

    fn stop(&mut self, now: VirtualTime) {
        SecureElement::stop(self, now);
    }
}

/// Who holds SDA low though no transfer is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stuck {
    No,
    /// Until this many clocks came on SCL.
    Clocks(u32),
    Forever,
}

/// What the wiring makes of the bus for the interface that drives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selected {
    Nobody,
    SecureElement,
    Display,
}

/// The bus with all that is on it.
#[derive(Clone)]
pub struct BoardBus {
    /// The STSAFE.
    pub secure_element: SecureElement,
    /// The OLED; a board without one is a board whose display does not answer.
    pub display: Option<Ssd1306>,
    selected: Selected,
    stuck: Stuck,
    scl: bool,
}

impl BoardBus {
    /// A bus with these devices.
    pub fn new(secure_element: SecureElement, display: Option<Ssd1306>) -> Self {
        Self {
            secure_element,
            display,
            selected: Selected::Nobody,
            stuck: Stuck::No,
            scl: true,
        }
    }

    fn device(&mut self) -> Option<&mut dyn I2cDevice> {
        match self.selected {
            Selected::Nobody => None,
            Selected::SecureElement => Some(&mut self.secure_element),
            Selected::Display => self.display.as_mut().map(|display| display as _),
        }
    }

    /// A device holds SDA low, as one does that was cut off in the middle of a byte, until
    /// `clocks` clocks came on SCL; for ever where none is named.
    pub fn hold_sda_low(&mut self, clocks: Option<u32>) {
        self.stuck = clocks.map_or(Stuck::Forever, Stuck::Clocks);
    }

    /// Lets the lines go.
    pub fn release(&mut self) {
        self.stuck = Stuck::No;
    }

    /// Tells the level of SCL while software drives it as a GPIO: clocks free a stuck SDA.
    pub fn set_scl(&mut self, high: bool) {
        if high
            && !self.scl
            && let Stuck::Clocks(clocks) = self.stuck
        {
            self.stuck = match clocks {
                0 | 1 => Stuck::No,
                more => Stuck::Clocks(more - 1),
            };
        }
        self.scl = high;
    }
}

impl Lines for BoardBus {
    fn is_held_low(&self) -> bool {
        self.stuck != Stuck::No
    }

    fn address(&mut self, now: VirtualTime, address: u8, direction: Direction) -> Acknowledge {
        self.selected = Selected::Nobody;
        // All devices see every address: one that is in a transfer learns that it is over.
        if self.secure_element.address(now, address, direction) == Acknowledge::Ack {
            self.selected = Selected::SecureElement;
        }
        if let Some(display) = &mut self.display
            && display.address(now, address, direction) == Acknowledge::Ack
        {
            self.selected = Selected::Display;
        }
        if self.selected == Selected::Nobody {
            Acknowledge::Nack
        } else {
            Acknowledge::Ack
        }
    }

    fn write(&mut self, now: VirtualTime, byte: u8) -> Acknowledge {
        self.device()
            .map_or(Acknowledge::Nack, |device| device.write(now, byte))
    }

    fn read(&mut self, now: VirtualTime) -> u8 {
        self.device().map_or(0xFF, |device| device.read(now))
    }

    fn stop(&mut self, now: VirtualTime) {
        self.selected = Selected::Nobody;
        self.secure_element.stop(now);
        if let Some(display) = &mut self.display {
            display.stop(now);
        }
    }
}

/// Lines with pull-ups and no device: an interface whose pins are not wired, or not configured.
#[derive(Clone, Copy, Debug)]
pub struct Unconnected;

impl Lines for Unconnected {
    fn is_held_low(&self) -> bool {
        false
    }

    fn address(&mut self, _: VirtualTime, _: u8, _: Direction) -> Acknowledge {
        Acknowledge::Nack
    }

    fn write(&mut self, _: VirtualTime, _: u8) -> Acknowledge {
        Acknowledge::Nack
    }

    fn read(&mut self, _: VirtualTime) -> u8 {
        0xFF
    }

    fn stop(&mut self, _: VirtualTime) {}
}
