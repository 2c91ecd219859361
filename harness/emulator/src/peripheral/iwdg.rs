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
    state: State,
    lsi: Frequency,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Stopped,
    /// It resets the chip at this instant.
    Counting(VirtualTime),
    /// A debugger has halted the core; this many nanoseconds are left.
    Frozen(u64),
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
            state: State::Stopped,
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
        let period = self.period_nanos();
        self.state = match (key, self.state) {
            (KEY_RELOAD, State::Frozen(_)) => State::Frozen(period),
            (KEY_RELOAD, State::Counting(_)) | (KEY_START, State::Stopped) => {
                State::Counting(after(now, period))
            }
            (_, state) => state,
        };
    }

    fn period_nanos(&self) -> u64 {
        let divider = 4u64 << self.prescaler.min(6);
        self.lsi.nanos(divider * (u64::from(self.reload) + 1))
    }

    /// Whether it runs; once started, only a reset stops it, and LSI runs too.
    pub fn is_running(&self) -> bool {
        self.state != State::Stopped
    }

    /// When it will reset the chip unless it is fed.
    pub fn deadline(&self) -> VirtualTime {
        match self.state {
            State::Counting(expires_at) => expires_at,
            State::Stopped | State::Frozen(_) => VirtualTime::MAX,
        }
    }

    /// The counter stands still from `now` on.
    pub fn freeze(&mut self, now: VirtualTime) {
        if let State::Counting(expires_at) = self.state {
            let left = expires_at.as_nanos().saturating_sub(now.as_nanos());
            self.state = State::Frozen(left);
        }
    }

    /// The counter goes on from `now` on.
    pub fn thaw(&mut self, now: VirtualTime) {
        if let State::Frozen(left) = self.state {
            self.state = State::Counting(after(now, left));
        }
    }
}

fn after(now: VirtualTime, nanos: u64) -> VirtualTime {
    VirtualTime::from_nanos(now.as_nanos().saturating_add(nanos))
}
