//! General-purpose timers TIM2..TIM5 and TIM9..TIM11 as up-counters (RM0402 sections 15 and 16).

use az3166_event::VirtualTime;

use super::{Modelled, Register};
use crate::clock::Frequency;

/// Registers of TIM2 and TIM5, which are 32 bits wide (RM0402 section 15.4).
pub const REGISTERS_WIDE: &[Register] = &four_channels(u32::MAX);
/// Registers of TIM3 and TIM4, which are 16 bits wide (RM0402 section 15.4).
pub const REGISTERS_NARROW: &[Register] = &four_channels(0xFFFF);
/// Registers of TIM9, with two channels (RM0402 section 16.5).
pub const REGISTERS_TWO_CHANNELS: &[Register] = &[
    Register::read_write("CR1", CR1, 0),
    Register::read_write("SMCR", SMCR, 0),
    Register::read_write("DIER", DIER, 0),
    Register::read_write("SR", SR, 0),
    Register::write_only("EGR", EGR),
    Register::read_write("CCMR1", CCMR1, 0),
    Register::read_write("CCER", CCER, 0),
    Register::read_write("CNT", CNT, 0),
    Register::read_write("PSC", PSC, 0),
    Register::read_write("ARR", ARR, 0xFFFF),
    Register::read_write("CCR1", CCR1, 0),
    Register::read_write("CCR2", CCR1 + 4, 0),
];
/// Registers of TIM10 and TIM11, with one channel (RM0402 section 16.6).
pub const REGISTERS_ONE_CHANNEL: &[Register] = &[
    Register::read_write("CR1", CR1, 0),
    Register::read_write("DIER", DIER, 0),
    Register::read_write("SR", SR, 0),
    Register::write_only("EGR", EGR),
    Register::read_write("CCMR1", CCMR1, 0),
    Register::read_write("CCER", CCER, 0),
    Register::read_write("CNT", CNT, 0),
    Register::read_write("PSC", PSC, 0),
    Register::read_write("ARR", ARR, 0xFFFF),
    Register::read_write("CCR1", CCR1, 0),
];

const fn four_channels(auto_reload: u32) -> [Register; 16] {
    [
        Register::read_write("CR1", CR1, 0),
        Register::read_write("CR2", CR2, 0),
        Register::read_write("SMCR", SMCR, 0),
        Register::read_write("DIER", DIER, 0),
        Register::read_write("SR", SR, 0),
        Register::write_only("EGR", EGR),
        Register::read_write("CCMR1", CCMR1, 0),
        Register::read_write("CCMR2", CCMR2, 0),
        Register::read_write("CCER", CCER, 0),
        Register::read_write("CNT", CNT, 0),
        Register::read_write("PSC", PSC, 0),
        Register::read_write("ARR", ARR, auto_reload),
        Register::read_write("CCR1", CCR1, 0),
        Register::read_write("CCR2", CCR1 + 4, 0),
        Register::read_write("CCR3", CCR1 + 8, 0),
        Register::read_write("CCR4", CCR4, 0),
    ]
}

const CR1: u32 = 0x00;
const CR2: u32 = 0x04;
const SMCR: u32 = 0x08;
const DIER: u32 = 0x0C;
const SR: u32 = 0x10;
const EGR: u32 = 0x14;
const CCMR1: u32 = 0x18;
const CCMR2: u32 = 0x1C;
const CCER: u32 = 0x20;
const CNT: u32 = 0x24;
const PSC: u32 = 0x28;
const ARR: u32 = 0x2C;
const CCR1: u32 = 0x34;
const CCR4: u32 = 0x40;

const CR1_CEN: u32 = 1 << 0;
const CR1_UDIS: u32 = 1 << 1;
const CR1_URS: u32 = 1 << 2;
const CR1_OPM: u32 = 1 << 3;
const CR1_ARPE: u32 = 1 << 7;
/// CEN, UDIS, URS, OPM, ARPE, CKD; DIR and CMS are zero for an up-counter.
const CR1_MODELLED: u32 = 0x38F;

/// UIE and CC1IE..CC4IE; the model has no triggers and no DMA requests.
const DIER_MODELLED: u32 = 0x1F;

const UIF: u32 = 1 << 0;
const EGR_UG: u32 = 1 << 0;

/// A timer.
///
/// CNT is a function of time while the rate is constant: nothing is done per tick.
#[derive(Clone, Debug)]
pub struct Timer {
    table: &'static [Register],
    clock: Frequency,
    cr1: u32,
    cr2: u32,
    dier: u32,
    sr: u32,
    ccmr: [u32; 2],
    ccer: u32,
    preload: Shadowed,
    active: Shadowed,
    /// Time of the last change of the rate.
    origin: VirtualTime,
    /// Value of CNT less the ticks since `origin`; negative after overflows.
    base: i64,
    /// Compare flags are set for all counts up to this one; -1 before count 0.
    seen: i64,
}

