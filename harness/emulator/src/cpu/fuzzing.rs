//! Bodies for fuzzing; each must return without a panic for any input.

use super::Cpu;
use crate::bus::{Access, Bus, BusFault, Cycle, InterruptLines};
use crate::memory::Memory;

/// How long a program may run.
const CYCLES: Cycle = 5_000;

/// A bus whose answers follow from the addresses.
struct FuzzBus {
    next: Cycle,
}

impl Bus for FuzzBus {
    fn read(&mut self, _: &mut Memory, access: Access) -> Result<u32, BusFault> {
        match access.address & 0x40 {
            0 => Ok(access.address.wrapping_mul(0x9E37_79B9)),
            _ => Err(BusFault),
        }
    }

    fn write(&mut self, memory: &mut Memory, access: Access, value: u32) -> Result<(), BusFault> {
        match access.address.checked_sub(Memory::FLASH_BASE) {
            Some(offset) if (offset as usize) < Memory::FLASH_SIZE => {
                memory.replace_flash(offset as usize, &[value as u8]);
                Ok(())
            }
            _ if access.address & 0x40 == 0 => {
                self.next = access.cycle + Cycle::from(value & 0xFF);
                Ok(())
            }
            _ => Err(BusFault),
        }
    }

    fn next_event(&self) -> Cycle {
        self.next
    }

    fn service(&mut self, _: &mut Memory, now: Cycle) {
        self.next = now + 101;
    }

    fn interrupt_lines(&self) -> InterruptLines {
        u128::from(self.next).wrapping_mul(0x0001_0001_0001_0001_0001) & !7
    }
}

/// Executes any bytes as a program: they are the start of flash and the middle of RAM.
pub fn execute(data: &[u8]) {
    let data = &data[..data.len().min(Memory::RAM_SIZE / 2)];
    let mut memory = Memory::new();
    memory.replace_flash(0, data);
    memory.replace_ram(Memory::RAM_SIZE / 2, data);
    let mut cpu = Cpu::new();
    cpu.reset(&mut memory);
    let mut bus = FuzzBus { next: Cycle::MAX };
    while cpu.cycle() < CYCLES {
        let step = 1 + cpu.cycle() % 97;
        cpu.run(&mut memory, &mut bus, cpu.cycle() + step);
        cpu.pend_interrupt((cpu.cycle() % 128) as u16);
    }
}
