//! The peripherals of the STM32F412, one file each: its registers, then its behaviour.
//!
//! Each file begins with a table of registers with the section of reference manual RM0402 that
//! describes them. A test compares names, offsets and reset values with ST's own description.
//!
//! A peripheral knows virtual time and its own clock's frequency, no other peripheral: the
//! [`chip`](crate::chip) wires them.

pub mod crc;
pub mod dbgmcu;
pub mod exti;
pub mod flash;
pub mod gpio;
pub mod i2c;
pub mod iwdg;
pub mod pwr;
pub mod rcc;
pub mod rng;
pub mod rtc;
pub mod syscfg;
pub mod timer;
pub mod usart;

/// Who may do what with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterAccess {
    /// Reads and writes.
    ReadWrite,
    /// Reads only; a write does nothing.
    ReadOnly,
    /// Writes only; a read gives zero.
    WriteOnly,
}

/// One line of a peripheral's register table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its name in RM0402.
    pub name: &'static str,
    /// Its offset from the peripheral's base address in bytes.
    pub offset: u32,
    /// Its value after a power-on reset.
    pub reset: u32,
    /// Who may do what with it.
    pub access: RegisterAccess,
}

impl Register {
    /// A register for reads and writes.
    pub const fn read_write(name: &'static str, offset: u32, reset: u32) -> Self {
        Self {
            name,
            offset,
            reset,
            access: RegisterAccess::ReadWrite,
        }
    }

    /// A register for reads only.
    pub const fn read_only(name: &'static str, offset: u32, reset: u32) -> Self {
        Self {
            name,
            offset,
            reset,
            access: RegisterAccess::ReadOnly,
        }
    }

    /// A register for writes only.
    pub const fn write_only(name: &'static str, offset: u32) -> Self {
        Self {
            name,
            offset,
            reset: 0,
            access: RegisterAccess::WriteOnly,
        }
    }
}

/// The register of a table at an offset.
pub fn find(registers: &'static [Register], offset: u32) -> Option<&'static Register> {
    registers.iter().find(|register| register.offset == offset)
}

/// Whether the model does what a write asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modelled {
    /// It does.
    Yes,
    /// The value asks for a function that the model does not have; nothing was written.
    No,
}

impl Modelled {
    /// Yes where `condition` holds.
    pub const fn when(condition: bool) -> Self {
        if condition { Self::Yes } else { Self::No }
    }
}

/// `value` with the bits of `mask` taken from `new`.
const fn merge(value: u32, mask: u32, new: u32) -> u32 {
    value & !mask | new & mask
}
