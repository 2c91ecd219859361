//! Loads and stores but for the commonest (Armv7-M ARM, A4.6).

use super::super::op::Op;
use super::super::{Cpu, Trap};
use crate::bus::Bus;
use crate::memory::Memory;

impl Cpu {
    /// Rn plus the constant.
    #[inline(always)]
    pub(super) fn offset_address(&self, op: Op) -> u32 {
        self.rn(op).wrapping_add(op.imm)
    }

    /// Rn plus Rm shifted left by 0..=3.
    #[inline(always)]
    pub(super) fn register_address(&self, op: Op) -> u32 {
        self.rn(op).wrapping_add(self.rm(op) << (op.imm & 3))
    }

    /// Size and sign as `ra` has them: 0 byte, 1 halfword, 2 word, 4 signed byte, 5 signed halfword.
    pub(super) fn load_sized<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        address: u32,
        size: usize,
    ) -> Result<u32, Trap> {
        Ok(match size {
            0 => self.load8(memory, bus, pc, address)?,
            1 => self.load16(memory, bus, pc, address)?,
            4 => self.load8(memory, bus, pc, address)? as i8 as u32,
            5 => self.load16(memory, bus, pc, address)? as i16 as u32,
            _ => self.load32(memory, bus, pc, address)?,
        })
    }

    pub(super) fn store_sized<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        address: u32,
        size: usize,
        value: u32,
    ) -> Result<(), Trap> {
        match size {
            0 => self.store8(memory, bus, pc, address, value),
            1 => self.store16(memory, bus, pc, address, value),
            _ => self.store32(memory, bus, pc, address, value),
        }
    }

    /// A word load to PC or SP, in every addressing.
    pub(super) fn load_special<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let (address, base) = match op.ra() {
            0 => (self.offset_address(op), None),
            1 => (self.offset_address(op), Some(self.offset_address(op))),
            2 => (self.rn(op), Some(self.offset_address(op))),
            3 => (op.imm, None),
            _ => (self.register_address(op), None),
        };
        let value = self.load32(memory, bus, pc, address)?;
        if let Some(base) = base {
            self.r[op.rn()] = base;
        }
        if op.rd() == 15 {
            self.branch_exchange(value)
        } else {
            self.set_rd(op, value & !3);
            Ok(())
        }
    }

    pub(super) fn load_unprivileged<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let address = self.offset_address(op);
        let value =
            self.as_unprivileged(|cpu| cpu.load_sized(memory, bus, pc, address, op.ra()))?;
        self.set_rd(op, value);
        Ok(())
    }

    pub(super) fn store_unprivileged<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let (address, value) = (self.offset_address(op), self.rd(op));
        self.as_unprivileged(|cpu| cpu.store_sized(memory, bus, pc, address, op.ra(), value))
    }

    fn as_unprivileged<T>(&mut self, access: impl FnOnce(&mut Self) -> T) -> T {
        self.forced_unprivileged = true;
        let result = access(self);
        self.forced_unprivileged = false;
        result
    }

    /// The address of LDRD or STRD, which must be aligned, and the new base.
    #[inline(always)]
    fn dual_address(&self, op: Op) -> Result<(u32, Option<u32>), Trap> {
        let (address, base) = match op.ra() {
            0 => (self.offset_address(op), None),
            1 => (self.offset_address(op), Some(self.offset_address(op))),
            2 => (self.rn(op), Some(self.offset_address(op))),
            _ => (op.imm, None),
        };
        match address & 3 {
            0 => Ok((address, base)),
            _ => Err(Trap::Unaligned),
        }
    }

    #[inline(always)]
    pub(super) fn load_dual<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let (address, base) = self.dual_address(op)?;
        let first = self.load32(memory, bus, pc, address)?;
        let second = self.load32(memory, bus, pc, address.wrapping_add(4))?;
        self.set_rd(op, first);
        self.r[op.rm()] = second;
        if let Some(base) = base {
            self.r[op.rn()] = base;
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn store_dual<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let (address, base) = self.dual_address(op)?;
        self.store32(memory, bus, pc, address, self.rd(op))?;
        self.store32(memory, bus, pc, address.wrapping_add(4), self.rm(op))?;
        if let Some(base) = base {
            self.r[op.rn()] = base;
        }
        Ok(())
    }

    /// LDREX, LDREXB, LDREXH: the local monitor does not remember the address (Cortex-M4 TRM).
    pub(super) fn load_exclusive<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let address = self.exclusive_address(op)?;
        let value = self.load_sized(memory, bus, pc, address, op.ra())?;
        self.set_rd(op, value);
        self.exclusive = true;
        Ok(())
    }

    pub(super) fn store_exclusive<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let address = self.exclusive_address(op)?;
        let status = if self.exclusive {
            self.store_sized(memory, bus, pc, address, op.ra(), self.rm(op))?;
            0
        } else {
            1
        };
        self.exclusive = false;
        self.set_rd(op, status);
        Ok(())
    }

    fn exclusive_address(&self, op: Op) -> Result<u32, Trap> {
        let address = self.offset_address(op);
        match address & ((1 << op.ra()) - 1) {
            0 => Ok(address),
            _ => Err(Trap::Unaligned),
        }
    }
}
