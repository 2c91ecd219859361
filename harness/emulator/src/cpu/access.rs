//! Reads and writes of memory: flash and RAM at once, everything else by the long way.

use super::scb::cfsr;
use super::{Cpu, Trap};
use crate::bus::{Access, Bus, Width};
use crate::memory::Memory;

const FLASH_BASE: u32 = Memory::FLASH_BASE;
const RAM_BASE: u32 = Memory::RAM_BASE;
const SRAM_ALIAS: u32 = 0x2200_0000;
const PERIPHERAL_BASE: u32 = 0x4000_0000;
const PERIPHERAL_ALIAS: u32 = 0x4200_0000;
/// Size of each bit-band alias region.
const ALIAS_SIZE: u32 = 0x0200_0000;

/// Whether an address belongs to the processor itself: its private peripheral bus less DBGMCU,
/// which is ST's.
pub(super) const fn is_private(address: u32) -> bool {
    address >> 20 == 0xE00 && address & !0x3FF != 0xE004_2000
}

/// The bit that a bit-band alias stands for: its address for an access of `width`, and the bit number.
fn bit_band(address: u32, width: Width) -> Option<(u32, u32)> {
    let (base, offset) = if address.wrapping_sub(SRAM_ALIAS) < ALIAS_SIZE {
        (RAM_BASE, address - SRAM_ALIAS)
    } else if address.wrapping_sub(PERIPHERAL_ALIAS) < ALIAS_SIZE {
        (PERIPHERAL_BASE, address - PERIPHERAL_ALIAS)
    } else {
        return None;
    };
    let byte = base + (offset >> 5);
    let misaligned = byte & (width.bytes() - 1);
    Some((byte - misaligned, (offset >> 2 & 7) + 8 * misaligned))
}

/// The widest aligned access at `address` that is no longer than `left` bytes.
fn widest(address: u32, left: u32) -> Width {
    if address & 1 != 0 || left < 2 {
        Width::Byte
    } else if address & 2 != 0 || left < 4 {
        Width::Halfword
    } else {
        Width::Word
    }
}

macro_rules! fast_load {
    ($name:ident, $type:ty, $size:literal, $width:expr) => {
        /// Loads from memory, zero-extended.
        #[inline(always)]
        pub(super) fn $name<B: Bus>(
            &mut self,
            memory: &mut Memory,
            bus: &mut B,
            pc: u32,
            address: u32,
        ) -> Result<u32, Trap> {
            let offset = address.wrapping_sub(RAM_BASE) as usize;
            if offset < self.direct_limit
                && let Some(bytes) = memory.ram[offset..].first_chunk::<$size>()
            {
                return Ok(u32::from(<$type>::from_le_bytes(*bytes)));
            }
            let offset = address.wrapping_sub(FLASH_BASE) as usize;
            if offset < Memory::FLASH_SIZE
                && self.direct_limit != 0
                && let Some(bytes) = memory.flash[offset..].first_chunk::<$size>()
            {
                return Ok(u32::from(<$type>::from_le_bytes(*bytes)));
            }
            self.load_slow(memory, bus, pc, address, $width)
        }
    };
}

macro_rules! fast_store {
    ($name:ident, $type:ty, $size:literal, $width:expr) => {
        /// Stores the low bits of `value`.
        #[inline(always)]
        pub(super) fn $name<B: Bus>(
            &mut self,
            memory: &mut Memory,
            bus: &mut B,
            pc: u32,
            address: u32,
            value: u32,
        ) -> Result<(), Trap> {
            let offset = address.wrapping_sub(RAM_BASE) as usize;
            if offset < self.direct_limit
                && offset.is_multiple_of($size)
                && !memory.code.ram_has_code(offset)
                && let Some(bytes) = memory.ram[offset..].first_chunk_mut::<$size>()
            {
                *bytes = (value as $type).to_le_bytes();
                return Ok(());
            }
            self.store_slow(memory, bus, pc, address, $width, value)
        }
    };
}

impl Cpu {
    fast_load!(load8, u8, 1, Width::Byte);
    fast_load!(load16, u16, 2, Width::Halfword);
    fast_load!(load32, u32, 4, Width::Word);
    fast_store!(store8, u8, 1, Width::Byte);
    fast_store!(store16, u16, 2, Width::Halfword);
    fast_store!(store32, u32, 4, Width::Word);

