//! True random number generator (RM0402 section 16).

use az3166_event::VirtualTime;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::Register;
use crate::clock::Frequency;

/// Registers (RM0402 section 16.4).
pub const REGISTERS: &[Register] = &[
    Register::read_write("CR", CR, 0),
    Register::read_write("SR", SR, 0),
    Register::read_only("DR", DR, 0),
];

const CR: u32 = 0x00;
const SR: u32 = 0x04;
const DR: u32 = 0x08;

const CR_RNGEN: u32 = 1 << 2;
const CR_IE: u32 = 1 << 3;

const SR_DRDY: u32 = 1 << 0;
const SR_CECS: u32 = 1 << 1;
const SR_SECS: u32 = 1 << 2;
const SR_CEIS: u32 = 1 << 5;
const SR_SEIS: u32 = 1 << 6;

/// Periods of the 48 MHz clock between two numbers (RM0402 section 16.3.1).
const PERIODS_PER_WORD: u64 = 40;

/// A fault of the analog noise source or of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RngFault {
    /// The source repeats itself (SECS, SEIS): no number is ready until RNGEN is cleared and set again.
    Seed,
    /// The generator's clock is too slow (CECS, CEIS).
    Clock,
}

/// The random number generator; its numbers come from a seed, and its stream goes on over
/// resets and power cycles as noise does.
#[derive(Clone, Debug)]
pub struct Rng {
    source: ChaCha20Rng,
    control: u32,
    /// CEIS and SEIS.
    latched: u32,
    seed_error: bool,
    clock_error: bool,
    ready_at: VirtualTime,
}

impl Rng {
    /// A generator with this much noise.
    pub fn new(seed: u64) -> Self {
        Self {
            source: ChaCha20Rng::seed_from_u64(seed),
            control: 0,
            latched: 0,
            seed_error: false,
            clock_error: false,
            ready_at: VirtualTime::MAX,
        }
    }

    /// A reset through RCC or of the chip.
    pub fn reset(&mut self) {
        self.control = 0;
        self.latched = 0;
        self.seed_error = false;
        self.clock_error = false;
        self.ready_at = VirtualTime::MAX;
    }

    /// Makes a fault happen now.
    pub fn inject(&mut self, fault: RngFault) {
        match fault {
            RngFault::Seed => {
                self.seed_error = true;
                self.latched |= SR_SEIS;
                self.ready_at = VirtualTime::MAX;
            }
            RngFault::Clock => {
                self.clock_error = true;
                self.latched |= SR_CEIS;
            }
        }
    }

    /// Reads the register at `offset`; `clock` is the 48 MHz clock where it runs.
    pub fn read(&mut self, offset: u32, now: VirtualTime, clock: Option<Frequency>) -> u32 {
        match offset {
            CR => self.control,
            SR => self.status(now),
            DR if now >= self.ready_at => {
                self.schedule(now, clock);
                self.source.next_u32()
            }
            _ => 0,
        }
    }

    fn status(&self, now: VirtualTime) -> u32 {
        let mut status = self.latched;
        if now >= self.ready_at {
            status |= SR_DRDY;
        }
        if self.seed_error {
            status |= SR_SECS;
        }
        if self.clock_error {
            status |= SR_CECS;
        }
        status
    }

    /// Writes the register at `offset`; `clock` is the 48 MHz clock where it runs.
    pub fn write(&mut self, offset: u32, value: u32, now: VirtualTime, clock: Option<Frequency>) {
        match offset {
            CR => {
                let was_on = self.control & CR_RNGEN != 0;
                self.control = value & (CR_RNGEN | CR_IE);
                let is_on = self.control & CR_RNGEN != 0;
                if is_on && !was_on {
                    self.seed_error = false;
                    self.schedule(now, clock);
                } else if !is_on {
                    self.ready_at = VirtualTime::MAX;
                }
            }
            // The two interrupt flags are cleared by writing 0 (RM0402 section 16.4.2).
            SR => self.latched &= value,
            _ => {}
        }
    }

    fn schedule(&mut self, now: VirtualTime, clock: Option<Frequency>) {
        self.ready_at = match clock {
            Some(clock) if !self.seed_error => {
                let nanos = clock.nanos(PERIODS_PER_WORD);
                VirtualTime::from_nanos(now.as_nanos().saturating_add(nanos))
            }
            _ => VirtualTime::MAX,
        };
        if clock.is_none() {
            self.inject(RngFault::Clock);
        }
    }

    /// Whether the interrupt line is high.
    pub fn interrupt(&self, now: VirtualTime) -> bool {
        self.control & CR_IE != 0 && self.status(now) & (SR_DRDY | SR_CEIS | SR_SEIS) != 0
    }

    /// When the interrupt line rises by itself.
    pub fn deadline(&self, now: VirtualTime) -> VirtualTime {
        if self.control & CR_IE != 0 && self.ready_at > now {
            self.ready_at
        } else {
            VirtualTime::MAX
        }
    }
}
