//! Reset and clock control (RM0402 section 6).

mod registers;
mod tree;

use az3166_event::VirtualTime;
use core::time::Duration;

pub use registers::REGISTERS;
use registers::*;
pub use tree::{Clocks, HSE, HSI, LSI};

use super::merge;

/// How long the oscillators and PLLs take to be ready: typical values of data sheet DS11139.
const HSI_STARTS: Duration = Duration::from_micros(3);
const HSE_STARTS: Duration = Duration::from_millis(2);
const PLL_LOCKS: Duration = Duration::from_micros(100);
const LSI_STARTS: Duration = Duration::from_micros(15);
const LSE_STARTS: Duration = Duration::from_secs(2);

/// What caused a reset; the flags of RCC_CSR (RM0402 section 6.3.21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetCause {
    /// Power came on.
    PowerOn,
    /// The NRST pin.
    Pin,
    /// AIRCR.SYSRESETREQ.
    Software,
    /// The independent watchdog.
    IndependentWatchdog,
}

impl ResetCause {
    /// The flag's name in lower case: `por`, `pin`, `sft`, `iwdg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerOn => "por",
            Self::Pin => "pin",
            Self::Software => "sft",
            Self::IndependentWatchdog => "iwdg",
        }
    }

    /// The flags that it sets: every reset also pulls NRST low.
    const fn flags(self) -> u32 {
        match self {
            Self::PowerOn => CSR_PORRSTF | CSR_PINRSTF | CSR_BORRSTF,
            Self::Pin => CSR_PINRSTF,
            Self::Software => CSR_PINRSTF | CSR_SFTRSTF,
            Self::IndependentWatchdog => CSR_PINRSTF | CSR_IWDGRSTF,
        }
    }
}

/// A clock source that takes time to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Off,
    /// Ready at this time; `VirtualTime::MAX` for a PLL that cannot lock.
    Starting(VirtualTime),
    Ready,
}

impl Source {
    fn is_ready(self) -> bool {
        self == Self::Ready
    }

    /// Switches it on or off as a bit says.
    fn follow(&mut self, on: bool, ready_at: VirtualTime) {
        *self = match (on, *self) {
            (false, _) => Self::Off,
            (true, Self::Off) => Self::Starting(ready_at),
            (true, running) => running,
        };
    }
}

/// The sources by their bit in CIR, which orders LSI, LSE, HSI, HSE, PLL, PLLI2S.
const SOURCES: usize = 6;
const LSI_INDEX: usize = 0;
const LSE_INDEX: usize = 1;
const HSI_INDEX: usize = 2;
const HSE_INDEX: usize = 3;
const PLL_INDEX: usize = 4;
const PLLI2S_INDEX: usize = 5;

/// Reset and clock control.
#[derive(Clone, Debug)]
pub struct Rcc {
    sources: [Source; SOURCES],
    /// HSITRIM, HSEBYP, CSSON and the ON bits of CR.
    control: u32,
    pll: u32,
    plli2s: u32,
    /// CFGR without SWS.
    configuration: u32,
    /// SWS: the source that drives SYSCLK.
    switched: u32,
    interrupts: u32,
    resets: [u32; 5],
    enables: [u32; 5],
    low_power: [u32; 5],
    backup: u32,
    status: u32,
    spread: u32,
    dedicated: [u32; 2],
    gating: u32,
}

impl Rcc {
    /// The controller after a power-on reset: HSI drives everything.
    pub fn new() -> Self {
        let mut sources = [Source::Off; SOURCES];
        sources[HSI_INDEX] = Source::Ready;
        Self {
            sources,
            control: 0x81,
            pll: reset_value(PLLCFGR),
            plli2s: reset_value(PLLI2SCFGR),
            configuration: 0,
            switched: SW_HSI,
            interrupts: 0,
            resets: [0; 5],
            enables: BANKS.map(|bank| reset_value(AHB1ENR + bank)),
            low_power: BANKS.map(|bank| reset_value(AHB1LPENR + bank)),
            backup: 0,
            status: ResetCause::PowerOn.flags(),
            spread: 0,
            dedicated: [0; 2],
            gating: 0,
        }
    }

    /// A reset of the chip: all goes back but the reset flags and the backup domain, which only
    /// the loss of power clears.
    pub fn reset(&mut self, cause: ResetCause) {
        let mut next = Self::new();
        if cause != ResetCause::PowerOn {
            next.status = self.status & CSR_FLAGS | cause.flags();
            next.backup = self.backup;
            next.sources[LSE_INDEX] = self.sources[LSE_INDEX];
        }
        *self = next;
    }