    /// Any load that the short way cannot do.
    #[cold]
    #[inline(never)]
    pub(super) fn load_slow<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        address: u32,
        width: Width,
    ) -> Result<u32, Trap> {
        if address & (width.bytes() - 1) == 0 {
            return self.load_aligned(memory, bus, pc, address, width);
        }
        if self.scb.traps_unaligned() || is_private(address) {
            return Err(Trap::Unaligned);
        }
        let mut value = 0;
        let mut done = 0;
        while done < width.bytes() {
            let part_address = address.wrapping_add(done);
            let part = widest(part_address, width.bytes() - done);
            value |= self.load_aligned(memory, bus, pc, part_address, part)? << (8 * done);
            done += part.bytes();
        }
        Ok(value)
    }

    /// Any store that the short way cannot do.
    #[cold]
    #[inline(never)]
    pub(super) fn store_slow<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        address: u32,
        width: Width,
        value: u32,
    ) -> Result<(), Trap> {
        if address & (width.bytes() - 1) == 0 {
            return self.store_aligned(memory, bus, pc, address, width, value);
        }
        if self.scb.traps_unaligned() || is_private(address) {
            return Err(Trap::Unaligned);
        }
        let mut done = 0;
        while done < width.bytes() {
            let part_address = address.wrapping_add(done);
            let part = widest(part_address, width.bytes() - done);
            self.store_aligned(memory, bus, pc, part_address, part, value >> (8 * done))?;
            done += part.bytes();
        }
        Ok(())
    }

    fn load_aligned<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        address: u32,
        width: Width,
    ) -> Result<u32, Trap> {
        if let Some(value) = read_memory(memory, address, width) {
            return Ok(value);
        }
        if let Some((target, bit)) = bit_band(address, width) {
            return Ok(self.load_aligned(memory, bus, pc, target, width)? >> bit & 1);
        }
        let result = if is_private(address) {
            self.private_read(address, width)
        } else {
            let result = bus.read(memory, self.bus_access(pc, address, width));
            self.follow_bus(bus);
            result
        };
        // A bus that answers with more than was asked for is not let through.
        let mask = u32::MAX >> (32 - 8 * width.bytes());
        result
            .map(|value| value & mask)
            .or_else(|_| self.bus_fault(address))
    }

    fn store_aligned<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        pc: u32,
        address: u32,
        width: Width,
        value: u32,
    ) -> Result<(), Trap> {
        let value = match width {
            Width::Byte => value & 0xFF,
            Width::Halfword => value & 0xFFFF,
            Width::Word => value,
        };
        let offset = address.wrapping_sub(RAM_BASE) as usize;
        if offset < Memory::RAM_SIZE {
            let length = width.bytes() as usize;
            memory.ram[offset..offset + length].copy_from_slice(&value.to_le_bytes()[..length]);
            if memory.code.ram_has_code(offset) {
                memory.code.drop_ram(offset, length);
            }
            return Ok(());
        }
        if let Some((target, bit)) = bit_band(address, width) {
            let old = self.load_aligned(memory, bus, pc, target, width)?;
            let new = old & !(1 << bit) | (value & 1) << bit;
            return self.store_aligned(memory, bus, pc, target, width, new);
        }
        let result = if is_private(address) {
            self.private_write(address, width, value)
        } else {
            let result = bus.write(memory, self.bus_access(pc, address, width), value);
            self.follow_bus(bus);
            result
        };
        result.or_else(|_| self.bus_fault(address))
    }

    fn bus_access(&self, pc: u32, address: u32, width: Width) -> Access {
        Access {
            address,
            width,
            cycle: self.now(),
            pc,
        }
    }

    /// A BusFault, unless CCR.BFHFNMIGN lets a HardFault or NMI handler go on with zero.
    fn bus_fault<T: Default>(&mut self, address: u32) -> Result<T, Trap> {
        if self.scb.ignores_bus_faults() && self.execution_priority() <= -1 {
            self.scb.cfsr |= cfsr::PRECISERR | cfsr::BFARVALID;
            self.scb.bfar = address;
            return Ok(T::default());
        }
        self.fault_address = address;
        Err(Trap::DataBus)
    }

    /// An access of the exception machinery: word aligned, by the processor itself.
    pub(super) fn load_word<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        address: u32,
    ) -> Result<u32, Trap> {
        self.load_aligned(memory, bus, self.pc, address, Width::Word)
    }

    /// As [`Cpu::load_word`], a store.
    pub(super) fn store_word<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        address: u32,
        value: u32,
    ) -> Result<(), Trap> {
        self.store_aligned(memory, bus, self.pc, address, Width::Word, value)
    }

    /// The halfword at `pc` as an instruction fetch sees it.
    pub(super) fn fetch(memory: &Memory, pc: u32) -> Result<u16, Trap> {
        match read_memory(memory, pc, Width::Halfword) {
            Some(halfword) => Ok(halfword as u16),
            None => Err(Trap::FetchBus),
        }
    }
}

/// An aligned read of flash, its boot alias or RAM.
fn read_memory(memory: &Memory, address: u32, width: Width) -> Option<u32> {
    let bytes: &[u8] = match address >> 24 {
        0x00 => memory.flash.get(address as usize..)?,
        0x08 => memory.flash.get((address - FLASH_BASE) as usize..)?,
        0x20 => memory.ram.get((address - RAM_BASE) as usize..)?,
        _ => return None,
    };
    let bytes = bytes.get(..width.bytes() as usize)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte)),
    )
}
