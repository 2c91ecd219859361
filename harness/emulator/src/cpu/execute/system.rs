//! MRS, MSR, CPS and the hints (Armv7-M ARM, B5.2).

use super::super::op::Op;
use super::super::{Cpu, Sleep};

const SP: usize = 13;

/// What a special register's number (SYSm) means; 0..=7 are xPSR's parts.
mod sysm {
    pub(super) const MSP: u32 = 8;
    pub(super) const PSP: u32 = 9;
    pub(super) const PRIMASK: u32 = 16;
    pub(super) const BASEPRI: u32 = 17;
    pub(super) const BASEPRI_MAX: u32 = 18;
    pub(super) const FAULTMASK: u32 = 19;
    pub(super) const CONTROL: u32 = 20;
}

impl Cpu {
    pub(super) fn mrs(&mut self, op: Op) {
        let privileged = self.is_privileged();
        let value = match op.imm {
            part @ 0..=7 => {
                let ipsr = if part & 1 != 0 { self.ipsr() } else { 0 };
                let apsr = if part & 4 == 0 { self.flags.apsr() } else { 0 };
                apsr | ipsr
            }
            sysm::CONTROL => u32::from(self.control),
            _ if !privileged => 0,
            sysm::MSP => self.msp(),
            sysm::PSP => self.psp(),
            sysm::PRIMASK => u32::from(self.primask),
            sysm::BASEPRI | sysm::BASEPRI_MAX => u32::from(self.basepri),
            sysm::FAULTMASK => u32::from(self.faultmask),
            _ => 0,
        };
        self.set_rd(op, value);
    }

    pub(super) fn msr(&mut self, op: Op) {
        let value = self.rn(op);
        if op.imm < 8 {
            if op.imm & 4 == 0 {
                if op.ra() & 2 != 0 {
                    self.flags.set_nzcvq(value);
                }
                if op.ra() & 1 != 0 {
                    self.flags.set_ge(value);
                }
            }
            return;
        }
        if !self.is_privileged() {
            return;
        }
        match op.imm {
            sysm::MSP => self.set_msp(value & !3),
            sysm::PSP => self.set_psp(value & !3),
            sysm::PRIMASK => self.primask = value & 1 != 0,
            sysm::BASEPRI => self.basepri = value as u8 & 0xF0,
            sysm::BASEPRI_MAX => {
                let value = value as u8 & 0xF0;
                if value != 0 && (self.basepri == 0 || value < self.basepri) {
                    self.basepri = value;
                }
            }
            sysm::FAULTMASK => self.write_faultmask(value & 1 != 0),
            sysm::CONTROL => self.write_control(value as u8),
            _ => {}
        }
        self.deadline = 0;
    }

    fn write_faultmask(&mut self, value: bool) {
        if !value || self.execution_priority() > -1 {
            self.faultmask = value;
        }
    }

    /// Sets CONTROL; SPSEL only in Thread mode.
    pub(in super::super) fn write_control(&mut self, value: u8) {
        let new = match self.in_handler_mode() {
            true => value & 1 | self.control & 2,
            false => value & 3,
        };
        if (new ^ self.control) & 2 != 0 {
            std::mem::swap(&mut self.r[SP], &mut self.other_sp);
        }
        self.control = new;
    }

    /// CPSIE and CPSID: `imm` bit 4 disables, bit 1 is PRIMASK, bit 0 FAULTMASK.
    #[inline(always)]
    pub(super) fn cps(&mut self, op: Op) {
        if !self.is_privileged() {
            return;
        }
        let disable = op.imm & 0x10 != 0;
        if op.imm & 2 != 0 {
            self.primask = disable;
        }
        if op.imm & 1 != 0 {
            self.write_faultmask(disable);
        }
        if !disable {
            self.deadline = 0;
        }
    }

    pub(super) fn wait_for_interrupt(&mut self) {
        self.sleep = Sleep::ForInterrupt;
        self.sleep_is_new = true;
        self.deadline = 0;
    }

    pub(super) fn wait_for_event(&mut self) {
        if self.event {
            self.event = false;
        } else {
            self.sleep = Sleep::ForEvent;
            self.sleep_is_new = true;
            self.deadline = 0;
        }
    }
}
