//! The system timer (Armv7-M ARM, B3.3).

use crate::bus::Cycle;

const ENABLE: u32 = 1 << 0;
const TICKINT: u32 = 1 << 1;
const CLKSOURCE: u32 = 1 << 2;
const COUNTFLAG: u32 = 1 << 16;
const RELOAD: u32 = 0x00FF_FFFF;

/// SysTick. With CLKSOURCE 0 it counts every eighth cycle (RM0402, 6.2: HCLK/8).
#[derive(Clone, Debug)]
pub(super) struct SysTick {
    control: u32,
    reload: u32,
    count_flag: bool,
    count: Count,
}

/// Where the counter stands.
#[derive(Clone, Copy, Debug)]
enum Count {
    /// It keeps this value.
    Stopped(u32),
    /// It reaches zero at `zero_at`, counting down from `from`; before that it reads zero.
    Running { zero_at: Cycle, from: u32 },
}

impl SysTick {
    pub(super) fn new() -> Self {
        Self {
            control: 0,
            reload: 0,
            count_flag: false,
            count: Count::Stopped(0),
        }
    }

    fn prescaler(&self) -> Cycle {
        if self.control & CLKSOURCE != 0 { 1 } else { 8 }
    }

    /// The cycle at which the counter reaches zero; `Cycle::MAX` for never.
    pub(super) fn next_zero(&self) -> Cycle {
        match self.count {
            Count::Running { zero_at, .. } => zero_at,
            Count::Stopped(_) => Cycle::MAX,
        }
    }

    /// The cycle at which it pends its exception; `Cycle::MAX` for never.
    pub(super) fn next_interrupt(&self) -> Cycle {
        if self.control & TICKINT != 0 {
            self.next_zero()
        } else {
            Cycle::MAX
        }
    }

    /// Lets the counter pass zero; true when its exception becomes pending.
    pub(super) fn service(&mut self, now: Cycle) -> bool {
        let mut pends = false;
        while let Count::Running { zero_at, .. } = self.count
            && zero_at <= now
        {
            self.count_flag = true;
            pends |= self.control & TICKINT != 0;
            self.restart(zero_at);
        }
        pends
    }

    /// From zero: the next tick loads the reload value; a reload value of zero stops.
    fn restart(&mut self, zero: Cycle) {
        self.count = match self.reload {
            0 => Count::Stopped(0),
            reload => Count::Running {
                zero_at: zero + (Cycle::from(reload) + 1) * self.prescaler(),
                from: reload,
            },
        };
    }

    /// The core was halted for so many cycles, in which the counter stood still (B3.3.1).
    pub(super) fn postpone(&mut self, cycles: Cycle) {
        if let Count::Running { zero_at, .. } = &mut self.count {
            *zero_at += cycles;
        }
    }

    fn value(&self, now: Cycle) -> u32 {
        match self.count {
            Count::Stopped(value) => value,
            Count::Running { zero_at, from } => {
                let left = zero_at.saturating_sub(now).div_ceil(self.prescaler());
                if left > Cycle::from(from) {
                    0
                } else {
                    left as u32
                }
            }
        }
    }

    fn start(&mut self, now: Cycle, value: u32) {
        match value {
            0 => self.restart(now),
            _ => {
                self.count = Count::Running {
                    zero_at: now + Cycle::from(value) * self.prescaler(),
                    from: value,
                }
            }
        }
    }

    /// Reads a register by its offset from 0xE000E010.
    pub(super) fn read(&mut self, offset: u32, now: Cycle) -> u32 {
        match offset {
            0x0 => {
                let flag = if self.count_flag { COUNTFLAG } else { 0 };
                self.count_flag = false;
                self.control | flag
            }
            0x4 => self.reload,
            0x8 => self.value(now),
            // CALIB: SKEW, and 12500: a millisecond at 100 MHz / 8 (RM0402, 10.1.3).
            _ => 0x4000_30D4,
        }
    }

    /// Writes a register by its offset from 0xE000E010.
    pub(super) fn write(&mut self, offset: u32, value: u32, now: Cycle) {
        match offset {
            0x0 => {
                let count = self.value(now);
                self.control = value & (ENABLE | TICKINT | CLKSOURCE);
                match self.control & ENABLE {
                    0 => self.count = Count::Stopped(count),
                    _ => self.start(now, count),
                }
            }
            0x4 => {
                self.reload = value & RELOAD;
                if self.control & ENABLE != 0 && self.value(now) == 0 {
                    self.restart(now);
                }
            }
            0x8 => {
                self.count_flag = false;
                match self.control & ENABLE {
                    0 => self.count = Count::Stopped(0),
                    _ => self.restart(now),
                }
            }
            _ => {}
        }
    }
}
