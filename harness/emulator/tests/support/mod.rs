//! A bare processor with flash and RAM and nothing else, for the processor's tests.

pub mod assembler;
pub mod program;
pub mod random;

use az3166_emulator::bus::{Access, Bus, BusFault, Cycle, InterruptLines, Width};
use az3166_emulator::cpu::{Cpu, Exit, Register};
use az3166_emulator::memory::Memory;

/// DHCSR, whose C_DEBUGEN makes BKPT halt.
const DHCSR: u32 = 0xE000_EDF0;
const DEBUG_KEY: u32 = 0xA05F_0000;

/// A bus on which nothing answers.
pub struct NoBus;

impl Bus for NoBus {
    fn read(&mut self, _: &mut Memory, _: Access) -> Result<u32, BusFault> {
        Err(BusFault)
    }

    fn write(&mut self, _: &mut Memory, _: Access, _: u32) -> Result<(), BusFault> {
        Err(BusFault)
    }

    fn next_event(&self) -> Cycle {
        Cycle::MAX
    }

    fn service(&mut self, _: &mut Memory, _: Cycle) {}

    fn interrupt_lines(&self) -> InterruptLines {
        0
    }
}

/// A processor that has come out of reset, and its memory.
pub struct Machine {
    pub cpu: Cpu,
    pub memory: Memory,
}

impl Machine {
    /// Flash holds `image` from its first byte on; a debugger is attached, so that BKPT halts.
    pub fn new(image: &[u8]) -> Self {
        let mut machine = Self::without_debugger(image);
        machine
            .cpu
            .debug_write(DHCSR, Width::Word, DEBUG_KEY | 1)
            .unwrap();
        machine
    }

    /// As [`Machine::new`] without a debugger.
    pub fn without_debugger(image: &[u8]) -> Self {
        let mut memory = Memory::new();
        memory.replace_flash(0, image);
        let mut cpu = Cpu::new();
        cpu.reset(&mut memory);
        Self { cpu, memory }
    }

    /// Runs up to `cycles` more.
    pub fn run(&mut self, cycles: Cycle) -> Exit {
        let until = self.cpu.cycle() + cycles;
        self.cpu.run(&mut self.memory, &mut NoBus, until)
    }

    /// R0..R15.
    pub fn register(&self, index: usize) -> u32 {
        self.cpu.register(Register::GENERAL[index])
    }

    /// The word at an address in RAM.
    pub fn word(&self, address: u32) -> u32 {
        let offset = (address - Memory::RAM_BASE) as usize;
        u32::from_le_bytes(self.memory.ram()[offset..offset + 4].try_into().unwrap())
    }
}
