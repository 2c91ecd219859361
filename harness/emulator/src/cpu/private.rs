//! The private peripheral bus: which register of the processor answers at an address
//! (Armv7-M ARM, B3.2.1; Cortex-M4 TRM, table 2-2).

use super::nvic::exception;
use super::{Cpu, nvic};
use crate::bus::{BusFault, Width};

const DWT: u32 = 0xE000_1000;
const BREAKPOINT_UNIT: u32 = 0xE000_2000;
const SCS: u32 = 0xE000_E000;
const ROM_TABLE: u32 = 0xE00F_F000;

/// Offsets in the system control space.
const ICTR: u32 = 0x004;
const SYSTICK: u32 = 0x010;
const NVIC: u32 = 0x100;
const IPR: u32 = 0x400;
const CPUID: u32 = 0xD00;
const ICSR: u32 = 0xD04;
const AIRCR: u32 = 0xD0C;
const SHPR1: u32 = 0xD18;
const SHCSR: u32 = 0xD24;
const CFSR: u32 = 0xD28;
const DFSR: u32 = 0xD30;
const MPU: u32 = 0xD90;
const DHCSR: u32 = 0xDF0;
const STIR: u32 = 0xF00;
/// Media and FP feature registers of the chip's FPU (Cortex-M4 TRM, table 7-1), which a debugger
/// asks for; the engine has none behind them, and its registers read as zero.
const MVFR0: u32 = 0xF40;
const MVFR1: u32 = 0xF44;

/// AIRCR's write key and what it reads as.
const VECTKEY: u32 = 0x05FA;
const VECTKEYSTAT: u32 = 0xFA05_0000;

/// Entries of the ROM table: SCS, DWT, FPB, ITM, TPIU, no ETM.
const ROM_ENTRIES: [u32; 6] = [
    0xFFF0_F003,
    0xFFF0_2003,
    0xFFF0_3003,
    0xFFF0_1003,
    0xFFF4_1003,
    0xFFF4_2002,
];

