//! The Cortex-M4 processor: a pre-decoding interpreter of the Armv7E-M instruction set with
//! its exception model, NVIC, SysTick, system control block and data watchpoint counter.
//!
//! One instruction is one cycle. The processor has no FPU: a floating-point instruction takes
//! a NOCP UsageFault.

mod register;

pub use register::Register;

use crate::bus::{Bus, BusFault, Cycle, Width};
use crate::memory::Memory;

/// Why [`Cpu::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The cycle counter reached the cycle that was asked for.
    Until,
    /// The processor has just gone to sleep (WFI, WFE or SLEEPONEXIT).
    Sleep,
    /// Software wrote AIRCR.SYSRESETREQ: the chip is to be reset.
    ResetRequested,
    /// [`Bus::stop_requested`] said so, after an access or a service.
    BusStop,
    /// A fault at a priority that cannot take one (Armv7-M ARM, B1.5.15).
    Lockup {
        /// The address of the instruction that could not go on.
        pc: u32,
    },
    /// A BKPT instruction, a breakpoint or a vector catch stopped the core; it is halted now.
    Breakpoint {
        /// The address of the instruction at which it stands, not yet executed.
        pc: u32,
    },
}

/// The processor.
#[derive(Clone, Debug)]
pub struct Cpu {
    r: [u32; 16],
    cycle: Cycle,
    vtor: u32,
}

impl Cpu {
    /// A processor before its first reset, at cycle 0.
    pub fn new() -> Self {
        Self {
            r: [0; 16],
            cycle: 0,
            vtor: 0,
        }
    }

    /// Resets the core: stack pointer and PC come from the vector table at 0 (flash's boot alias),
    /// and VTOR is 0. The cycle counter goes on.
    pub fn reset(&mut self, _memory: &mut Memory) {}

    /// Executes instructions until the cycle counter reaches `until` or something else happens.
    ///
    /// While asleep it jumps to the earliest of the bus's next event, SysTick and `until`.
    /// While halted by a debugger time goes on and the core stands still.
    pub fn run<B: Bus>(&mut self, _memory: &mut Memory, _bus: &mut B, until: Cycle) -> Exit {
        self.cycle = until;
        Exit::Until
    }

    /// The present cycle.
    pub fn cycle(&self) -> Cycle {
        self.cycle
    }

    /// How many instructions were executed: cycles less those slept through.
    pub fn instructions(&self) -> u64 {
        self.cycle
    }

    /// Pends an external interrupt as a write to NVIC_ISPR does.
    pub fn pend_interrupt(&mut self, _irq: u16) {}

    /// Whether the core waits in WFI, WFE or SLEEPONEXIT.
    pub fn is_asleep(&self) -> bool {
        false
    }

    /// Whether a debugger or a breakpoint has halted the core.
    pub fn is_halted(&self) -> bool {
        false
    }

    /// The earliest cycle at which SysTick or the bus does something; `Cycle::MAX` for never.
    pub fn next_wake<B: Bus>(&self, bus: &B) -> Cycle {
        bus.next_event()
    }

    /// A register's value, as a debugger sees it.
    pub fn register(&self, register: Register) -> u32 {
        register.general_index().map_or(0, |index| self.r[index])
    }

    /// Sets a register, as a debugger does.
    pub fn set_register(&mut self, register: Register, value: u32) {
        if let Some(index) = register.general_index() {
            self.r[index] = value;
        }
    }

    /// The vector table's address.
    pub fn vtor(&self) -> u32 {
        self.vtor
    }

    /// Sets the vector table's address.
    pub fn set_vtor(&mut self, address: u32) {
        self.vtor = address;
    }

    /// A debugger's read of the processor's own space, 0xE0000000..0xE0100000 less DBGMCU.
    ///
    /// # Errors
    /// [`BusFault`] where no register of the processor answers.
    pub fn debug_read(&mut self, _address: u32, _width: Width) -> Result<u32, BusFault> {
        Err(BusFault)
    }

    /// A debugger's write to the processor's own space.
    ///
    /// # Errors
    /// [`BusFault`] where no register of the processor answers.
    pub fn debug_write(
        &mut self,
        _address: u32,
        _width: Width,
        _value: u32,
    ) -> Result<(), BusFault> {
        Err(BusFault)
    }
}

impl Default for Cpu {
    fn default() -> Self {
        Self::new()
    }
}