/// The registers with a preload register and an active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shadowed {
    psc: u32,
    arr: u32,
    ccr: [u32; 4],
}

impl Timer {
    /// A timer after reset, with its register table and its kernel clock.
    pub fn new(table: &'static [Register], clock: Frequency) -> Self {
        let shadowed = Shadowed {
            psc: 0,
            arr: super::find(table, ARR).map_or(0xFFFF, |register| register.reset),
            ccr: [0; 4],
        };
        Self {
            table,
            clock,
            cr1: 0,
            cr2: 0,
            dier: 0,
            sr: 0,
            ccmr: [0; 2],
            ccer: 0,
            preload: shadowed,
            active: shadowed,
            origin: VirtualTime::ZERO,
            base: 0,
            seen: 0,
        }
    }

    /// A reset through RCC or of the chip.
    pub fn reset(&mut self) {
        *self = Self::new(self.table, self.clock);
    }

    /// The kernel clock is another one from `now` on.
    pub fn set_clock(&mut self, now: VirtualTime, clock: Frequency) {
        if self.clock != clock {
            self.advance(now);
            self.restart(now, self.count(now));
            self.clock = clock;
        }
    }

    /// Reads the register at `offset`.
    pub fn read(&mut self, offset: u32, now: VirtualTime) -> u32 {
        self.advance(now);
        match offset {
            CR1 => self.cr1,
            CR2 => self.cr2,
            DIER => self.dier,
            SR => self.sr,
            CCMR1 => self.ccmr[0],
            CCMR2 => self.ccmr[1],
            CCER => self.ccer,
            CNT => u32::try_from(self.count(now)).unwrap_or(0),
            PSC => self.preload.psc,
            ARR => self.preload.arr,
            CCR1..=CCR4 => self.preload.ccr[channel(offset)],
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(&mut self, offset: u32, value: u32, now: VirtualTime) -> Modelled {
        self.advance(now);
        match offset {
            CR1 if value & !CR1_MODELLED != 0 => return Modelled::No,
            CR1 => {
                self.restart(now, self.count(now));
                self.cr1 = value;
            }
            CR2 => self.cr2 = value,
            SMCR => return Modelled::when(value == 0),
            DIER if value & !DIER_MODELLED != 0 => return Modelled::No,
            DIER => self.dier = value,
            SR => self.sr &= value,
            EGR => self.generate(value, now),
            // CCxS not zero: capture.
            CCMR1 | CCMR2 if value & 0x0303 != 0 => return Modelled::No,
            CCMR1 => self.ccmr[0] = value,
            CCMR2 => self.ccmr[1] = value,
            CCER => self.ccer = value,
            CNT => self.restart(now, i64::from(value & self.width())),
            PSC => self.preload.psc = value & 0xFFFF,
            ARR => {
                self.preload.arr = value & self.width();
                if self.cr1 & CR1_ARPE == 0 {
                    self.active.arr = self.preload.arr;
                }
            }
            CCR1..=CCR4 => {
                let index = channel(offset);
                self.preload.ccr[index] = value & self.width();
                if !self.compare_is_preloaded(index) {
                    self.active.ccr[index] = self.preload.ccr[index];
                }
            }
            _ => {}
        }
        Modelled::Yes
    }

    fn generate(&mut self, value: u32, now: VirtualTime) {
        if value & EGR_UG != 0 {
            if self.cr1 & (CR1_URS | CR1_UDIS) == 0 {
                self.sr |= UIF;
            }
            self.load();
            self.restart(now, 0);
        }
        self.sr |= value & 0x1E;
    }

    /// The shadow registers take over at an update event.
    fn load(&mut self) {
        if self.cr1 & CR1_UDIS == 0 {
            self.active = self.preload;
        }
    }

    fn restart(&mut self, now: VirtualTime, count: i64) {
        self.origin = now;
        self.base = count;
        self.seen = count;
    }

    fn width(&self) -> u32 {
        super::find(self.table, ARR).map_or(0xFFFF, |register| register.reset)
    }

    fn compare_is_preloaded(&self, index: usize) -> bool {
        self.ccmr[index / 2] >> (index % 2 * 8 + 3) & 1 != 0
    }

    fn is_counting(&self) -> bool {
        self.cr1 & CR1_CEN != 0 && self.active.arr != 0
    }

    fn tick(&self) -> Frequency {
        self.clock.scaled(1, u64::from(self.active.psc) + 1)
    }

    fn period(&self) -> i64 {
        i64::from(self.active.arr) + 1
    }

    /// The count after which the counter starts again: ARR, but a counter that was set above ARR
    /// runs on to its width's end.
    fn overflow(&self) -> i64 {
        if self.seen >= self.period() {
            i64::from(self.width()) + 1
        } else {
            self.period()
        }
    }

    /// CNT at `now`, not reduced by overflows since the last call of `advance`.
    fn count(&self, now: VirtualTime) -> i64 {
        if !self.is_counting() {
            return self.base;
        }
        let elapsed = now.as_nanos().saturating_sub(self.origin.as_nanos());
        let ticks = self.tick().periods_in(elapsed);
        self.base
            .saturating_add(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    /// When CNT, counted on without overflow, reaches `count`.
    fn instant_of(&self, count: i64) -> VirtualTime {
        let ticks = u64::try_from(count - self.base).unwrap_or(0);
        let nanos = self.tick().nanos(ticks);
        VirtualTime::from_nanos(self.origin.as_nanos().saturating_add(nanos))
    }

    /// Catches up with `now`: flags, overflows, preloads.
    fn advance(&mut self, now: VirtualTime) {
        while self.is_counting() {
            let count = self.count(now);
            let period = self.overflow();
            if count < period {
                self.compare(count);
                return;
            }
            self.compare(period - 1);
            if self.cr1 & CR1_UDIS == 0 {
                self.sr |= UIF;
            }
            let update = self.instant_of(period);
            if self.cr1 & CR1_OPM != 0 {
                self.cr1 &= !CR1_CEN;
                self.load();
                self.restart(update, 0);
            } else if self.active != self.preload && self.cr1 & CR1_UDIS == 0 {
                self.load();
                self.restart(update, 0);
                self.seen = -1;
            } else if count / period > 1 && period == self.period() {
                self.seen = -1;
                self.compare(period - 1);
                self.base -= count / period * period;
                self.seen = -1;
            } else {
                self.base -= period;
                self.seen = -1;
            }
        }
    }

    /// Sets the compare flags of all counts after `seen` up to `count`.
    fn compare(&mut self, count: i64) {
        for (index, ccr) in self.active.ccr.iter().enumerate() {
            if i64::from(*ccr) > self.seen && i64::from(*ccr) <= count {
                self.sr |= 1 << (index + 1);
            }
        }
        self.seen = self.seen.max(count);
    }

    /// Lets everything due at `now` happen.
    pub fn service(&mut self, now: VirtualTime) {
        self.advance(now);
    }

    /// Whether the interrupt line is high, as of the last access or service.
    pub fn interrupt(&self) -> bool {
        self.sr & self.dier != 0
    }

    /// When the interrupt line rises by itself. A flag that nobody enabled needs no event.
    pub fn deadline(&self) -> VirtualTime {
        let awaited = self.dier & !self.sr;
        if awaited == 0 || !self.is_counting() {
            return VirtualTime::MAX;
        }
        let mut earliest = VirtualTime::MAX;
        if awaited & UIF != 0 {
            earliest = self.instant_of(self.overflow());
        }
        for (index, ccr) in self.active.ccr.iter().enumerate() {
            if awaited >> (index + 1) & 1 != 0 && *ccr <= self.active.arr {
                let ccr = i64::from(*ccr);
                let next = if ccr > self.seen {
                    ccr
                } else {
                    ccr + self.overflow()
                };
                earliest = earliest.min(self.instant_of(next));
            }
        }
        earliest
    }

    /// How long the output of channel 1..=4 is high in a period, as (ticks, of ticks).
    ///
    /// Only PWM mode 1 and the forced levels are told apart; all else is low.
    pub fn duty(&self, channel: usize) -> (u64, u64) {
        let index = channel - 1;
        let period = u64::from(self.active.arr) + 1;
        let enabled = self.ccer >> (index * 4) & 1 != 0;
        let inverted = self.ccer >> (index * 4) & 2 != 0;
        let high = match self.ccmr[index / 2] >> (index % 2 * 8 + 4) & 0b111 {
            _ if !enabled => return (0, period),
            0b101 => period,
            0b110 if self.is_counting() => u64::from(self.active.ccr[index]).min(period),
            0b111 if self.is_counting() => period - u64::from(self.active.ccr[index]).min(period),
            _ => 0,
        };
        (if inverted { period - high } else { high }, period)
    }
}

fn channel(offset: u32) -> usize {
    (offset - CCR1) as usize / 4
}