    /// The state that a bootloader leaves: HSE and PLL run, and SYSCLK comes from the PLL with
    /// APB1 at half of it.
    pub fn leave_pll_running(&mut self, pllcfgr: u32) {
        const PPRE1_HALF: u32 = 0b100 << 10;
        self.pll = pllcfgr & PLLCFGR_WRITABLE;
        self.control |= CR_HSEON | CR_PLLON;
        self.sources[HSE_INDEX] = Source::Ready;
        self.sources[PLL_INDEX] = Source::Ready;
        self.configuration = SW_PLL | PPRE1_HALF;
        self.switch();
    }

    /// The clocks as they are now.
    pub fn clocks(&self) -> Clocks {
        Clocks::of(&tree::Selection {
            switched: self.switched,
            configuration: self.configuration,
            pll: self.pll,
            plli2s: self.plli2s,
            plli2s_ready: self.sources[PLLI2S_INDEX].is_ready(),
            pll_ready: self.sources[PLL_INDEX].is_ready(),
            dedicated: self.dedicated,
            backup: self.backup,
        })
    }

    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32) -> u32 {
        let ready = |index: usize, bit: u32| {
            if self.sources[index].is_ready() {
                bit
            } else {
                0
            }
        };
        match offset {
            CR => {
                self.control
                    | HSI_CALIBRATION
                    | ready(HSI_INDEX, CR_HSIRDY)
                    | ready(HSE_INDEX, CR_HSERDY)
                    | ready(PLL_INDEX, CR_PLLRDY)
                    | ready(PLLI2S_INDEX, CR_PLLI2SRDY)
            }
            PLLCFGR => self.pll,
            CFGR => self.configuration | self.switched << 2,
            CIR => self.interrupts,
            BDCR => self.backup | ready(LSE_INDEX, BDCR_LSERDY),
            CSR => self.status | ready(LSI_INDEX, CSR_LSIRDY),
            SSCGR => self.spread,
            PLLI2SCFGR => self.plli2s,
            DCKCFGR => self.dedicated[0],
            CKGATENR => self.gating,
            DCKCFGR2 => self.dedicated[1],
            _ => match bank_of(offset) {
                Some((AHB1RSTR, bank)) => self.resets[bank],
                Some((AHB1ENR, bank)) => self.enables[bank],
                Some((AHB1LPENR, bank)) => self.low_power[bank],
                _ => 0,
            },
        }
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32, now: VirtualTime, backup: BackupDomain) {
        match offset {
            CR => self.write_control(value, now),
            PLLCFGR if self.control & CR_PLLON == 0 => self.pll = value & PLLCFGR_WRITABLE,
            CFGR => {
                self.configuration = value & CFGR_WRITABLE;
                self.switch();
            }
            CIR => {
                // Bits 16.. clear the flags 0..; bits 8.. enable.
                self.interrupts &= !(value >> 16 & CIR_FLAGS);
                self.interrupts = merge(self.interrupts, CIR_ENABLES, value);
            }
            BDCR if backup == BackupDomain::Writable => self.write_backup(value, now),
            CSR => {
                if value & CSR_RMVF != 0 {
                    self.status &= !CSR_FLAGS;
                }
                self.status = merge(self.status, CSR_LSION, value);
                self.sources[LSI_INDEX].follow(value & CSR_LSION != 0, now + LSI_STARTS);
            }
            SSCGR => self.spread = value & 0xCFFF_FFFF,
            PLLI2SCFGR if self.control & CR_PLLI2SON == 0 => self.plli2s = value & 0x7F40_7FFF,
            DCKCFGR => self.dedicated[0] = value,
            CKGATENR => self.gating = value & 0xFF,
            DCKCFGR2 => self.dedicated[1] = value,
            _ => match bank_of(offset) {
                Some((AHB1RSTR, bank)) => self.resets[bank] = value & RESET_BITS[bank],
                Some((AHB1ENR, bank)) => self.enables[bank] = value & ENABLE_BITS[bank],
                Some((AHB1LPENR, bank)) => self.low_power[bank] = value,
                _ => {}
            },
        }
    }

    fn write_control(&mut self, value: u32, now: VirtualTime) {
        // A source that drives SYSCLK, directly or through the PLL, cannot be stopped
        // (RM0402 section 6.3.1).
        let pll_source = if self.pll & PLLCFGR_PLLSRC_HSE == 0 {
            CR_HSION
        } else {
            CR_HSEON
        };
        let held = match self.switched {
            SW_HSI => CR_HSION,
            SW_HSE => CR_HSEON,
            _ => CR_PLLON | pll_source,
        };
        let locks = tree::pll_locks(self.pll);
        let i2s_locks = tree::plli2s_locks(self.plli2s, self.pll);
        let lock_time = |locks: bool| {
            if locks {
                now + PLL_LOCKS
            } else {
                VirtualTime::MAX
            }
        };
        self.control = value & CR_WRITABLE | held;
        let on = |bit: u32| self.control & bit != 0;
        let (hsi, hse, pll, i2s) = (on(CR_HSION), on(CR_HSEON), on(CR_PLLON), on(CR_PLLI2SON));
        self.sources[HSI_INDEX].follow(hsi, now + HSI_STARTS);
        self.sources[HSE_INDEX].follow(hse, now + HSE_STARTS);
        self.sources[PLL_INDEX].follow(pll, lock_time(locks));
        self.sources[PLLI2S_INDEX].follow(i2s, lock_time(i2s_locks));
    }

    fn write_backup(&mut self, value: u32, now: VirtualTime) {
        if value & BDCR_BDRST != 0 {
            self.backup = BDCR_BDRST;
            self.sources[LSE_INDEX] = Source::Off;
            return;
        }
        // RTCSEL, once set, stays until BDRST (RM0402 section 6.3.20).
        let locked = if self.backup & BDCR_RTCSEL == 0 {
            0
        } else {
            BDCR_RTCSEL
        };
        self.backup = merge(self.backup, BDCR_WRITABLE & !locked, value);
        self.sources[LSE_INDEX].follow(value & BDCR_LSEON != 0, now + LSE_STARTS);
    }

    /// SYSCLK follows SW as soon as the source that it names is ready.
    fn switch(&mut self) {
        let wanted = self.configuration & CFGR_SW;
        let index = match wanted {
            SW_HSI => HSI_INDEX,
            SW_HSE => HSE_INDEX,
            SW_PLL => PLL_INDEX,
            _ => return,
        };
        if self.sources[index].is_ready() {
            self.switched = wanted;
        }
    }

    /// Lets everything due at `now` happen.
    pub fn service(&mut self, now: VirtualTime) {
        for index in 0..SOURCES {
            if let Source::Starting(at) = self.sources[index]
                && at <= now
            {
                self.sources[index] = Source::Ready;
                let flag = 1 << index;
                if self.interrupts >> 8 & flag != 0 {
                    self.interrupts |= flag;
                }
            }
        }
        self.switch();
    }

    /// The watchdog, once started, keeps LSI on.
    pub fn hold_lsi(&mut self, now: VirtualTime) {
        self.sources[LSI_INDEX].follow(true, now + LSI_STARTS);
    }

    /// When something happens without an access.
    pub fn deadline(&self) -> VirtualTime {
        self.sources
            .iter()
            .filter_map(|source| match source {
                Source::Starting(at) => Some(*at),
                _ => None,
            })
            .min()
            .unwrap_or(VirtualTime::MAX)
    }

    /// Whether the interrupt line is high.
    pub fn interrupt(&self) -> bool {
        self.interrupts & CIR_FLAGS != 0
    }

    /// Whether a peripheral has its clock and is not held in reset.
    pub fn is_enabled(&self, gate: Gate) -> bool {
        let bit = 1 << gate.bit;
        self.enables[gate.bus as usize] & bit != 0 && self.resets[gate.bus as usize] & bit == 0
    }

    /// Whether a peripheral is held in reset.
    pub fn is_held_in_reset(&self, gate: Gate) -> bool {
        self.resets[gate.bus as usize] >> gate.bit & 1 != 0
    }

    /// Whether the real-time clock runs (RTCEN).
    pub fn rtc_enabled(&self) -> bool {
        self.backup & BDCR_RTCEN != 0
    }

    /// Whether the backup domain is held in reset (BDRST).
    pub fn backup_domain_in_reset(&self) -> bool {
        self.backup & BDCR_BDRST != 0
    }
}

impl Default for Rcc {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether PWR_CR.DBP lets software write the backup domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupDomain {
    /// DBP is clear: writes do nothing.
    Protected,
    /// DBP is set.
    Writable,
}

/// The buses, in the order of the RSTR, ENR and LPENR registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockBus {
    /// AHB1.
    Ahb1 = 0,
    /// AHB2.
    Ahb2 = 1,
    /// APB1.
    Apb1 = 3,
    /// APB2.
    Apb2 = 4,
}

/// Where a peripheral's enable and reset bits are: the same bit of the bus's ENR and RSTR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The bus.
    pub bus: ClockBus,
    /// The bit.
    pub bit: u8,
}
