//! Independent watchdog (RM0402 section 20).

use az3166_event::VirtualTime;

use super::Register;
use crate::clock::Frequency;

/// Registers (RM0402 section 20.4).
pub const REGISTERS: &[Register] = &[
    Register::write_only("KR", KR),
    Register::read_write("PR", PR, 0),
    Register::read_write("RLR", RLR, 0xFFF),
    Register::read_only("SR", SR, 0),
];

const KR: u32 = 0x00;
const PR: u32 = 0x04;
const RLR: u32 = 0x08;
const SR: u32 = 0x0C;

const KEY_ACCESS: u32 = 0x5555;
const KEY_RELOAD: u32 = 0xAAAA;
const KEY_START: u32 = 0xCCCC;

const SR_PVU: u32 = 1 << 0;
const SR_RVU: u32 = 1 << 1;

/// A new PR or RLR value takes effect after this many LSI periods (RM0402 section 20.4.4).
const UPDATE_PERIODS: u64 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    Locked,
    Unlocked,
}

/// The independent watchdog, on its own 32 kHz oscillator.
#[derive(Clone, Debug)]
pub struct Iwdg {
    protection: Protection,
    prescaler: u32,
    reload: u32,
    prescaler_updated_at: VirtualTime,
    reload_updated_at: VirtualTime,
    expires_at: Option<VirtualTime>,
    lsi: Frequency,
}

impl Iwdg {
    /// The watchdog after reset: not running.
    pub fn new(lsi: Frequency) -> Self {
        Self {
            protection: Protection::Locked,
            prescaler: 0,
            reload: 0xFFF,
            prescaler_updated_at: VirtualTime::ZERO,
            reload_updated_at: VirtualTime::ZERO,
            expires_at: None,
            lsi,
        }
    }

    /// Reads the register at `offset`.
    pub fn read(&self, offset: u32, now: VirtualTime) -> u32 {
        let when = |until: VirtualTime, bit: u32| if now < until { bit } else { 0 };
        match offset {
            PR => self.prescaler,
            RLR => self.reload,
            SR => when(self.prescaler_updated_at, SR_PVU) | when(self.reload_updated_at, SR_RVU),
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32, now: VirtualTime) {
        let updated_at = after(now, self.lsi.nanos(UPDATE_PERIODS));
        match (offset, self.protection) {
            (KR, _) => self.write_key(value & 0xFFFF, now),
            (PR, Protection::Unlocked) => {
                self.prescaler = value & 0b111;
                self.prescaler_updated_at = updated_at;
            }
            (RLR, Protection::Unlocked) => {
                self.reload = value & 0xFFF;
                self.reload_updated_at = updated_at;
            }
            _ => {}
        }
    }

    fn write_key(&mut self, key: u32, now: VirtualTime) {
        self.protection = if key == KEY_ACCESS {
            Protection::Unlocked
        } else {
            Protection::Locked
        };
        let feeds = key == KEY_RELOAD && self.expires_at.is_some();
        if feeds || key == KEY_START && self.expires_at.is_none() {
            self.expires_at = Some(after(now, self.period_nanos()));
        }
    }

    fn period_nanos(&self) -> u64 {
        let divider = 4u64 << self.prescaler.min(6);
        self.lsi.nanos(divider * (u64::from(self.reload) + 1))
    }

    /// Whether it runs; once started, only a reset stops it, and LSI runs too.
    pub fn is_running(&self) -> bool {
        self.expires_at.is_some()
    }

    /// When it will reset the chip unless it is fed.
    pub fn deadline(&self) -> VirtualTime {
        self.expires_at.unwrap_or(VirtualTime::MAX)
    }
}

fn after(now: VirtualTime, nanos: u64) -> VirtualTime {
    VirtualTime::from_nanos(now.as_nanos().saturating_add(nanos))
}
