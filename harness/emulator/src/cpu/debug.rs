//! Halting debug: DHCSR, DEMCR, DFSR, core register transfer and the breakpoint unit
//! (Armv7-M ARM, C1.6 to C1.11).

use super::register::Register;
use super::{Cpu, Sleep, State};

/// Bits of DFSR.
pub(super) const DFSR_HALTED: u32 = 1 << 0;
pub(super) const DFSR_BKPT: u32 = 1 << 1;
pub(super) const DFSR_VCATCH: u32 = 1 << 3;

/// Bits of DHCSR.
mod dhcsr {
    pub(super) const KEY: u32 = 0xA05F;
    pub(super) const C_DEBUGEN: u32 = 1 << 0;
    pub(super) const C_HALT: u32 = 1 << 1;
    pub(super) const C_STEP: u32 = 1 << 2;
    pub(super) const C_MASKINTS: u32 = 1 << 3;
    pub(super) const S_REGRDY: u32 = 1 << 16;
    pub(super) const S_HALT: u32 = 1 << 17;
    pub(super) const S_SLEEP: u32 = 1 << 18;
    pub(super) const S_LOCKUP: u32 = 1 << 19;
    pub(super) const S_RETIRE_ST: u32 = 1 << 24;
    pub(super) const S_RESET_ST: u32 = 1 << 25;
}

/// Which vector catches exist here, as bits of DEMCR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VectorCatch {
    Reset = 1 << 0,
    HardError = 1 << 10,
}

/// DEMCR.TRCENA: the data watchpoint unit works.
const TRCENA: u32 = 1 << 24;
/// The writable bits of DEMCR.
const DEMCR_WRITABLE: u32 = 0x010F_07F1;
/// Code comparators of the breakpoint unit.
const COMPARATORS: usize = 6;

/// What a debugger has set.
#[derive(Clone, Debug)]
pub(super) struct Debug {
    /// C_DEBUGEN, C_STEP and C_MASKINTS; C_HALT is [`State::Halted`].
    control: u32,
    pub(super) demcr: u32,
    dfsr: u32,
    dcrdr: u32,
    was_reset: bool,
    breakpoints_enabled: bool,
    comparators: [u32; COMPARATORS],
}

impl Debug {
    pub(super) fn new() -> Self {
        Self {
            control: 0,
            demcr: 0,
            dfsr: 0,
            dcrdr: 0,
            was_reset: false,
            breakpoints_enabled: false,
            comparators: [0; COMPARATORS],
        }
    }

    /// DHCSR.C_DEBUGEN.
    pub(super) fn is_enabled(&self) -> bool {
        self.control & dhcsr::C_DEBUGEN != 0
    }

    pub(super) fn masks_interrupts(&self) -> bool {
        const BOTH: u32 = dhcsr::C_DEBUGEN | dhcsr::C_MASKINTS;
        self.control & BOTH == BOTH
    }

    pub(super) fn steps(&self) -> bool {
        const BOTH: u32 = dhcsr::C_DEBUGEN | dhcsr::C_STEP;
        self.control & BOTH == BOTH
    }

    pub(super) fn catches(&self, catch: VectorCatch) -> bool {
        self.is_enabled() && self.demcr & catch as u32 != 0
    }

    pub(super) fn traces(&self) -> bool {
        self.demcr & TRCENA != 0
    }

    /// Sets a cause in DFSR.
    pub(super) fn note(&mut self, cause: u32) {
        self.dfsr |= cause;
    }

    pub(super) fn note_reset(&mut self) {
        self.was_reset = true;
    }

    /// Whether a comparator of the breakpoint unit matches the instruction at `pc`.
    pub(super) fn breaks_at(&self, pc: u32) -> bool {
        self.breakpoints_enabled
            && self.comparators.iter().any(|&comparator| {
                let halves = comparator >> 30;
                let half = if pc & 2 == 0 { 1 } else { 2 };
                comparator & 1 != 0 && comparator & 0x1FFF_FFFC == pc & !3 && halves & half != 0
            })
    }

    /// Reads a register of the breakpoint unit by its offset from 0xE0002000.
    pub(super) fn read_breakpoint_unit(&self, offset: u32) -> u32 {
        match offset {
            // FP_CTRL: six code comparators, two for literals.
            0 => 0x260 | u32::from(self.breakpoints_enabled),
            8..0x20 => self.comparators[(offset as usize - 8) / 4],
            _ => 0,
        }
    }

    /// Writes a register of the breakpoint unit by its offset from 0xE0002000.
    pub(super) fn write_breakpoint_unit(&mut self, offset: u32, value: u32) {
        match offset {
            0 if value & 2 != 0 => self.breakpoints_enabled = value & 1 != 0,
            8..0x20 => self.comparators[(offset as usize - 8) / 4] = value & 0xDFFF_FFFD,
            _ => {}
        }
    }
}

