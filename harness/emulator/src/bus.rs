//! The seam between the processor and everything outside it.
//!
//! The processor owns its system control space (NVIC, SysTick, SCB, DWT; 0xE0000000..0xE0100000)
//! and reaches flash and RAM by itself; every other access is a call of [`Bus`].

/// A count of processor cycles since the first power-on; one instruction is one cycle.
///
/// What it is in nanoseconds depends on the clock tree at that moment: the chip's model
/// (the [`Bus`]) keeps that relation.
pub type Cycle = u64;

/// Width of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Halfword,
    /// 32 bits.
    Word,
}

impl Width {
    /// The width in bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Byte => 1,
            Self::Halfword => 2,
            Self::Word => 4,
        }
    }
}

/// One access as the bus sees it.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The address; aligned to `width` (the processor splits unaligned ones).
    pub address: u32,
    /// The width.
    pub width: Width,
    /// The exact cycle of the access.
    pub cycle: Cycle,
    /// The address of the instruction, for messages.
    pub pc: u32,
}

/// Nothing answers at this address, or it refuses: the processor takes a precise BusFault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusFault;

/// The level of the interrupt lines 0..=127: bit n is IRQ n.
pub type InterruptLines = u128;

/// All that lies outside the processor, flash reads and RAM.
///
/// The processor calls, in this order and never nested: [`Bus::read`] or [`Bus::write`] at the
/// access's cycle; then [`Bus::interrupt_lines`] and [`Bus::next_event`], since any access may
/// have changed them; [`Bus::service`] when the cycle counter reaches `next_event()`.
pub trait Bus {
    /// Reads a register or an address without memory; the value is zero-extended.
    fn read(&mut self, memory: &mut crate::memory::Memory, access: Access)
    -> Result<u32, BusFault>;

    /// Writes a register, or flash (which the flash controller may take or refuse).
    fn write(
        &mut self,
        memory: &mut crate::memory::Memory,
        access: Access,
        value: u32,
    ) -> Result<(), BusFault>;

    /// The earliest cycle at which something happens without an access; `Cycle::MAX` for never.
    fn next_event(&self) -> Cycle;

    /// Lets everything due up to and including `now` happen.
    fn service(&mut self, memory: &mut crate::memory::Memory, now: Cycle);

    /// The levels of the peripherals' interrupt lines now.
    fn interrupt_lines(&self) -> InterruptLines;

    /// Whether the processor shall return [`Exit::BusStop`](crate::cpu::Exit::BusStop) before its
    /// next instruction: asked after every access and every [`Bus::service`].
    ///
    /// The clock tree changed (so that the caller's cycle count for its deadline is stale), a
    /// watchdog wants a reset, power fails, or an access has no model.
    fn stop_requested(&self) -> bool {
        false
    }
}
