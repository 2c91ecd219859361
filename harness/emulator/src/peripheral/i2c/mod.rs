//! Inter-integrated circuit interface (RM0402 section 24) as a master.

mod master;
mod registers;

use az3166_event::VirtualTime;
use az3166_stsafe::Acknowledge;

pub use master::Lines;
use master::Phase;
use registers::*;
pub use registers::{REGISTERS, SR1};

use super::Modelled;
use crate::clock::Frequency;

/// An I2C interface.
///
/// The slave role, SMBus, packet error checking and DMA are not modelled; own addresses are
/// kept and never matched.
#[derive(Clone, Debug)]
pub struct I2c {
    cr1: u32,
    cr2: u32,
    oar: [u32; 2],
    /// What a read of DR gives.
    data: u8,
    /// The byte in DR that waits for the shift register of the transmitter.
    waiting: Option<u8>,
    /// The byte in the shift register of the receiver that waits for a read of DR.
    shifted: Option<u8>,
    sr1: u32,
    /// MSL and TRA; BUSY also follows the lines.
    sr2: u32,
    ccr: u32,
    trise: u32,
    fltr: u32,
    clock: Frequency,
    phase: Phase,
    /// When the phase ends by itself.
    phase_ends: VirtualTime,
    /// Flags that were set at the last read of SR1.
    seen: u32,
    /// With POS: the ACK bit as it was when the byte in the shift register began.
    acknowledge_next: Acknowledge,
}

impl I2c {
    /// An interface after reset on APB1's clock.
    pub fn new(clock: Frequency) -> Self {
        Self {
            cr1: 0,
            cr2: 0,
            oar: [0; 2],
            data: 0,
            waiting: None,
            shifted: None,
            sr1: 0,
            sr2: 0,
            ccr: 0,
            trise: 0x02,
            fltr: 0,
            clock,
            phase: Phase::Idle,
            phase_ends: VirtualTime::MAX,
            seen: 0,
            acknowledge_next: Acknowledge::Nack,
        }
    }

    /// A reset through RCC or of the chip: the lines are let go without a STOP.
    pub fn reset(&mut self) {
        *self = Self::new(self.clock);
    }

    /// APB1's clock is another one from now on; the byte on the bus keeps its end.
    pub fn set_clock(&mut self, clock: Frequency) {
        self.clock = clock;
    }

    /// Reads the register at `offset`.
    pub fn read(&mut self, offset: u32, now: VirtualTime, lines: &mut impl Lines) -> u32 {
        match offset {
            CR1 => self.cr1,
            CR2 => self.cr2,
            OAR1 => self.oar[0],
            OAR2 => self.oar[1],
            DR => {
                let data = self.data;
                self.data_was_read(now, lines);
                u32::from(data)
            }
            SR1 => {
                self.seen = self.sr1;
                self.sr1
            }
            SR2 => {
                let busy = if self.is_busy(lines) { SR2_BUSY } else { 0 };
                let status = self.sr2 | busy;
                if self.seen & SR1_ADDR != 0 {
                    self.address_was_cleared(now, lines);
                }
                status
            }
            CCR => self.ccr,
            TRISE => self.trise,
            FLTR => self.fltr,
            _ => 0,
        }
    }

    /// Writes the register at `offset`.
    pub fn write(
        &mut self,
        offset: u32,
        value: u32,
        now: VirtualTime,
        lines: &mut impl Lines,
    ) -> Modelled {
        match offset {
            CR1 if value & CR1_UNMODELLED != 0 => return Modelled::No,
            CR1 => self.write_control(value, now, lines),
            CR2 if value & CR2_UNMODELLED != 0 => return Modelled::No,
            CR2 => self.cr2 = value & CR2_WRITABLE,
            OAR1 => self.oar[0] = value & 0xC3FF,
            OAR2 => self.oar[1] = value & 0xFF,
            DR => self.data_was_written(value as u8, now),
            // The error flags are cleared by writing 0, no other flag (RM0402 section 24.6.6).
            SR1 => self.sr1 &= value | !SR1_ERRORS,
            // CCR and TRISE can be written only while the interface is off.
            CCR if !self.is_enabled() => self.ccr = value & 0xCFFF,
            TRISE if !self.is_enabled() => self.trise = value & 0x3F,
            FLTR => self.fltr = value & 0x1F,
            _ => {}
        }
        Modelled::Yes
    }