impl Cpu {
    /// Enters Debug state.
    pub(super) fn halt(&mut self, cause: u32) {
        self.debug.note(cause);
        self.state = State::Halted;
        self.halt_is_new = true;
        self.deadline = 0;
    }

    /// A vector catch: the core halts before the handler's first instruction.
    pub(super) fn halt_at_vector(&mut self) {
        self.halt(DFSR_VCATCH);
    }

    /// Reads DHCSR..DEMCR by the offset from 0xE000EDF0.
    pub(super) fn read_debug(&mut self, offset: u32) -> u32 {
        match offset {
            0x0 => self.read_dhcsr(),
            0x8 => self.debug.dcrdr,
            0xC => self.debug.demcr,
            _ => 0,
        }
    }

    /// Writes DHCSR..DEMCR by the offset from 0xE000EDF0.
    pub(super) fn write_debug(&mut self, offset: u32, value: u32) {
        match offset {
            0x0 if value >> 16 == dhcsr::KEY => self.write_dhcsr(value),
            0x4 => self.transfer_register(value),
            0x8 => self.debug.dcrdr = value,
            0xC => self.debug.demcr = value & DEMCR_WRITABLE,
            _ => {}
        }
    }

    pub(super) fn read_dfsr(&self) -> u32 {
        self.debug.dfsr
    }

    pub(super) fn clear_dfsr(&mut self, bits: u32) {
        self.debug.dfsr &= !bits;
    }

    fn read_dhcsr(&mut self) -> u32 {
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        let value = self.debug.control
            | dhcsr::S_REGRDY
            | bit(self.is_halted(), dhcsr::C_HALT | dhcsr::S_HALT)
            | bit(self.is_asleep(), dhcsr::S_SLEEP)
            | bit(self.state == State::LockedUp, dhcsr::S_LOCKUP)
            | bit(self.debug.was_reset, dhcsr::S_RESET_ST)
            | bit(
                self.instructions() != self.retired_at_read,
                dhcsr::S_RETIRE_ST,
            );
        self.debug.was_reset = self.state == State::InReset;
        self.retired_at_read = self.instructions();
        value
    }

    /// A write by software, which cannot change C_DEBUGEN and without it changes nothing.
    pub(super) fn write_dhcsr_by_software(&mut self, value: u32) {
        if self.debug.is_enabled() && value >> 16 == dhcsr::KEY {
            self.write_dhcsr(value | dhcsr::C_DEBUGEN);
        }
    }

    fn write_dhcsr(&mut self, value: u32) {
        const KEPT: u32 = dhcsr::C_DEBUGEN | dhcsr::C_STEP | dhcsr::C_MASKINTS;
        // Breakpoints work while C_DEBUGEN is set.
        self.code_is_stale |= (value ^ self.debug.control) & dhcsr::C_DEBUGEN != 0;
        self.debug.control = value & KEPT;
        let halts = value & dhcsr::C_HALT != 0 && value & dhcsr::C_DEBUGEN != 0;
        match (halts, self.state) {
            (true, State::Running | State::LockedUp) => {
                self.halt(DFSR_HALTED);
                self.halt_is_new = false;
                self.lockup_is_new = false;
                self.sleep = Sleep::No;
            }
            (false, State::Halted) => {
                self.state = State::Running;
                self.step_from = self.instructions();
            }
            _ => {}
        }
        self.deadline = 0;
    }

    /// DCRSR: bit 16 writes the register, else it goes to DCRDR.
    ///
    /// Outside Debug state nothing is transferred: a debugger that does not halt first reads
    /// whatever DCRDR held (C1.6.3 calls it UNKNOWN).
    fn transfer_register(&mut self, value: u32) {
        const WRITE: u32 = 1 << 16;
        if self.state != State::Halted {
            return;
        }
        let selector = value & 0x7F;
        let register = match selector {
            0..=15 => Register::GENERAL[selector as usize],
            16 => Register::Xpsr,
            17 => Register::Msp,
            18 => Register::Psp,
            20 => return self.transfer_masks(value & WRITE != 0),
            _ => {
                if value & WRITE == 0 {
                    self.debug.dcrdr = 0;
                }
                return;
            }
        };
        if value & WRITE != 0 {
            self.set_register(register, self.debug.dcrdr);
        } else {
            self.debug.dcrdr = self.register(register);
        }
    }

    /// Selector 20: CONTROL, FAULTMASK, BASEPRI and PRIMASK in one word.
    fn transfer_masks(&mut self, writes: bool) {
        const PARTS: [Register; 4] = [
            Register::Primask,
            Register::Basepri,
            Register::Faultmask,
            Register::Control,
        ];
        let mut bytes = self.debug.dcrdr.to_le_bytes();
        for (byte, register) in bytes.iter_mut().zip(PARTS) {
            if writes {
                self.set_register(register, u32::from(*byte));
            } else {
                *byte = self.register(register) as u8;
            }
        }
        self.debug.dcrdr = u32::from_le_bytes(bytes);
    }
}