impl Cpu {
    /// A read by software.
    pub(super) fn private_read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        if self.is_privileged() && !self.forced_unprivileged {
            self.debug_read(address, width)
        } else {
            Err(BusFault)
        }
    }

    /// A write by software.
    pub(super) fn private_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
    ) -> Result<(), BusFault> {
        let privileged = self.is_privileged() && !self.forced_unprivileged;
        if privileged && address == SCS + DHCSR {
            self.write_dhcsr_by_software(value);
            return Ok(());
        }
        if privileged || address == SCS + STIR && self.scb.lets_user_pend() {
            self.debug_write(address, width, value)
        } else {
            Err(BusFault)
        }
    }

    /// A debugger's read of the processor's own space, 0xE0000000..0xE0100000 less DBGMCU.
    ///
    /// # Errors
    /// [`BusFault`] where no register of the processor answers.
    pub fn debug_read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        let word = self.read_word(address & !3)?;
        let value = word >> (8 * (address & 3));
        Ok(match width {
            Width::Byte => value & 0xFF,
            Width::Halfword => value & 0xFFFF,
            Width::Word => value,
        })
    }

    /// A debugger's write to the processor's own space.
    ///
    /// # Errors
    /// [`BusFault`] where no register of the processor answers.
    pub fn debug_write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        self.deadline = 0;
        let offset = address.wrapping_sub(SCS);
        let bytes = &value.to_le_bytes()[..width.bytes() as usize];
        match offset {
            IPR..0x500 => {
                for (exception, &byte) in (exception::IRQ0 + offset - IPR..).zip(bytes) {
                    self.nvic.write_priority(exception, byte);
                }
                Ok(())
            }
            SHPR1..SHCSR => {
                let first = exception::MEM_MANAGE + offset - SHPR1;
                for (exception, &byte) in (first..).zip(bytes) {
                    if !matches!(exception, 7..=10 | 13) {
                        self.nvic.write_priority(exception, byte);
                    }
                }
                Ok(())
            }
            _ => {
                let shift = 8 * (address & 3);
                let word = match (width, offset) {
                    (Width::Word, _) => value,
                    // Ones set or clear; the other bytes do nothing as zeros.
                    (_, NVIC..IPR | CFSR..MPU) => value << shift,
                    _ => {
                        let mask = ((1u64 << (8 * width.bytes())) - 1) as u32;
                        self.read_word(address & !3)? & !(mask << shift) | value << shift
                    }
                };
                self.write_word(address & !3, word)
            }
        }
    }

    fn read_word(&mut self, address: u32) -> Result<u32, BusFault> {
        let offset = address & 0xFFF;
        Ok(match address & !0xFFF {
            SCS => self.read_scs(offset),
            DWT => self.dwt.read(offset, self.instructions()),
            BREAKPOINT_UNIT => self.debug.read_breakpoint_unit(offset),
            ROM_TABLE => rom_table(offset),
            // The trace units are there and switched off.
            0xE000_0000 | 0xE004_0000 | 0xE004_1000 => 0,
            _ => return Err(BusFault),
        })
    }

    fn write_word(&mut self, address: u32, value: u32) -> Result<(), BusFault> {
        let offset = address & 0xFFF;
        match address & !0xFFF {
            SCS => self.write_scs(offset, value),
            DWT => {
                let now = self.instructions();
                self.dwt.write(offset, value, now, self.debug.traces());
            }
            BREAKPOINT_UNIT => {
                self.debug.write_breakpoint_unit(offset, value);
                self.code_is_stale = true;
            }
            0xE000_0000 | 0xE004_0000 | 0xE004_1000 | ROM_TABLE => {}
            _ => return Err(BusFault),
        }
        Ok(())
    }

    fn read_scs(&mut self, offset: u32) -> u32 {
        match offset {
            ICTR => (nvic::IRQS - 1) / 32,
            SYSTICK..0x020 => {
                let now = self.now();
                if self.systick.service(now) {
                    self.nvic.pend(exception::SYS_TICK);
                }
                self.systick.read(offset - SYSTICK, now)
            }
            NVIC..0x500 => self.nvic.read(offset - NVIC),
            ICSR => self.read_icsr(),
            AIRCR => VECTKEYSTAT | self.nvic.priority_group << 8,
            SHPR1..SHCSR => self
                .nvic
                .read_priorities(exception::MEM_MANAGE + offset - SHPR1),
            SHCSR => self.read_shcsr(),
            DFSR => self.read_dfsr(),
            // No MPU: TYPE is zero.
            MPU..0xDBC => 0,
            DHCSR..0xE00 => self.read_debug(offset - DHCSR),
            CPUID..0xE00 => self.scb.read(offset - CPUID),
            MVFR0 => 0x1011_0021,
            MVFR1 => 0x1100_0011,
            0xFD0..0x1000 => id_register(offset, 0x00C),
            _ => 0,
        }
    }

    fn write_scs(&mut self, offset: u32, value: u32) {
        match offset {
            SYSTICK..0x020 => {
                let now = self.now();
                if self.systick.service(now) {
                    self.nvic.pend(exception::SYS_TICK);
                }
                self.systick.write(offset - SYSTICK, value, now);
            }
            NVIC..IPR => {
                self.nvic.write(offset - NVIC, value);
            }
            ICSR => self.write_icsr(value),
            AIRCR if value >> 16 == VECTKEY => {
                self.nvic.priority_group = value >> 8 & 7;
                self.reset_requested |= value & 4 != 0;
            }
            SHCSR => self.write_shcsr(value),
            DFSR => self.clear_dfsr(value),
            MPU..0xDBC | AIRCR => {}
            DHCSR..0xE00 => self.write_debug(offset - DHCSR, value),
            CPUID..0xE00 => {
                self.scb.write(offset - CPUID, value);
                self.update_direct_limit();
            }
            STIR => self.nvic.pend(exception::IRQ0 + (value & 0x1FF)),
            _ => {}
        }
    }

    fn read_icsr(&self) -> u32 {
        let bit = |set: bool, bit: u32| u32::from(set) << bit;
        let base_level = self.nvic.active_count() <= 1;
        self.exception
            | bit(base_level, 11)
            | self.nvic.vect_pending() << 12
            | bit(self.nvic.isr_pending(), 22)
            | bit(self.nvic.is_pending(exception::SYS_TICK), 26)
            | bit(self.nvic.is_pending(exception::PEND_SV), 28)
            | bit(self.nvic.is_pending(exception::NMI), 31)
    }

    fn write_icsr(&mut self, value: u32) {
        for (set, clear, exception) in [
            (1 << 26, 1 << 25, exception::SYS_TICK),
            (1 << 28, 1 << 27, exception::PEND_SV),
            (1 << 31, 0, exception::NMI),
        ] {
            if value & clear != 0 {
                self.nvic.unpend(exception);
            }
            if value & set != 0 {
                self.nvic.pend(exception);
            }
        }
    }

    /// Active bits of SHCSR and their exceptions.
    const SHCSR_ACTIVE: [(u32, u32); 6] = [
        (0, exception::MEM_MANAGE),
        (1, exception::BUS_FAULT),
        (3, exception::USAGE_FAULT),
        (7, exception::SV_CALL),
        (10, exception::PEND_SV),
        (11, exception::SYS_TICK),
    ];

    /// Pending bits of SHCSR and their exceptions.
    const SHCSR_PENDING: [(u32, u32); 4] = [
        (12, exception::USAGE_FAULT),
        (13, exception::MEM_MANAGE),
        (14, exception::BUS_FAULT),
        (15, exception::SV_CALL),
    ];

    fn read_shcsr(&self) -> u32 {
        let active = Self::SHCSR_ACTIVE
            .iter()
            .map(|&(bit, exception)| u32::from(self.nvic.is_active(exception)) << bit);
        let pending = Self::SHCSR_PENDING
            .iter()
            .map(|&(bit, exception)| u32::from(self.nvic.is_pending(exception)) << bit);
        let monitor = u32::from(self.nvic.is_active(exception::DEBUG_MONITOR)) << 8;
        active.chain(pending).sum::<u32>() | monitor | self.scb.fault_enables
    }

    fn write_shcsr(&mut self, value: u32) {
        self.scb.fault_enables = value & 0x0007_0000;
        for (bit, exception) in Self::SHCSR_ACTIVE {
            self.nvic.set_active(exception, value >> bit & 1 != 0);
        }
        for (bit, exception) in Self::SHCSR_PENDING {
            match value >> bit & 1 {
                0 => self.nvic.unpend(exception),
                _ => self.nvic.pend(exception),
            }
        }
    }
}

/// The ROM table, which leads a debugger to the units.
fn rom_table(offset: u32) -> u32 {
    match offset {
        // MEMTYPE: system memory is on this bus.
        0xFCC => 1,
        0xFD0.. => id_register(offset, 0x4C4),
        _ => ROM_ENTRIES.get(offset as usize / 4).copied().unwrap_or(0),
    }
}

/// Peripheral and component identification of an Arm unit with a part number.
fn id_register(offset: u32, part: u32) -> u32 {
    let class = if part == 0x4C4 { 0x10 } else { 0xE0 };
    match offset {
        0xFD0 => 4,
        0xFE0 => part & 0xFF,
        0xFE4 => 0xB0 | part >> 8,
        0xFE8 => 0x0B,
        0xFF0 => 0x0D,
        0xFF4 => class,
        0xFF8 => 0x05,
        0xFFC => 0xB1,
        _ => 0,
    }
}
