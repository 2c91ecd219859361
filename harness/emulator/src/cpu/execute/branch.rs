//! Branches and IT (Armv7-M ARM, A4.3 and A7.3.3).

use super::super::op::{Kind, Op};
use super::super::{Cpu, Trap};
use crate::bus::Bus;
use crate::memory::Memory;

const LR: usize = 14;

impl Cpu {
    #[inline(always)]
    pub(super) fn branch_if(&mut self, op: Op, condition: bool) {
        if condition {
            self.pc = op.imm;
        }
    }

    /// BXWritePC: bit 0 selects Thumb state, 0xFxxxxxxx in Handler mode is an exception return.
    #[inline(always)]
    pub(super) fn branch_exchange(&mut self, target: u32) -> Result<(), Trap> {
        if target >= 0xF000_0000 && self.in_handler_mode() {
            self.exc_return = target;
            return Err(Trap::ExceptionReturn);
        }
        self.pc = target & !1;
        if target & 1 == 0 {
            // The next instruction faults with INVSTATE.
            self.thumb = false;
            self.deadline = 0;
        }
        Ok(())
    }

    /// BLX: the PC value is in `imm`.
    #[inline(always)]
    pub(super) fn branch_link_exchange(&mut self, op: Op) -> Result<(), Trap> {
        let target = self.rm(op);
        self.r[LR] = op.imm.wrapping_sub(2) | 1;
        self.pc = target & !1;
        if target & 1 == 0 {
            self.thumb = false;
            self.deadline = 0;
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn branch_link(&mut self, op: Op) {
        self.r[LR] = self.pc | 1;
        self.pc = op.imm;
    }

    /// TBB (`shift` 0) and TBH (`shift` 1); the PC value is in `imm`.
    #[inline(always)]
    pub(super) fn table_branch<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
        shift: usize,
    ) -> Result<(), Trap> {
        let base = match op.rn() {
            15 => op.imm,
            rn => self.r[rn],
        };
        let address = base.wrapping_add(self.rm(op) << shift);
        let halfwords = self.load_sized(memory, bus, pc, address, shift)?;
        self.pc = op.imm.wrapping_add(halfwords * 2);
        Ok(())
    }

    /// Steps ITSTATE for the instruction at hand: what of it is executed, if anything.
    pub(in super::super) fn it_step(&mut self, op: Op) -> Option<Op> {
        let state = self.it;
        self.it_before = state;
        self.it_cycle = self.cycle;
        self.it = match state & 7 {
            0 => 0,
            _ => state & 0xE0 | (state << 1) & 0x1F,
        };
        let unconditional = matches!(op.kind, Kind::Bkpt | Kind::Breakpoint | Kind::FetchFault);
        (unconditional || self.flags.holds(state >> 4)).then(|| op.in_it_block())
    }
}
