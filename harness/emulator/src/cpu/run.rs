//! The loop: fetch, execute, and look up when something is due.

use super::code::{PAGE_SHIFT, PageIndex};
use super::nvic::{DebugMasks, Masks, exception};
use super::op::{Kind, Op};
use super::{Cpu, Exit, Sleep, State, Trap, decode};
use crate::bus::{Bus, Cycle};
use crate::cpu::debug::DFSR_HALTED;
use crate::memory::Memory;

impl Cpu {
    /// Executes instructions until the cycle counter reaches `until` or something else happens.
    ///
    /// While asleep it jumps to the earliest of the bus's next event, SysTick and `until`.
    /// While halted by a debugger, or locked up, time goes on and the core stands still.
    pub fn run<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, until: Cycle) -> Exit {
        self.until = until;
        self.follow_bus(bus);
        self.deadline = 0;
        // No address has this page number.
        let mut page_number = u32::MAX;
        let mut page = PageIndex::ram(0);
        loop {
            if self.cycle >= self.deadline
                && let Some(exit) = self.attend(memory, bus)
            {
                return exit;
            }
            let pc = self.pc;
            if pc >> PAGE_SHIFT != page_number {
                match page_of(pc) {
                    Ok(index) => (page_number, page) = (pc >> PAGE_SHIFT, index),
                    Err(trap) => {
                        self.trap(memory, bus, pc, trap);
                        continue;
                    }
                }
            }
            let mut op = memory.code.get(page, pc);
            if op.kind == Kind::Undecoded {
                op = self.decode_at(memory, page, pc);
            }
            self.pc = pc.wrapping_add(op.length());
            if self.it != 0 {
                match self.it_step(op) {
                    Some(conditional) => op = conditional,
                    None => {
                        self.cycle += 1;
                        continue;
                    }
                }
            }
            match self.execute(memory, bus, pc, op) {
                Ok(()) => self.cycle += 1,
                Err(trap) => self.trap(memory, bus, pc, trap),
            }
        }
    }

    /// Decodes the instruction at `pc` and keeps it, unless it reaches into the next page.
    #[cold]
    #[inline(never)]
    fn decode_at(&mut self, memory: &mut Memory, page: PageIndex, pc: u32) -> Op {
        let Ok(first) = Self::fetch(memory, pc) else {
            return Op::narrow(Kind::FetchFault);
        };
        let mut op = if !decode::is_wide(first) {
            decode::narrow(pc, first)
        } else {
            match Self::fetch(memory, pc.wrapping_add(2)) {
                Ok(second) => decode::wide(pc, first, second),
                Err(_) => Op::wide(Kind::FetchFault),
            }
        };
        if self.debug.is_enabled() && self.debug.breaks_at(pc) {
            op = Op::narrow(Kind::Breakpoint);
        }
        if pc.wrapping_add(op.length() - 1) >> PAGE_SHIFT == pc >> PAGE_SHIFT {
            memory.code.put(page, pc, op);
        }
        op
    }

    /// Looks at all that can happen between two instructions; sets the next deadline.
    #[cold]
    #[inline(never)]
    fn attend<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B) -> Option<Exit> {
        loop {
            if std::mem::take(&mut self.code_is_stale) {
                memory.code.drop_all();
            }
            if let Some(exit) = self.new_exit() {
                return Some(exit);
            }
            if bus.stop_requested() {
                return Some(Exit::BusStop);
            }
            if self.cycle >= self.until {
                return Some(Exit::Until);
            }
            if self.bus_event <= self.cycle {
                bus.service(memory, self.cycle);
                self.follow_bus(bus);
                if bus.stop_requested() {
                    return Some(Exit::BusStop);
                }
            }
            if self.systick.next_zero() <= self.cycle && self.systick.service(self.cycle) {
                self.nvic.pend(exception::SYS_TICK);
            }
            if self.nvic.take_newly_pending() && self.scb.sends_event_on_pend() {
                self.event = true;
            }
            if self.state != State::Running {
                self.pass_time();
                continue;
            }
            // Before sleep: a halt ends that, so WFI is stepped over (Armv7-M ARM, B1.5.19).
            if self.debug.steps() && self.instructions() != self.step_from {
                self.sleep = Sleep::No;
                self.sleep_is_new = false;
                self.halt(DFSR_HALTED);
                continue;
            }
            if self.sleep != Sleep::No && !self.wakes() {
                if std::mem::take(&mut self.sleep_is_new) {
                    return Some(Exit::Sleep);
                }
                self.pass_time();
                continue;
            }
            if self.nvic.any_pending()
                && let Some(exception) = self.nvic.takeable(self.masks(), self.debug_masks())
            {
                self.push_and_enter(memory, bus, exception);
                continue;
            }
            if !self.thumb {
                self.trap(memory, bus, self.pc, Trap::InvalidState);
                continue;
            }
            self.deadline = match self.debug.steps() {
                true => 0,
                false => self.until.min(self.bus_event).min(self.systick.next_zero()),
            };
            return None;
        }
    }

    /// What has just happened that the caller has to know.
    fn new_exit(&mut self) -> Option<Exit> {
        if std::mem::take(&mut self.reset_requested) {
            Some(Exit::ResetRequested)
        } else if std::mem::take(&mut self.lockup_is_new) {
            Some(Exit::Lockup { pc: self.pc })
        } else if std::mem::take(&mut self.halt_is_new) {
            Some(Exit::Breakpoint { pc: self.pc })
        } else {
            None
        }
    }

    /// Jumps to the next event, the core doing nothing.
    fn pass_time(&mut self) {
        let next = self
            .bus_event
            .min(self.systick.next_zero())
            .max(self.cycle + 1)
            .min(self.until);
        if self.state == State::Halted {
            self.systick.postpone(next - self.cycle);
        }
        self.idle += next - self.cycle;
        self.cycle = next;
    }

    /// Whether a sleeping core wakes up now (Armv7-M ARM, B1.5.18 and B1.5.19).
    fn wakes(&mut self) -> bool {
        let masks = Masks {
            primask: false,
            ..self.masks()
        };
        let interrupted =
            self.nvic.any_pending() && self.nvic.takeable(masks, self.debug_masks()).is_some();
        let signalled = self.sleep == Sleep::ForEvent && std::mem::take(&mut self.event);
        let wakes = interrupted || signalled;
        if wakes {
            self.sleep = Sleep::No;
            self.sleep_is_new = false;
        }
        wakes
    }

    /// SLEEPONEXIT: back in Thread mode the core sleeps.
    pub(super) fn wait_after_exception(&mut self) {
        self.sleep = Sleep::ForInterrupt;
        self.sleep_is_new = true;
    }

    /// Takes over the lines and the next event of the bus, which any access may have changed.
    pub(super) fn follow_bus<B: Bus>(&mut self, bus: &B) {
        if self.nvic.set_lines(bus.interrupt_lines()) || bus.stop_requested() {
            self.deadline = 0;
        }
        self.bus_event = bus.next_event();
        self.deadline = self.deadline.min(self.bus_event);
    }

    fn debug_masks(&self) -> DebugMasks {
        match self.debug.masks_interrupts() {
            true => DebugMasks::Interrupts,
            false => DebugMasks::None,
        }
    }
}

/// The page of code that holds `pc`.
fn page_of(pc: u32) -> Result<PageIndex, Trap> {
    const FLASH_END: u32 = Memory::FLASH_BASE + Memory::FLASH_SIZE as u32;
    const RAM_END: u32 = Memory::RAM_BASE + Memory::RAM_SIZE as u32;
    const ALIAS_END: u32 = Memory::FLASH_SIZE as u32;
    match pc {
        Memory::FLASH_BASE..FLASH_END => Ok(PageIndex::flash(pc - Memory::FLASH_BASE)),
        Memory::RAM_BASE..RAM_END => Ok(PageIndex::ram(pc - Memory::RAM_BASE)),
        0..ALIAS_END => Ok(PageIndex::alias(pc)),
        // Peripherals, external devices and the system region are execute-never.
        _ if matches!(pc >> 29, 2 | 5 | 6 | 7) => Err(Trap::FetchNever),
        _ => Err(Trap::FetchBus),
    }
}
