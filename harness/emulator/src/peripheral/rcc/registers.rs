//! Registers and bits of RCC (RM0402 section 6.3).

use crate::peripheral::{Register, find};

/// Registers (RM0402 section 6.3).
pub const REGISTERS: &[Register] = &[
    Register::read_write("CR", CR, 0x83),
    Register::read_write("PLLCFGR", PLLCFGR, 0x2400_3010),
    Register::read_write("CFGR", CFGR, 0),
    Register::read_write("CIR", CIR, 0),
    Register::read_write("AHB1RSTR", AHB1RSTR, 0),
    Register::read_write("AHB2RSTR", AHB1RSTR + BANKS[1], 0),
    Register::read_write("AHB3RSTR", AHB1RSTR + BANKS[2], 0),
    Register::read_write("APB1RSTR", AHB1RSTR + BANKS[3], 0),
    Register::read_write("APB2RSTR", AHB1RSTR + BANKS[4], 0),
    Register::read_write("AHB1ENR", AHB1ENR, 0),
    Register::read_write("AHB2ENR", AHB1ENR + BANKS[1], 0),
    Register::read_write("AHB3ENR", AHB1ENR + BANKS[2], 0),
    Register::read_write("APB1ENR", AHB1ENR + BANKS[3], 0),
    Register::read_write("APB2ENR", AHB1ENR + BANKS[4], 0),
    Register::read_write("AHB1LPENR", AHB1LPENR, 0x7E67_91FF),
    Register::read_write("AHB2LPENR", AHB1LPENR + BANKS[1], 0xF1),
    Register::read_write("AHB3LPENR", AHB1LPENR + BANKS[2], 0x03),
    Register::read_write("APB1LPENR", AHB1LPENR + BANKS[3], 0x36FE_C9FF),
    Register::read_write("APB2LPENR", AHB1LPENR + BANKS[4], 0x0007_5F33),
    Register::read_write("BDCR", BDCR, 0),
    Register::read_write("CSR", CSR, CSR_PORRSTF | CSR_PINRSTF | CSR_BORRSTF),
    Register::read_write("SSCGR", SSCGR, 0),
    Register::read_write("PLLI2SCFGR", PLLI2SCFGR, 0x2000_3000),
    Register::read_write("DCKCFGR", DCKCFGR, 0),
    Register::read_write("CKGATENR", CKGATENR, 0),
    Register::read_write("DCKCFGR2", DCKCFGR2, 0),
];

pub(super) const CR: u32 = 0x00;
pub(super) const PLLCFGR: u32 = 0x04;
pub(super) const CFGR: u32 = 0x08;
pub(super) const CIR: u32 = 0x0C;
pub(super) const AHB1RSTR: u32 = 0x10;
pub(super) const AHB1ENR: u32 = 0x30;
pub(super) const AHB1LPENR: u32 = 0x50;
pub(super) const BDCR: u32 = 0x70;
pub(super) const CSR: u32 = 0x74;
pub(super) const SSCGR: u32 = 0x80;
pub(super) const PLLI2SCFGR: u32 = 0x84;
pub(super) const DCKCFGR: u32 = 0x8C;
pub(super) const CKGATENR: u32 = 0x90;
pub(super) const DCKCFGR2: u32 = 0x94;

/// Offsets of AHB1, AHB2, AHB3, APB1, APB2 within each of the three groups of registers.
pub(super) const BANKS: [u32; 5] = [0x00, 0x04, 0x08, 0x10, 0x14];

/// The bits of the RSTR registers that exist.
pub(super) const RESET_BITS: [u32; 5] = [0x0060_10FF, 0xC0, 0x03, 0x17E6_C9FF, 0x0117_7933];
/// The bits of the ENR registers that exist.
pub(super) const ENABLE_BITS: [u32; 5] = [0x0060_10FF, 0xC0, 0x03, 0x17E6_CDFF, 0x0117_F933];

/// HSICAL: set at the factory; this value stands for it.
pub(super) const HSI_CALIBRATION: u32 = 0;

pub(super) const CR_HSION: u32 = 1 << 0;
pub(super) const CR_HSIRDY: u32 = 1 << 1;
pub(super) const CR_HSEON: u32 = 1 << 16;
pub(super) const CR_HSERDY: u32 = 1 << 17;
pub(super) const CR_PLLON: u32 = 1 << 24;
pub(super) const CR_PLLRDY: u32 = 1 << 25;
pub(super) const CR_PLLI2SON: u32 = 1 << 26;
pub(super) const CR_PLLI2SRDY: u32 = 1 << 27;
/// The ON bits, HSEBYP, CSSON and HSITRIM.
pub(super) const CR_WRITABLE: u32 = 0x050D_00F9;

pub(super) const PLLCFGR_PLLSRC_HSE: u32 = 1 << 22;
pub(super) const PLLCFGR_WRITABLE: u32 = 0x7F43_7FFF;

pub(super) const CFGR_SW: u32 = 0b11;
pub(super) const CFGR_WRITABLE: u32 = 0xFFFF_FCF3;
pub(super) const SW_HSI: u32 = 0b00;
pub(super) const SW_HSE: u32 = 0b01;
pub(super) const SW_PLL: u32 = 0b10;

pub(super) const CIR_FLAGS: u32 = 0xBF;
pub(super) const CIR_ENABLES: u32 = 0x3F00;

pub(super) const BDCR_LSEON: u32 = 1 << 0;
pub(super) const BDCR_LSERDY: u32 = 1 << 1;
pub(super) const BDCR_RTCSEL: u32 = 0b11 << 8;
pub(super) const BDCR_RTCEN: u32 = 1 << 15;
pub(super) const BDCR_BDRST: u32 = 1 << 16;
pub(super) const BDCR_WRITABLE: u32 = 0x0001_830D;

pub(super) const CSR_LSION: u32 = 1 << 0;
pub(super) const CSR_LSIRDY: u32 = 1 << 1;
pub(super) const CSR_RMVF: u32 = 1 << 24;
pub(super) const CSR_BORRSTF: u32 = 1 << 25;
pub(super) const CSR_PINRSTF: u32 = 1 << 26;
pub(super) const CSR_PORRSTF: u32 = 1 << 27;
pub(super) const CSR_SFTRSTF: u32 = 1 << 28;
pub(super) const CSR_IWDGRSTF: u32 = 1 << 29;
pub(super) const CSR_FLAGS: u32 = 0xFE00_0000;

pub(super) fn reset_value(offset: u32) -> u32 {
    find(REGISTERS, offset).map_or(0, |register| register.reset)
}

/// The group (RSTR, ENR or LPENR, by its first register) and the bus of an offset.
pub(super) fn bank_of(offset: u32) -> Option<(u32, usize)> {
    [AHB1RSTR, AHB1ENR, AHB1LPENR]
        .into_iter()
        .find_map(|group| {
            let bank = BANKS.iter().position(|bank| group + bank == offset)?;
            Some((group, bank))
        })
}
