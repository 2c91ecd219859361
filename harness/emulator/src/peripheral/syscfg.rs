//! System configuration controller (RM0402 section 8).

use super::{Modelled, Register};

/// Registers (RM0402 section 8.2). CMPCR lies at 0x20 in the manual's register map.
pub const REGISTERS: &[Register] = &[
    Register::read_write("MEMRMP", MEMRMP, 0),
    Register::read_write("PMC", PMC, 0),
    Register::read_write("EXTICR1", EXTICR1, 0),
    Register::read_write("EXTICR2", EXTICR1 + 4, 0),
    Register::read_write("EXTICR3", EXTICR1 + 8, 0),
    Register::read_write("EXTICR4", EXTICR4, 0),
    Register::read_write("CFGR2", CFGR2, 0),
    Register::read_write("CMPCR", CMPCR, 0),
    Register::read_write("CFGR", CFGR, 0),
];

const MEMRMP: u32 = 0x00;
const PMC: u32 = 0x04;
const EXTICR1: u32 = 0x08;
const EXTICR4: u32 = 0x14;
const CFGR2: u32 = 0x1C;
const CMPCR: u32 = 0x20;
const CFGR: u32 = 0x2C;

const CMPCR_CMP_PD: u32 = 1 << 0;
const CMPCR_READY: u32 = 1 << 8;

/// The system configuration controller.
#[derive(Clone, Debug, Default)]
pub struct Syscfg {
    pmc: u32,
    exticr: [u32; 4],
    cfgr2: u32,
    cmpcr: u32,
    cfgr: u32,
}

impl Syscfg {
    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32) -> u32 {
        match offset {
            PMC => self.pmc,
            EXTICR1..=EXTICR4 => self.exticr[(offset - EXTICR1) as usize / 4],
            CFGR2 => self.cfgr2,
            CMPCR if self.cmpcr & CMPCR_CMP_PD != 0 => self.cmpcr | CMPCR_READY,
            CFGR => self.cfgr,
            _ => 0,
        }
    }

    /// Writes the register at `offset`. Only flash can be mapped at address 0.
    pub fn write(&mut self, offset: u32, value: u32) -> Modelled {
        match offset {
            MEMRMP => return Modelled::when(value & 0b11 == 0),
            PMC => self.pmc = value & 0x0001_0000,
            EXTICR1..=EXTICR4 => self.exticr[(offset - EXTICR1) as usize / 4] = value & 0xFFFF,
            // Locks, once set, stay until reset.
            CFGR2 => self.cfgr2 |= value & 0b101,
            CMPCR => self.cmpcr = value & CMPCR_CMP_PD,
            CFGR => self.cfgr = value & 0b11,
            _ => {}
        }
        Modelled::Yes
    }

    /// The index of the port (A is 0, H is 7) that feeds EXTI line `line`, 0..=15.
    pub fn exti_port(&self, line: usize) -> usize {
        (self.exticr[line / 4] >> (line % 4 * 4)) as usize & 0xF
    }
}
