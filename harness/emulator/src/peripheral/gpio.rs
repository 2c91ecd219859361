//! General-purpose I/Os (RM0402 section 7).

use super::Register;

/// Registers of ports C, D, E and H (RM0402 section 7.4).
pub const REGISTERS: &[Register] = &registers(0, 0, 0);
/// Registers of port A, whose debug pins come out of reset as alternate functions.
pub const REGISTERS_A: &[Register] = &registers(0xA800_0000, 0, 0x6400_0000);
/// Registers of port B, whose debug pins come out of reset as alternate functions.
pub const REGISTERS_B: &[Register] = &registers(0x0000_0280, 0x0000_00C0, 0x0000_0100);

const fn registers(moder: u32, ospeedr: u32, pupdr: u32) -> [Register; 10] {
    [
        Register::read_write("MODER", MODER, moder),
        Register::read_write("OTYPER", OTYPER, 0),
        Register::read_write("OSPEEDR", OSPEEDR, ospeedr),
        Register::read_write("PUPDR", PUPDR, pupdr),
        Register::read_only("IDR", IDR, 0),
        Register::read_write("ODR", ODR, 0),
        Register::write_only("BSRR", BSRR),
        Register::read_write("LCKR", LCKR, 0),
        Register::read_write("AFRL", AFRL, 0),
        Register::read_write("AFRH", AFRH, 0),
    ]
}

const MODER: u32 = 0x00;
const OTYPER: u32 = 0x04;
const OSPEEDR: u32 = 0x08;
const PUPDR: u32 = 0x0C;
const IDR: u32 = 0x10;
const ODR: u32 = 0x14;
/// Bit set/reset register: writes of any width, no read-modify-write.
pub const BSRR: u32 = 0x18;
const LCKR: u32 = 0x1C;
const AFRL: u32 = 0x20;
const AFRH: u32 = 0x24;

const LCKR_LCKK: u32 = 1 << 16;

/// What the world outside the chip does to a pin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Nothing is connected.
    #[default]
    Open,
    /// A resistor pulls it up, more strongly than the chip's own.
    PulledUp,
    /// Something holds it high.
    High,
    /// Something holds it low.
    Low,
}

/// What the chip itself does with a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Input.
    Input,
    /// General-purpose output.
    Output,
    /// Alternate function of this number.
    Alternate(u8),
    /// Analog.
    Analog,
}

/// One port of 16 pins.
#[derive(Clone, Debug)]
pub struct Gpio {
    table: &'static [Register],
    moder: u32,
    otyper: u32,
    ospeedr: u32,
    pupdr: u32,
    odr: u32,
    afr: [u32; 2],
    lock: Lock,
    outside: [Outside; 16],
    /// Cached: the levels of the pins, which all the others decide.
    levels: u16,
}

/// The key sequence of LCKR (RM0402 section 7.4.8): 1, 0, 1 in bit 16 with the same 16 bits below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    Open,
    First(u16),
    Second(u16),
    Locked(u16),
}

impl Gpio {
    /// A port after reset, with its register table and what its pins are wired to.
    pub fn new(table: &'static [Register], outside: [Outside; 16]) -> Self {
        let initial = |offset| super::find(table, offset).map_or(0, |register| register.reset);
        let mut port = Self {
            table,
            moder: initial(MODER),
            otyper: 0,
            ospeedr: initial(OSPEEDR),
            pupdr: initial(PUPDR),
            odr: 0,
            afr: [0; 2],
            lock: Lock::Open,
            outside,
            levels: 0,
        };
        port.settle();
        port
    }

    /// A reset: the registers go back, the lock opens, the wires stay.
    pub fn reset(&mut self) {
        *self = Self::new(self.table, self.outside);
    }

