//! The system control block's own state (Armv7-M ARM, B3.2).

/// Bits of CCR (B3.2.8).
mod ccr {
    pub(super) const NONBASETHRDENA: u32 = 1 << 0;
    pub(super) const USERSETMPEND: u32 = 1 << 1;
    pub(super) const UNALIGN_TRP: u32 = 1 << 3;
    pub(super) const DIV_0_TRP: u32 = 1 << 4;
    pub(super) const BFHFNMIGN: u32 = 1 << 8;
    pub(super) const STKALIGN: u32 = 1 << 9;
    pub(super) const WRITABLE: u32 =
        NONBASETHRDENA | USERSETMPEND | UNALIGN_TRP | DIV_0_TRP | BFHFNMIGN | STKALIGN;
}

/// Bits of CFSR (B3.2.15).
pub(super) mod cfsr {
    pub(crate) const IACCVIOL: u32 = 1 << 0;
    pub(crate) const IBUSERR: u32 = 1 << 8;
    pub(crate) const PRECISERR: u32 = 1 << 9;
    pub(crate) const UNSTKERR: u32 = 1 << 11;
    pub(crate) const STKERR: u32 = 1 << 12;
    pub(crate) const BFARVALID: u32 = 1 << 15;
    pub(crate) const UNDEFINSTR: u32 = 1 << 16;
    pub(crate) const INVSTATE: u32 = 1 << 17;
    pub(crate) const INVPC: u32 = 1 << 18;
    pub(crate) const NOCP: u32 = 1 << 19;
    pub(crate) const UNALIGNED: u32 = 1 << 24;
    pub(crate) const DIVBYZERO: u32 = 1 << 25;
}

/// Bits of HFSR (B3.2.16).
pub(super) mod hfsr {
    pub(crate) const VECTTBL: u32 = 1 << 1;
    pub(crate) const FORCED: u32 = 1 << 30;
    pub(crate) const DEBUGEVT: u32 = 1 << 31;
}

/// Bits of SCR (B3.2.7).
pub(super) mod scr {
    pub(crate) const SLEEPONEXIT: u32 = 1 << 1;
    pub(crate) const SLEEPDEEP: u32 = 1 << 2;
    pub(crate) const SEVONPEND: u32 = 1 << 4;
}

/// What the block remembers; priorities and pending states are the NVIC's.
#[derive(Clone, Debug)]
pub(super) struct Scb {
    pub(super) vtor: u32,
    scr: u32,
    ccr: u32,
    /// SHCSR bits 18:16.
    pub(super) fault_enables: u32,
    pub(super) cfsr: u32,
    pub(super) hfsr: u32,
    pub(super) mmfar: u32,
    pub(super) bfar: u32,
    cpacr: u32,
}

impl Scb {
    pub(super) fn new() -> Self {
        Self {
            vtor: 0,
            scr: 0,
            ccr: ccr::STKALIGN,
            fault_enables: 0,
            cfsr: 0,
            hfsr: 0,
            mmfar: 0,
            bfar: 0,
            cpacr: 0,
        }
    }

    pub(super) fn sleeps_on_exit(&self) -> bool {
        self.scr & scr::SLEEPONEXIT != 0
    }

    pub(super) fn sends_event_on_pend(&self) -> bool {
        self.scr & scr::SEVONPEND != 0
    }

    pub(super) fn traps_unaligned(&self) -> bool {
        self.ccr & ccr::UNALIGN_TRP != 0
    }

    pub(super) fn traps_divide_by_zero(&self) -> bool {
        self.ccr & ccr::DIV_0_TRP != 0
    }

    pub(super) fn aligns_stack(&self) -> bool {
        self.ccr & ccr::STKALIGN != 0
    }

    pub(super) fn allows_thread_from_any_level(&self) -> bool {
        self.ccr & ccr::NONBASETHRDENA != 0
    }

    pub(super) fn lets_user_pend(&self) -> bool {
        self.ccr & ccr::USERSETMPEND != 0
    }

    /// BFHFNMIGN: data faults at priority -1 and -2 are ignored.
    pub(super) fn ignores_bus_faults(&self) -> bool {
        self.ccr & ccr::BFHFNMIGN != 0
    }

    /// Reads a register by its offset from 0xE000ED00, as far as this block owns it.
    pub(super) fn read(&self, offset: u32) -> u32 {
        match offset {
            // CPUID: Cortex-M4 r0p1, as in the STM32F412 (PM0214, 4.4.1).
            0x00 => 0x410F_C241,
            0x08 => self.vtor,
            0x10 => self.scr,
            0x14 => self.ccr,
            0x28 => self.cfsr,
            0x2C => self.hfsr,
            0x34 => self.mmfar,
            0x38 => self.bfar,
            // The processor feature registers of the Cortex-M4 (TRM r0p1, table 4-1).
            0x40 => 0x0000_0030,
            0x44 => 0x0000_0200,
            0x48 => 0x0010_0000,
            0x50 => 0x0010_0030,
            0x58 => 0x0100_0000,
            0x60 => 0x0114_1110,
            0x64 => 0x0211_2000,
            0x68 => 0x2123_2231,
            0x6C => 0x0111_1131,
            0x70 => 0x0131_0132,
            0x88 => self.cpacr,
            _ => 0,
        }
    }

    /// Writes a register by its offset from 0xE000ED00, as far as this block owns it.
    pub(super) fn write(&mut self, offset: u32, value: u32) {
        match offset {
            0x08 => self.vtor = value & 0xFFFF_FF80,
            0x10 => self.scr = value & (scr::SLEEPONEXIT | scr::SLEEPDEEP | scr::SEVONPEND),
            0x14 => self.ccr = value & ccr::WRITABLE,
            0x28 => self.cfsr &= !value,
            0x2C => self.hfsr &= !value,
            0x34 => self.mmfar = value,
            0x38 => self.bfar = value,
            // CP10 and CP11 exist for software that sets them; there is no FPU behind.
            0x88 => self.cpacr = value & 0x00F0_0000,
            _ => {}
        }
    }
}
