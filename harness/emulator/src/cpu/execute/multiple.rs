//! LDM, STM, PUSH and POP (Armv7-M ARM, A4.6.6).

use super::super::op::Op;
use super::super::{Cpu, Trap};
use crate::bus::Bus;
use crate::memory::Memory;

const SP: usize = 13;

impl Cpu {
    /// The lowest address of the transfer and the base after it.
    #[inline(always)]
    fn multiple_addresses(&self, op: Op) -> Result<(u32, u32), Trap> {
        let base = self.rn(op);
        let size = 4 * op.imm.count_ones();
        let (start, end) = match op.ra() & 2 {
            0 => (base, base.wrapping_add(size)),
            _ => (base.wrapping_sub(size), base.wrapping_sub(size)),
        };
        match start & 3 {
            0 => Ok((start, end)),
            _ => Err(Trap::Unaligned),
        }
    }

    /// Loads the registers of `list` from `address` on; nothing changes on a fault.
    #[inline(always)]
    fn load_list<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        mut address: u32,
        mut list: u32,
    ) -> Result<(), Trap> {
        let offset = address.wrapping_sub(Memory::RAM_BASE) as usize;
        let length = 4 * list.count_ones() as usize;
        if offset < self.direct_limit
            && let Some(bytes) = memory.ram.get(offset..offset + length)
        {
            for word in bytes.as_chunks::<4>().0 {
                self.r[list.trailing_zeros() as usize & 15] = u32::from_le_bytes(*word);
                list &= list.wrapping_sub(1);
            }
            return Ok(());
        }
        let mut loaded = self.r;
        while list != 0 {
            loaded[list.trailing_zeros() as usize & 15] = self.load32(memory, bus, pc, address)?;
            address = address.wrapping_add(4);
            list &= list - 1;
        }
        self.r = loaded;
        Ok(())
    }

    #[inline(always)]
    fn store_list<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        mut address: u32,
        mut list: u32,
    ) -> Result<(), Trap> {
        while list != 0 {
            let value = self.r[list.trailing_zeros() as usize & 15];
            self.store32(memory, bus, pc, address, value)?;
            address = address.wrapping_add(4);
            list &= list - 1;
        }
        Ok(())
    }

    pub(super) fn load_multiple<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let (start, end) = self.multiple_addresses(op)?;
        self.load_list(memory, bus, pc, start, op.imm & 0x7FFF)?;
        if op.ra() & 1 != 0 {
            self.r[op.rn()] = end;
        }
        Ok(())
    }

    /// LDM and POP with PC in the list.
    pub(super) fn load_multiple_pc<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let (start, end) = self.multiple_addresses(op)?;
        let list = op.imm & 0x7FFF;
        let target = self.load32(memory, bus, pc, start.wrapping_add(4 * list.count_ones()))?;
        self.load_list(memory, bus, pc, start, list)?;
        if op.ra() & 1 != 0 {
            self.r[op.rn()] = end;
        }
        self.branch_exchange(target)
    }

    pub(super) fn store_multiple<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let (start, end) = self.multiple_addresses(op)?;
        self.store_list(memory, bus, pc, start, op.imm)?;
        if op.ra() & 1 != 0 {
            self.r[op.rn()] = end;
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn push<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let start = self.r[SP].wrapping_sub(4 * op.imm.count_ones());
        self.store_list(memory, bus, pc, start, op.imm)?;
        self.r[SP] = start;
        Ok(())
    }

    #[inline(always)]
    pub(super) fn pop<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        op: Op,
    ) -> Result<(), Trap> {
        let start = self.r[SP];
        self.load_list(memory, bus, pc, start, op.imm)?;
        self.r[SP] = start.wrapping_add(4 * op.imm.count_ones());
        Ok(())
    }
}