    /// Changes what a pin is wired to.
    pub fn connect(&mut self, pin: usize, outside: Outside) {
        self.outside[pin] = outside;
        self.settle();
    }

    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32) -> u32 {
        match offset {
            MODER => self.moder,
            OTYPER => self.otyper,
            OSPEEDR => self.ospeedr,
            PUPDR => self.pupdr,
            IDR => u32::from(self.levels),
            ODR => self.odr,
            LCKR => match self.lock {
                Lock::Open => 0,
                Lock::First(pins) | Lock::Second(pins) => u32::from(pins),
                Lock::Locked(pins) => LCKR_LCKK | u32::from(pins),
            },
            AFRL => self.afr[0],
            AFRH => self.afr[1],
            _ => 0,
        }
    }

    /// Writes the register at `offset`; the configuration of locked pins stays.
    pub fn write(&mut self, offset: u32, value: u32) {
        let locked = match self.lock {
            Lock::Locked(pins) => pins,
            _ => 0,
        };
        let two_bits = !spread::<2>(locked);
        match offset {
            MODER => self.moder = super::merge(self.moder, two_bits, value),
            OTYPER => self.otyper = super::merge(self.otyper, 0xFFFF & !u32::from(locked), value),
            OSPEEDR => self.ospeedr = super::merge(self.ospeedr, two_bits, value),
            PUPDR => self.pupdr = super::merge(self.pupdr, two_bits, value),
            ODR => self.odr = value & 0xFFFF,
            // Where both bits of a pin are set, the set bit wins.
            BSRR => self.odr = self.odr & !(value >> 16) | value & 0xFFFF,
            LCKR => self.lock = self.lock.after_write(value),
            AFRL => self.afr[0] = super::merge(self.afr[0], !spread::<4>(locked & 0xFF), value),
            AFRH => self.afr[1] = super::merge(self.afr[1], !spread::<4>(locked >> 8), value),
            _ => {}
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.levels = (0..16).fold(0, |levels, pin| {
            levels | u16::from(self.resolve(pin)) << pin
        });
    }

    /// What the chip does with a pin.
    pub fn mode(&self, pin: usize) -> Mode {
        match self.moder >> (pin * 2) & 0b11 {
            0 => Mode::Input,
            1 => Mode::Output,
            2 => Mode::Alternate((self.afr[pin / 8] >> (pin % 8 * 4) & 0xF) as u8),
            _ => Mode::Analog,
        }
    }

    /// The levels of the 16 pins as IDR shows them.
    pub fn levels(&self) -> u16 {
        self.levels
    }

    /// Whether a pin is high. A pin in analog mode reads low, a floating one too.
    pub fn level(&self, pin: usize) -> bool {
        self.levels >> pin & 1 != 0
    }

    fn resolve(&self, pin: usize) -> bool {
        let bit = 1 << pin;
        let open_drain = self.otyper & bit != 0;
        match self.mode(pin) {
            Mode::Analog => false,
            Mode::Output if self.odr & bit == 0 => false,
            Mode::Output if !open_drain => true,
            Mode::Input | Mode::Output | Mode::Alternate(_) => self.undriven_level(pin),
        }
    }

    fn undriven_level(&self, pin: usize) -> bool {
        const PULL_UP: u32 = 0b01;
        match self.outside[pin] {
            Outside::High | Outside::PulledUp => true,
            Outside::Low => false,
            Outside::Open => self.pupdr >> (pin * 2) & 0b11 == PULL_UP,
        }
    }
}

impl Lock {
    fn after_write(self, value: u32) -> Self {
        let pins = (value & 0xFFFF) as u16;
        let key = value & LCKR_LCKK != 0;
        match self {
            Self::Locked(_) => self,
            Self::First(first) if !key && pins == first => Self::Second(pins),
            Self::Second(first) if key && pins == first => Self::Locked(pins),
            _ if key => Self::First(pins),
            _ => Self::Open,
        }
    }
}

/// Widens each bit of `bits` to a field of `WIDTH` ones.
fn spread<const WIDTH: usize>(bits: u16) -> u32 {
    let field = (1u32 << WIDTH) - 1;
    (0..32 / WIDTH)
        .filter(|pin| bits >> pin & 1 != 0)
        .fold(0, |mask, pin| mask | field << (pin * WIDTH))
}