    fn write_control(&mut self, value: u32, now: VirtualTime, lines: &mut impl Lines) {
        if value & CR1_SWRST != 0 {
            self.reset();
            self.cr1 = CR1_SWRST;
            return;
        }
        self.cr1 = value & CR1_WRITABLE;
        if value & CR1_PE == 0 {
            self.turn_off();
        } else {
            self.control_was_written(now, lines);
        }
    }

    /// PE cleared: the requests, flags and the master role go.
    fn turn_off(&mut self) {
        self.cr1 &= !(CR1_START | CR1_STOP | CR1_ACK | CR1_POS);
        self.sr1 = 0;
        self.sr2 = 0;
        self.waiting = None;
        self.shifted = None;
        self.wait_in(Phase::Idle);
    }

    fn is_enabled(&self) -> bool {
        self.cr1 & CR1_PE != 0
    }

    fn is_busy(&self, lines: &impl Lines) -> bool {
        self.is_enabled() && (self.phase.holds_the_bus() || lines.is_held_low())
    }

    /// One period of SCL (RM0402 section 24.6.8).
    fn scl_nanos(&self) -> u64 {
        let ccr = u64::from(self.ccr & 0xFFF).max(1);
        let periods = match (self.ccr & CCR_FS != 0, self.ccr & CCR_DUTY != 0) {
            (false, _) => 2 * ccr,
            (true, false) => 3 * ccr,
            (true, true) => 25 * ccr,
        };
        self.clock.nanos(periods)
    }

    /// The phase begins at `now` and ends after `periods` of SCL.
    fn enter(&mut self, phase: Phase, now: VirtualTime, periods: u64) {
        self.phase = phase;
        let nanos = self.scl_nanos() * periods;
        self.phase_ends = VirtualTime::from_nanos(now.as_nanos().saturating_add(nanos));
    }

    /// The phase waits for software: SCL is held low where a transfer is under way.
    fn wait_in(&mut self, phase: Phase) {
        self.phase = phase;
        self.phase_ends = VirtualTime::MAX;
    }

    fn raise(&mut self, flags: u32) {
        self.sr1 |= flags;
    }

    fn lower(&mut self, flags: u32) {
        self.sr1 &= !flags;
        self.seen &= !flags;
    }

    /// When something happens without an access.
    pub fn deadline(&self) -> VirtualTime {
        self.phase_ends
    }

    /// Whether the event interrupt line is high.
    pub fn event_interrupt(&self) -> bool {
        let buffer = if self.cr2 & CR2_ITBUFEN != 0 {
            SR1_TXE | SR1_RXNE
        } else {
            0
        };
        let events = SR1_SB | SR1_ADDR | SR1_BTF | buffer;
        self.cr2 & CR2_ITEVTEN != 0 && self.sr1 & events != 0
    }

    /// Whether the error interrupt line is high.
    pub fn error_interrupt(&self) -> bool {
        self.cr2 & CR2_ITERREN != 0 && self.sr1 & SR1_ERRORS != 0
    }

    /// A fault of the bus: BERR (misplaced START or STOP) or ARLO (arbitration lost).
    pub fn inject(&mut self, fault: BusError) {
        match fault {
            BusError::Misplaced => self.raise(SR1_BERR),
            BusError::ArbitrationLost => {
                self.raise(SR1_ARLO);
                self.sr2 = 0;
                self.wait_in(Phase::Idle);
            }
        }
    }
}

/// What can go wrong on the bus itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusError {
    /// BERR: a START or STOP in the middle of a byte.
    Misplaced,
    /// ARLO: another master won.
    ArbitrationLost,
}
