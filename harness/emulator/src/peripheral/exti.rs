//! External interrupt and event controller (RM0402 section 10.2).

use super::Register;
use crate::bus::InterruptLines;
use crate::chip::interrupt;

/// Registers (RM0402 section 10.3).
pub const REGISTERS: &[Register] = &[
    Register::read_write("IMR", IMR, 0),
    Register::read_write("EMR", EMR, 0),
    Register::read_write("RTSR", RTSR, 0),
    Register::read_write("FTSR", FTSR, 0),
    Register::read_write("SWIER", SWIER, 0),
    Register::read_write("PR", PR, 0),
];

const IMR: u32 = 0x00;
const EMR: u32 = 0x04;
const RTSR: u32 = 0x08;
const FTSR: u32 = 0x0C;
const SWIER: u32 = 0x10;
const PR: u32 = 0x14;

/// Lines 0..=18 and 20..=22.
const LINES: u32 = 0x0077_FFFF;

/// The external interrupt controller.
#[derive(Clone, Debug, Default)]
pub struct Exti {
    interrupt_mask: u32,
    event_mask: u32,
    rising: u32,
    falling: u32,
    software: u32,
    pending: u32,
    levels: u16,
}

impl Exti {
    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32) -> u32 {
        match offset {
            IMR => self.interrupt_mask,
            EMR => self.event_mask,
            RTSR => self.rising,
            FTSR => self.falling,
            SWIER => self.software,
            PR => self.pending,
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32) {
        let value = value & LINES;
        match offset {
            IMR => self.interrupt_mask = value,
            EMR => self.event_mask = value,
            RTSR => self.rising = value,
            FTSR => self.falling = value,
            SWIER => {
                self.pending |= value & !self.software;
                self.software |= value;
            }
            PR => {
                self.pending &= !value;
                self.software &= !value;
            }
            _ => {}
        }
    }

    /// Tells the levels of the pins that SYSCFG_EXTICR selects for lines 0..=15.
    pub fn set_levels(&mut self, levels: u16) {
        let rose = u32::from(levels & !self.levels);
        let fell = u32::from(self.levels & !levels);
        self.pending |= rose & self.rising | fell & self.falling;
        self.levels = levels;
    }

    /// A reset of the chip: the registers go back, the pins keep their levels.
    pub fn reset(&mut self) {
        *self = Self {
            levels: self.levels,
            ..Self::default()
        };
    }

    /// The interrupt lines that are high.
    pub fn interrupts(&self) -> InterruptLines {
        let active = self.pending & self.interrupt_mask;
        if active == 0 {
            return 0;
        }
        interrupt::EXTI
            .iter()
            .filter(|(lines, _)| active & lines != 0)
            .fold(0, |all, (_, irq)| all | 1 << irq)
    }
}
