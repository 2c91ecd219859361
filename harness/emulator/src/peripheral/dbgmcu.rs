//! MCU debug component (RM0402 section 30.16).

use super::Register;

/// Registers (RM0402 sections 30.6.1 and 30.16).
pub const REGISTERS: &[Register] = &[
    Register::read_only("IDCODE", IDCODE, IDENTIFIER),
    Register::read_write("CR", CR, 0),
    Register::read_write("APB1_FZ", APB1_FZ, 0),
    Register::read_write("APB2_FZ", APB2_FZ, 0),
];

const IDCODE: u32 = 0x00;
const CR: u32 = 0x04;
const APB1_FZ: u32 = 0x08;
const APB2_FZ: u32 = 0x0C;

const DBG_IWDG_STOP: u32 = 1 << 12;

/// Revision 0x1000, device 0x441: the STM32F412.
pub const IDENTIFIER: u32 = 0x1000_6441;

/// The debug component. Its bits change nothing while no debugger halts the core, and of those that
/// stop something then only the independent watchdog's does.
#[derive(Clone, Debug, Default)]
pub struct Dbgmcu {
    control: u32,
    apb1_freeze: u32,
    apb2_freeze: u32,
}

impl Dbgmcu {
    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32) -> u32 {
        match offset {
            IDCODE => IDENTIFIER,
            CR => self.control,
            APB1_FZ => self.apb1_freeze,
            APB2_FZ => self.apb2_freeze,
            _ => 0,
        }
    }

    /// Whether the independent watchdog stands still while the core is halted.
    pub const fn stops_iwdg(&self) -> bool {
        self.apb1_freeze & DBG_IWDG_STOP != 0
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32) {
        match offset {
            CR => self.control = value & 0xE7,
            APB1_FZ => self.apb1_freeze = value & 0x07E0_1DFF,
            APB2_FZ => self.apb2_freeze = value & 0x0007_0003,
            _ => {}
        }
    }
}
