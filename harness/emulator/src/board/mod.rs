//! The AZ3166 around the chip: what is on which pin.

mod bus;
mod console;
mod led;
mod ssd1306;

pub use bus::{BoardBus, I2cDevice, Unconnected};
pub use console::{Console, framing};
pub use led::{Led, Leds};
pub use ssd1306::Ssd1306;

use crate::peripheral::gpio::Outside;

/// A user button; pressed, it connects its pin to ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Button {
    /// A, on PA4: held at start it asks for configuration mode.
    A,
    /// B, on PA10: held at start it asks for access-point mode.
    B,
}

impl Button {
    /// Its name on the board.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }

    /// Its pin.
    pub const fn pin(self) -> Pin {
        match self {
            Self::A => Pin::new(Port::A, 4),
            Self::B => Pin::new(Port::A, 10),
        }
    }
}

/// A GPIO port of the chip that the board uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// GPIOA.
    A,
    /// GPIOB.
    B,
    /// GPIOC.
    C,
    /// GPIOD.
    D,
    /// GPIOE.
    E,
    /// GPIOH.
    H,
}

impl Port {
    /// All ports of the chip, in the order of their addresses.
    pub const ALL: [Self; 6] = [Self::A, Self::B, Self::C, Self::D, Self::E, Self::H];
}

/// A pin of the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pin {
    /// The port.
    pub port: Port,
    /// The number within the port, 0..=15.
    pub number: usize,
}

impl Pin {
    /// A pin by its port and number.
    pub const fn new(port: Port, number: usize) -> Self {
        Self { port, number }
    }
}

/// The console: USART6 on the on-board ST-Link's virtual COM port.
pub const CONSOLE_TX: Pin = Pin::new(Port::A, 11);
/// The console's other direction.
pub const CONSOLE_RX: Pin = Pin::new(Port::A, 12);
/// USART6 is alternate function 8 there.
pub const CONSOLE_AF: u8 = 8;
/// SCL of I2C1, with a pull-up on the board.
pub const SCL: Pin = Pin::new(Port::B, 8);
/// SDA of I2C1, with a pull-up on the board.
pub const SDA: Pin = Pin::new(Port::B, 9);
/// I2C1 is alternate function 4 there.
pub const I2C_AF: u8 = 4;
/// High gives the STSAFE its power.
pub const SECURE_ELEMENT_POWER: Pin = Pin::new(Port::B, 14);

/// What the board does to a pin while no button is pressed.
pub fn at_rest(port: Port, number: usize) -> Outside {
    let pin = Pin::new(port, number);
    let pulled_up = [Button::A.pin(), Button::B.pin(), SCL, SDA];
    if pulled_up.contains(&pin) {
        Outside::PulledUp
    } else if pin == CONSOLE_RX {
        // The idle level of the ST-Link's transmitter.
        Outside::High
    } else {
        Outside::Open
    }
}
