//! Exceptions pending, enabled and active, their priorities, and which one is next
//! (Armv7-M ARM, B1.5.4 and B3.4).

use crate::bus::InterruptLines;

/// Exception numbers (Armv7-M ARM, table B1-4).
pub(super) mod exception {
    pub(crate) const RESET: u32 = 1;
    pub(crate) const NMI: u32 = 2;
    pub(crate) const HARD_FAULT: u32 = 3;
    pub(crate) const MEM_MANAGE: u32 = 4;
    pub(crate) const BUS_FAULT: u32 = 5;
    pub(crate) const USAGE_FAULT: u32 = 6;
    pub(crate) const SV_CALL: u32 = 11;
    pub(crate) const DEBUG_MONITOR: u32 = 12;
    pub(crate) const PEND_SV: u32 = 14;
    pub(crate) const SYS_TICK: u32 = 15;
    /// Exception number of IRQ 0.
    pub(crate) const IRQ0: u32 = 16;
}

/// External interrupts of the STM32F412 (RM0402, table 40): IRQ 0..=96.
pub(super) const IRQS: u32 = 97;
/// Exceptions with a number below this exist.
const EXCEPTIONS: u32 = exception::IRQ0 + IRQS;
/// The external interrupts in a set of exceptions.
const EXTERNAL: u128 = ((1 << IRQS) - 1) << exception::IRQ0;
/// Priority bits of the STM32F412: the upper four.
const PRIORITY_BITS: u8 = 0xF0;
/// The execution priority of Thread mode with nothing masked.
const BASE_PRIORITY: i32 = 256;

/// A set of exceptions: bit n is exception n.
type Exceptions = u128;

/// The controller of all exceptions.
#[derive(Clone, Debug)]
pub(super) struct Nvic {
    pending: Exceptions,
    /// External interrupts alone can be disabled here.
    enabled: Exceptions,
    active: Exceptions,
    /// Something became pending that was not.
    newly_pending: bool,
    /// Levels of the external interrupts' lines.
    lines: Exceptions,
    priority: [u8; EXCEPTIONS as usize],
    /// AIRCR.PRIGROUP.
    pub(super) priority_group: u32,
}

/// The registers that mask exceptions (Armv7-M ARM, B1.4.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Masks {
    pub(super) primask: bool,
    pub(super) faultmask: bool,
    pub(super) basepri: u8,
}

impl Nvic {
    pub(super) fn new() -> Self {
        Self {
            pending: 0,
            enabled: !EXTERNAL,
            active: 0,
            lines: 0,
            newly_pending: false,
            priority: [0; EXCEPTIONS as usize],
            priority_group: 0,
        }
    }

    pub(super) fn is_pending(&self, exception: u32) -> bool {
        self.pending >> exception & 1 != 0
    }

    pub(super) fn is_active(&self, exception: u32) -> bool {
        self.active >> exception & 1 != 0
    }

    pub(super) fn set_active(&mut self, exception: u32, active: bool) {
        self.active = self.active & !(1 << exception) | u128::from(active) << exception;
    }

    pub(super) fn active_count(&self) -> u32 {
        self.active.count_ones()
    }

    pub(super) fn any_pending(&self) -> bool {
        self.pending & self.enabled != 0
    }

    /// Pends an exception that exists; others are ignored.
    pub(super) fn pend(&mut self, exception: u32) {
        if exception < EXCEPTIONS {
            self.pend_all(1 << exception);
        }
    }

    fn pend_all(&mut self, exceptions: Exceptions) {
        self.newly_pending |= exceptions & !self.pending != 0;
        self.pending |= exceptions;
    }

    /// Whether something became pending since the last call.
    pub(super) fn take_newly_pending(&mut self) -> bool {
        std::mem::take(&mut self.newly_pending)
    }

    /// The full priority, for the order of two exceptions.
    pub(super) fn order(&self, exception: u32) -> i32 {
        self.priority(exception)
    }

    /// Clears a pending state; a line that is still high keeps it.
    pub(super) fn unpend(&mut self, exception: u32) {
        self.pending &= !(1 << exception);
    }

    /// Takes over the levels of the lines: a rising one pends. True when something became pending.
    pub(super) fn set_lines(&mut self, lines: InterruptLines) -> bool {
        let lines = lines << exception::IRQ0 & EXTERNAL;
        let rising = lines & !self.lines;
        self.lines = lines;
        self.pend_all(rising);
        rising != 0
    }

    /// Pending becomes active.
    pub(super) fn activate(&mut self, exception: u32) {
        self.pending &= !(1 << exception);
        self.active |= 1 << exception;
    }

    /// The handler returned: a line that is still high pends it again.
    pub(super) fn deactivate(&mut self, exception: u32) {
        self.active &= !(1 << exception);
        self.pending |= self.lines & 1 << exception;
    }

