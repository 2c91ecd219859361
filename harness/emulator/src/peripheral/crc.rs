//! CRC calculation unit (RM0402 section 4): CRC-32 with polynomial 0x04C11DB7 over whole words.

use super::Register;

/// Registers (RM0402 section 4.4).
pub const REGISTERS: &[Register] = &[
    Register::read_write("DR", DR, 0xFFFF_FFFF),
    Register::read_write("IDR", IDR, 0),
    Register::write_only("CR", CR),
];

const DR: u32 = 0x00;
const IDR: u32 = 0x04;
const CR: u32 = 0x08;

const CR_RESET: u32 = 1;
const POLYNOMIAL: u32 = 0x04C1_1DB7;

/// The CRC unit.
#[derive(Clone, Debug)]
pub struct Crc {
    remainder: u32,
    independent: u32,
}

impl Crc {
    /// The unit after reset.
    pub fn new() -> Self {
        Self {
            remainder: 0xFFFF_FFFF,
            independent: 0,
        }
    }

    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32) -> u32 {
        match offset {
            DR => self.remainder,
            IDR => self.independent,
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32) {
        match offset {
            DR => self.remainder = update(self.remainder, value),
            IDR => self.independent = value & 0xFF,
            CR if value & CR_RESET != 0 => self.remainder = 0xFFFF_FFFF,
            _ => {}
        }
    }
}

impl Default for Crc {
    fn default() -> Self {
        Self::new()
    }
}

fn update(remainder: u32, word: u32) -> u32 {
    (0..32).fold(remainder ^ word, |crc, _| {
        let shifted = crc << 1;
        if crc & 0x8000_0000 == 0 {
            shifted
        } else {
            shifted ^ POLYNOMIAL
        }
    })
}
