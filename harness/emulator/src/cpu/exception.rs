//! Entry to and return from exceptions, faults and their escalation (Armv7-M ARM, B1.5).

use super::debug::{DFSR_BKPT, VectorCatch};
use super::nvic::exception;
use super::scb::{cfsr, hfsr};
use super::{Cpu, Sleep, State, Trap};
use crate::bus::Bus;
use crate::memory::Memory;

const SP: usize = 13;
const LR: usize = 14;
const THUMB: u32 = 1 << 24;
/// xPSR bit 9 of a stacked frame: SP was moved by four to align it.
const FRAME_ALIGNED: u32 = 1 << 9;
/// Words of a frame without floating-point state.
const FRAME_SIZE: u32 = 32;

/// The stack an exception return unstacks from, and the mode it returns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Return {
    Handler,
    ThreadMain,
    ThreadProcess,
}

impl Cpu {
    /// Handles what stopped the instruction at `pc`.
    #[cold]
    #[inline(never)]
    pub(super) fn trap<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, pc: u32, trap: Trap) {
        self.take_trap(memory, bus, pc, trap);
        if self.state != State::Halted {
            self.cycle += 1;
        }
    }

    fn take_trap<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, pc: u32, trap: Trap) {
        match trap {
            Trap::ExceptionReturn => return self.exception_return(memory, bus),
            Trap::SupervisorCall => {
                return self.synchronous(memory, bus, exception::SV_CALL);
            }
            Trap::SoftwareBreakpoint | Trap::Breakpoint if self.debug.is_enabled() => {
                self.back_to(pc);
                return self.halt(DFSR_BKPT);
            }
            _ => self.back_to(pc),
        }
        let (fault, status) = match trap {
            Trap::Undefined => (exception::USAGE_FAULT, cfsr::UNDEFINSTR),
            Trap::InvalidState => (exception::USAGE_FAULT, cfsr::INVSTATE),
            Trap::NoCoprocessor => (exception::USAGE_FAULT, cfsr::NOCP),
            Trap::Unaligned => (exception::USAGE_FAULT, cfsr::UNALIGNED),
            Trap::DivideByZero => (exception::USAGE_FAULT, cfsr::DIVBYZERO),
            Trap::FetchNever => (exception::MEM_MANAGE, cfsr::IACCVIOL),
            Trap::FetchBus => (exception::BUS_FAULT, cfsr::IBUSERR),
            Trap::DataBus => {
                self.scb.bfar = self.fault_address;
                (exception::BUS_FAULT, cfsr::PRECISERR | cfsr::BFARVALID)
            }
            Trap::SoftwareBreakpoint
            | Trap::Breakpoint
            | Trap::ExceptionReturn
            | Trap::SupervisorCall => {
                self.scb.hfsr |= hfsr::DEBUGEVT;
                self.debug.note(DFSR_BKPT);
                return match self.execution_priority() {
                    ..=-1 => self.lock_up(),
                    _ => self.push_and_enter(memory, bus, exception::HARD_FAULT),
                };
            }
        };
        self.scb.cfsr |= status;
        self.synchronous(memory, bus, fault);
    }

    /// The instruction at `pc` was not executed: PC and ITSTATE are what they were before it.
    fn back_to(&mut self, pc: u32) {
        self.pc = pc;
        if self.it_cycle == self.cycle {
            self.it = self.it_before;
        }
    }

    /// Takes a synchronous exception, or a HardFault where it cannot be taken, or locks up.
    fn synchronous<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, wanted: u32) {
        match self.escalated(wanted) {
            Some(exception) => self.push_and_enter(memory, bus, exception),
            None => self.lock_up(),
        }
    }

    /// What a synchronous exception becomes: itself, HardFault, or None for lockup (B1.5.14).
    fn escalated(&mut self, wanted: u32) -> Option<u32> {
        let execution_priority = self.execution_priority();
        let enabled = match wanted {
            exception::MEM_MANAGE..=exception::USAGE_FAULT => {
                self.scb.fault_enables >> (wanted - exception::MEM_MANAGE + 16) & 1 != 0
            }
            _ => true,
        };
        if enabled && self.nvic.preempts(wanted, execution_priority) {
            return Some(wanted);
        }
        if execution_priority <= -1 {
            return None;
        }
        self.scb.hfsr |= hfsr::FORCED;
        Some(exception::HARD_FAULT)
    }

    fn lock_up(&mut self) {
        self.state = State::LockedUp;
        self.lockup_is_new = true;
        self.deadline = 0;
    }

    /// Stacks a frame and enters the handler of `exception`.
    pub(super) fn push_and_enter<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        exception: u32,
    ) {
        if exception == exception::HARD_FAULT && self.debug.catches(VectorCatch::HardError) {
            self.halt_at_vector();
        }
        let exc_return = if self.in_handler_mode() {
            0xFFFF_FFF1
        } else if self.control & 2 == 0 {
            0xFFFF_FFF9
        } else {
            0xFFFF_FFFD
        };
        let stacked = self.push_frame(memory, bus);
        let mut exception = exception;
        if stacked.is_err() {
            self.scb.cfsr |= cfsr::STKERR;
            match self.derived(exception) {
                Some(derived) => exception = derived,
                None => return self.lock_up(),
            }
        }
        self.enter(memory, bus, exception, exc_return);
    }

    /// A BusFault on the way into `exception`: which of both is entered, the other stays pending.
    fn derived(&mut self, exception: u32) -> Option<u32> {
        let fault = self.escalated(exception::BUS_FAULT)?;
        if exception == exception::HARD_FAULT && fault == exception::HARD_FAULT {
            return None;
        }
        let first = [fault, exception]
            .into_iter()
            .min_by_key(|&candidate| (self.nvic.order(candidate), candidate))?;
        self.nvic
            .pend(if first == fault { exception } else { fault });
        Some(first)
    }

    fn push_frame<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B) -> Result<(), Trap> {
        let sp = self.r[SP];
        let align = self.scb.aligns_stack() && sp & 4 != 0;
        let frame = sp.wrapping_sub(FRAME_SIZE + if align { 4 } else { 0 });
        let xpsr = self.xpsr() | if align { FRAME_ALIGNED } else { 0 };
        self.r[SP] = frame;
        let words = [
            self.r[0], self.r[1], self.r[2], self.r[3], self.r[12], self.r[LR], self.pc, xpsr,
        ];
        for (address, word) in (frame..).step_by(4).zip(words) {
            self.store_word(memory, bus, address, word)?;
        }
        Ok(())
    }

    /// ExceptionTaken: the handler's first instruction is next.
    fn enter<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, exception: u32, exc_return: u32) {
        let mut exception = exception;
        let vector = loop {
            let address = self.scb.vtor.wrapping_add(4 * exception);
            match self.load_word(memory, bus, address) {
                Ok(vector) => break vector,
                Err(_) if exception == exception::HARD_FAULT => return self.lock_up(),
                Err(_) => {
                    self.scb.hfsr |= hfsr::VECTTBL;
                    self.nvic.pend(exception);
                    exception = exception::HARD_FAULT;
                }
            }
        };
        if self.control & 2 != 0 {
            std::mem::swap(&mut self.r[SP], &mut self.other_sp);
            self.control &= !2;
        }
        self.r[LR] = exc_return;
        self.nvic.activate(exception);
        self.exception = exception;
        self.it = 0;
        self.exclusive = false;
        self.event = true;
        self.sleep = Sleep::No;
        self.pc = vector & !1;
        self.thumb = vector & 1 != 0;
        self.deadline = 0;
    }

    /// ExceptionReturn with the value in `exc_return` (B1.5.8).
    fn exception_return<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B) {
        let value = self.exc_return;
        let returning = self.exception;
        let nested = self.nvic.active_count();
        let was_active = self.nvic.is_active(returning);
        let thread_allowed = nested == 1 || self.scb.allows_thread_from_any_level();
        let to = match value {
            0xFFFF_FFF1 if nested > 1 => Some(Return::Handler),
            0xFFFF_FFF9 if thread_allowed => Some(Return::ThreadMain),
            0xFFFF_FFFD if thread_allowed => Some(Return::ThreadProcess),
            _ => None,
        };
        self.deadline = 0;
        self.nvic.deactivate(returning);
        if returning != exception::NMI {
            self.faultmask = false;
        }
        let Some(to) = to.filter(|_| was_active) else {
            return self.return_fault(memory, bus, cfsr::INVPC, value);
        };
        if to == Return::ThreadProcess {
            std::mem::swap(&mut self.r[SP], &mut self.other_sp);
            self.control |= 2;
        }
        let sp = self.r[SP];
        let Ok(xpsr) = self.pop_frame(memory, bus) else {
            if to == Return::ThreadProcess {
                std::mem::swap(&mut self.r[SP], &mut self.other_sp);
                self.control &= !2;
            }
            return self.unstacking_fault(memory, bus, value);
        };
        if (to == Return::Handler) == (self.exception == 0) {
            // PushStack, to negate the pop.
            self.r[SP] = sp;
            if to == Return::ThreadProcess {
                std::mem::swap(&mut self.r[SP], &mut self.other_sp);
                self.control &= !2;
            }
            return self.return_fault(memory, bus, cfsr::INVPC, value);
        }
        self.set_execution_state(xpsr);
        self.exclusive = false;
        self.event = true;
        if to != Return::Handler && nested == 1 && self.scb.sleeps_on_exit() {
            self.wait_after_exception();
        }
    }

    /// PopStack: registers from the frame; the stacked xPSR is the result.
    fn pop_frame<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B) -> Result<u32, Trap> {
        let frame = self.r[SP];
        let mut words = [0; 8];
        for (address, word) in (frame..).step_by(4).zip(&mut words) {
            *word = self.load_word(memory, bus, address)?;
        }
        let [r0, r1, r2, r3, r12, lr, pc, xpsr] = words;
        self.r[..4].copy_from_slice(&[r0, r1, r2, r3]);
        self.r[12] = r12;
        self.r[LR] = lr;
        self.pc = pc & !1;
        let align = self.scb.aligns_stack() && xpsr & FRAME_ALIGNED != 0;
        self.r[SP] = frame.wrapping_add(FRAME_SIZE) | if align { 4 } else { 0 };
        self.exception = xpsr & 0x1FF;
        self.flags.set_nzcvq(xpsr);
        self.flags.set_ge(xpsr);
        Ok(xpsr)
    }

    /// T and ITSTATE of a stacked xPSR.
    fn set_execution_state(&mut self, xpsr: u32) {
        self.thumb = xpsr & THUMB != 0;
        self.it = (xpsr >> 8 & 0xFC | xpsr >> 25 & 3) as u8;
    }

    /// An exception return that fails takes its fault on the frame that is still stacked.
    fn return_fault<B: Bus>(
        &mut self,
        memory: &mut Memory,
        bus: &mut B,
        status: u32,
        exc_return: u32,
    ) {
        self.scb.cfsr |= status;
        match self.escalated(exception::USAGE_FAULT) {
            Some(exception) => self.enter(memory, bus, exception, exc_return | 0xF000_0000),
            None => self.lock_up(),
        }
    }

    fn unstacking_fault<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, exc_return: u32) {
        self.scb.cfsr |= cfsr::UNSTKERR;
        match self.escalated(exception::BUS_FAULT) {
            Some(exception) => self.enter(memory, bus, exception, exc_return),
            None => self.lock_up(),
        }
    }

    /// APSR, IPSR, T and ITSTATE, as an exception stacks them.
    pub(super) fn xpsr(&self) -> u32 {
        let it = u32::from(self.it);
        self.flags.apsr()
            | (it & 0xFC) << 8
            | (it & 3) << 25
            | if self.thumb { THUMB } else { 0 }
            | self.ipsr()
    }

    /// Sets all of xPSR, as a debugger does.
    pub(super) fn set_xpsr(&mut self, xpsr: u32) {
        self.flags.set_nzcvq(xpsr);
        self.flags.set_ge(xpsr);
        self.set_execution_state(xpsr);
        self.exception = xpsr & 0x1FF;
    }
}