    fn priority(&self, exception: u32) -> i32 {
        match exception {
            exception::RESET => -3,
            exception::NMI => -2,
            exception::HARD_FAULT => -1,
            _ => i32::from(self.priority.get(exception as usize).copied().unwrap_or(0)),
        }
    }

    /// The part of a priority that decides about preemption.
    fn group(&self, priority: i32) -> i32 {
        match priority {
            ..0 => priority,
            _ => priority & !((2 << self.priority_group) - 1),
        }
    }

    /// The priority of what is executing now.
    pub(super) fn execution_priority(&self, masks: Masks) -> i32 {
        let mut lowest = BASE_PRIORITY;
        let mut active = self.active;
        while active != 0 {
            lowest = lowest.min(self.group(self.priority(active.trailing_zeros())));
            active &= active - 1;
        }
        if masks.basepri != 0 {
            lowest = lowest.min(self.group(i32::from(masks.basepri)));
        }
        if masks.primask {
            lowest = lowest.min(0);
        }
        if masks.faultmask {
            lowest = lowest.min(-1);
        }
        lowest
    }

    /// Whether an exception may preempt what executes at `execution_priority`.
    pub(super) fn preempts(&self, exception: u32, execution_priority: i32) -> bool {
        self.group(self.priority(exception)) < execution_priority
    }

    /// The pending, enabled exception with the highest priority, less those in `masked`.
    fn highest_pending(&self, masked: Exceptions) -> Option<u32> {
        let mut candidates = self.pending & self.enabled & !masked;
        let mut best: Option<(i32, u32)> = None;
        while candidates != 0 {
            let exception = candidates.trailing_zeros();
            let candidate = (self.priority(exception), exception);
            if best.is_none_or(|best| candidate < best) {
                best = Some(candidate);
            }
            candidates &= candidates - 1;
        }
        best.map(|(_, exception)| exception)
    }

    /// The exception to take now, if any.
    pub(super) fn takeable(&self, masks: Masks, debug_masks: DebugMasks) -> Option<u32> {
        let masked = match debug_masks {
            DebugMasks::None => 0,
            DebugMasks::Interrupts => EXTERNAL | 1 << exception::PEND_SV | 1 << exception::SYS_TICK,
        };
        let exception = self.highest_pending(masked)?;
        self.preempts(exception, self.execution_priority(masks))
            .then_some(exception)
    }

    /// ICSR.VECTPENDING: what is pending and enabled, masks left out.
    pub(super) fn vect_pending(&self) -> u32 {
        self.highest_pending(0).unwrap_or(0)
    }

    /// ICSR.ISRPENDING.
    pub(super) fn isr_pending(&self) -> bool {
        self.pending & self.enabled & EXTERNAL != 0
    }

    /// Reads a register of the NVIC, by its offset from 0xE000E100, as a word.
    pub(super) fn read(&self, offset: u32) -> u32 {
        let word = offset >> 2 & 7;
        let part = |set: Exceptions| ((set & EXTERNAL) >> exception::IRQ0 >> (32 * word)) as u32;
        match offset {
            _ if word > 3 && offset < 0x300 => 0,
            0x000..0x100 => part(self.enabled),
            0x100..0x200 => part(self.pending),
            0x200..0x300 => part(self.active),
            0x300..0x400 => self.read_priorities(exception::IRQ0 + (offset - 0x300)),
            _ => 0,
        }
    }

    /// Writes a register of the NVIC, by its offset from 0xE000E100, as a word.
    pub(super) fn write(&mut self, offset: u32, value: u32) {
        let word = offset >> 2 & 7;
        if word > 3 && offset < 0x200 {
            return;
        }
        let set = (Exceptions::from(value) << (32 * (word & 3)) << exception::IRQ0) & EXTERNAL;
        match offset {
            0x000..0x080 => self.enabled |= set,
            0x080..0x100 => self.enabled &= !set,
            0x100..0x180 => self.pend_all(set),
            0x180..0x200 => self.pending = self.pending & !set | set & self.lines & !self.active,
            _ => {}
        }
    }

    /// Four priorities from an exception on, as a word.
    pub(super) fn read_priorities(&self, first: u32) -> u32 {
        (0..4).fold(0, |word, index| {
            let exception = (first + index) as usize;
            word | u32::from(self.priority.get(exception).copied().unwrap_or(0)) << (8 * index)
        })
    }

    /// Sets the priority of one exception.
    pub(super) fn write_priority(&mut self, exception: u32, value: u8) {
        if let Some(priority) = self.priority.get_mut(exception as usize) {
            *priority = value & PRIORITY_BITS;
        }
    }
}

/// What DHCSR.C_MASKINTS holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DebugMasks {
    None,
    Interrupts,
}
