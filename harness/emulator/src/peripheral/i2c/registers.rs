//! Registers and bits of the I2C interface (RM0402 section 24.6).

use crate::peripheral::Register;

/// Registers (RM0402 section 24.6).
pub const REGISTERS: &[Register] = &[
    Register::read_write("CR1", CR1, 0),
    Register::read_write("CR2", CR2, 0),
    Register::read_write("OAR1", OAR1, 0),
    Register::read_write("OAR2", OAR2, 0),
    Register::read_write("DR", DR, 0),
    Register::read_write("SR1", SR1, 0),
    Register::read_only("SR2", SR2, 0),
    Register::read_write("CCR", CCR, 0),
    Register::read_write("TRISE", TRISE, 0x02),
    Register::read_write("FLTR", FLTR, 0),
];

pub(super) const CR1: u32 = 0x00;
pub(super) const CR2: u32 = 0x04;
pub(super) const OAR1: u32 = 0x08;
pub(super) const OAR2: u32 = 0x0C;
pub(super) const DR: u32 = 0x10;
/// Status register 1: a read only notes which flags it showed.
pub const SR1: u32 = 0x14;
pub(super) const SR2: u32 = 0x18;
pub(super) const CCR: u32 = 0x1C;
pub(super) const TRISE: u32 = 0x20;
pub(super) const FLTR: u32 = 0x24;

pub(super) const CR1_PE: u32 = 1 << 0;
pub(super) const CR1_START: u32 = 1 << 8;
pub(super) const CR1_STOP: u32 = 1 << 9;
pub(super) const CR1_ACK: u32 = 1 << 10;
pub(super) const CR1_POS: u32 = 1 << 11;
pub(super) const CR1_SWRST: u32 = 1 << 15;
/// SMBus, ARP, packet error checking, general call.
pub(super) const CR1_UNMODELLED: u32 = 0x307A;
pub(super) const CR1_WRITABLE: u32 = 0x8F81;

pub(super) const CR2_ITERREN: u32 = 1 << 8;
pub(super) const CR2_ITEVTEN: u32 = 1 << 9;
pub(super) const CR2_ITBUFEN: u32 = 1 << 10;
/// DMA.
pub(super) const CR2_UNMODELLED: u32 = 0x1800;
pub(super) const CR2_WRITABLE: u32 = 0x073F;

pub(super) const SR1_SB: u32 = 1 << 0;
pub(super) const SR1_ADDR: u32 = 1 << 1;
pub(super) const SR1_BTF: u32 = 1 << 2;
pub(super) const SR1_RXNE: u32 = 1 << 6;
pub(super) const SR1_TXE: u32 = 1 << 7;
pub(super) const SR1_BERR: u32 = 1 << 8;
pub(super) const SR1_ARLO: u32 = 1 << 9;
pub(super) const SR1_AF: u32 = 1 << 10;
/// BERR, ARLO, AF, OVR, PECERR, TIMEOUT, SMBALERT.
pub(super) const SR1_ERRORS: u32 = 0xDF00;

pub(super) const SR2_MSL: u32 = 1 << 0;
pub(super) const SR2_BUSY: u32 = 1 << 1;
pub(super) const SR2_TRA: u32 = 1 << 2;

pub(super) const CCR_DUTY: u32 = 1 << 14;
pub(super) const CCR_FS: u32 = 1 << 15;
