//! The Cortex-M4 processor: a pre-decoding interpreter of the Armv7E-M instruction set with
//! its exception model, NVIC, SysTick, system control block and data watchpoint counter.
//!
//! One instruction is one cycle; exception entry and return take none. The processor has no FPU:
//! a floating-point instruction takes a NOCP UsageFault. It has no MPU either.

mod access;
mod code;
mod debug;
mod decode;
mod dwt;
mod exception;
mod execute;
mod flags;
#[doc(hidden)]
pub mod fuzzing;
mod nvic;
mod op;
mod private;
mod register;
mod run;
mod scb;
mod shift;
mod systick;

pub(crate) use code::CodeCache;
pub use register::Register;

use crate::bus::{Bus, Cycle};
use crate::memory::Memory;
use debug::{Debug, VectorCatch};
use dwt::Dwt;
use flags::Flags;
use nvic::{Masks, Nvic, exception as numbers};
use scb::Scb;
use systick::SysTick;

const SP: usize = 13;
const LR: usize = 14;

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

/// Why an instruction was not completed in the usual way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trap {
    /// UsageFault UNDEFINSTR.
    Undefined,
    /// UsageFault INVSTATE.
    InvalidState,
    /// UsageFault NOCP.
    NoCoprocessor,
    /// UsageFault UNALIGNED.
    Unaligned,
    /// UsageFault DIVBYZERO.
    DivideByZero,
    /// A fetch from an execute-never region: MemManage IACCVIOL.
    FetchNever,
    /// BusFault IBUSERR.
    FetchBus,
    /// BusFault PRECISERR; the address is in `fault_address`.
    DataBus,
    /// SVC.
    SupervisorCall,
    /// BKPT.
    SoftwareBreakpoint,
    /// A comparator of the breakpoint unit.
    Breakpoint,
    /// A branch to the value in `exc_return`.
    ExceptionReturn,
}

/// What the core does at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    /// Debug state.
    Halted,
    LockedUp,
    /// Held in reset by the pin.
    InReset,
}

/// What the core waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sleep {
    No,
    ForInterrupt,
    ForEvent,
}

/// The processor.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// R0 to R14; R13 is the stack pointer in use. The last place is not used.
    r: [u32; 16],
    /// The address of the next instruction.
    pc: u32,
    flags: Flags,
    /// ITSTATE.
    it: u8,
    thumb: bool,
    exclusive: bool,
    primask: bool,
    faultmask: bool,
    basepri: u8,
    /// CONTROL: nPRIV and SPSEL.
    control: u8,
    /// The stack pointer that is not in use.
    other_sp: u32,
    /// IPSR.
    exception: u32,
    /// The event register of WFE.
    event: bool,
    sleep: Sleep,
    state: State,

    cycle: Cycle,
    /// Cycles in which no instruction was executed.
    idle: Cycle,
    /// The cycle at which [`Cpu::attend`] has to look; 0 for at once.
    deadline: Cycle,
    until: Cycle,
    bus_event: Cycle,

    /// ITSTATE before the instruction of `it_cycle`.
    it_before: u8,
    it_cycle: Cycle,
    /// Offsets in RAM below this are accessed directly; 0 while every access needs a check.
    direct_limit: usize,
    /// The address of the last data BusFault.
    fault_address: u32,
    /// The value of the exception return at hand.
    exc_return: u32,
    /// Within LDRT and its like.
    forced_unprivileged: bool,
    sleep_is_new: bool,
    lockup_is_new: bool,
    halt_is_new: bool,
    reset_requested: bool,
    code_is_stale: bool,
    /// How many instructions were executed when a step began.
    step_from: u64,
    /// How many instructions were executed when DHCSR was read last.
    retired_at_read: u64,

    nvic: Nvic,
    systick: SysTick,
    scb: Scb,
    dwt: Dwt,
    debug: Debug,
}

impl Cpu {
    /// A processor before its first reset, at cycle 0.
    pub fn new() -> Self {
        Self {
            r: [0; 16],
            pc: 0,
            flags: Flags::CLEAR,
            it: 0,
            thumb: true,
            exclusive: false,
            primask: false,
            faultmask: false,
            basepri: 0,
            control: 0,
            other_sp: 0,
            exception: 0,
            event: false,
            sleep: Sleep::No,
            state: State::Running,
            cycle: 0,
            idle: 0,
            deadline: 0,
            until: 0,
            bus_event: Cycle::MAX,
            it_before: 0,
            it_cycle: 0,
            direct_limit: Memory::RAM_SIZE,
            fault_address: 0,
            exc_return: 0,
            forced_unprivileged: false,
            sleep_is_new: false,
            lockup_is_new: false,
            halt_is_new: false,
            reset_requested: false,
            code_is_stale: false,
            step_from: 0,
            retired_at_read: 0,
            nvic: Nvic::new(),
            systick: SysTick::new(),
            scb: Scb::new(),
            dwt: Dwt::new(),
            debug: Debug::new(),
        }
    }

    /// Resets the core: stack pointer and PC come from the vector table at 0 (flash's boot alias),
    /// and VTOR is 0. The cycle counter and what a debugger has set stay.
    pub fn reset(&mut self, memory: &mut Memory) {
        let mut debug = self.debug.clone();
        debug.note_reset();
        *self = Self {
            cycle: self.cycle,
            idle: self.idle,
            retired_at_read: self.retired_at_read,
            ..Self::new()
        };
        self.debug = debug;
        let word = |address: usize| {
            let bytes = &memory.flash()[address..address + 4];
            bytes
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u32::from(byte))
        };
        self.r[SP] = word(0) & !3;
        self.r[LR] = 0xFFFF_FFFF;
        let vector = word(4);
        self.pc = vector & !1;
        self.thumb = vector & 1 != 0;
        if self.debug.catches(VectorCatch::Reset) {
            self.halt_at_vector();
        }
    }

    /// Power came back: what a debugger has set is gone (Armv7-M ARM, C1.4.1).
    pub fn forget_debugger(&mut self) {
        self.debug = Debug::new();
        self.code_is_stale = true;
    }

    /// Stops the core until [`Cpu::reset`]: its reset input is low.
    pub fn hold_in_reset(&mut self) {
        self.state = State::InReset;
        self.sleep = Sleep::No;
        self.reset_requested = false;
        self.halt_is_new = false;
        self.lockup_is_new = false;
        self.debug.note_reset();
        self.deadline = 0;
    }

    /// The present cycle.
    pub fn cycle(&self) -> Cycle {
        self.cycle
    }

    /// How many instructions were executed: cycles less those slept through.
    pub fn instructions(&self) -> u64 {
        self.cycle - self.idle
    }

    /// Pends an external interrupt as a write to NVIC_ISPR does.
    pub fn pend_interrupt(&mut self, irq: u16) {
        self.nvic.pend(numbers::IRQ0 + u32::from(irq));
        self.deadline = 0;
    }

    /// Whether the core waits in WFI, WFE or SLEEPONEXIT.
    pub fn is_asleep(&self) -> bool {
        self.sleep != Sleep::No
    }

    /// Whether a debugger or a breakpoint has halted the core.
    pub fn is_halted(&self) -> bool {
        self.state == State::Halted
    }

    /// The earliest cycle at which SysTick interrupts or the bus does something; `Cycle::MAX` for never.
    pub fn next_wake<B: Bus>(&self, bus: &B) -> Cycle {
        bus.next_event().min(self.systick.next_interrupt())
    }

    /// A register's value, as a debugger sees it.
    pub fn register(&self, register: Register) -> u32 {
        match register {
            Register::Pc => self.pc,
            Register::Xpsr => self.xpsr(),
            Register::Msp => self.msp(),
            Register::Psp => self.psp(),
            Register::Control => u32::from(self.control),
            Register::Faultmask => u32::from(self.faultmask),
            Register::Basepri => u32::from(self.basepri),
            Register::Primask => u32::from(self.primask),
            general => general.general_index().map_or(0, |index| self.r[index]),
        }
    }

    /// Sets a register, as a debugger does.
    pub fn set_register(&mut self, register: Register, value: u32) {
        match register {
            Register::Sp => self.r[SP] = value & !3,
            Register::Pc => self.pc = value & !1,
            Register::Xpsr => self.set_xpsr(value),
            Register::Msp => self.set_msp(value & !3),
            Register::Psp => self.set_psp(value & !3),
            Register::Control => self.write_control(value as u8),
            Register::Faultmask => self.faultmask = value & 1 != 0,
            Register::Basepri => self.basepri = value as u8 & 0xF0,
            Register::Primask => self.primask = value & 1 != 0,
            general => {
                if let Some(index) = general.general_index() {
                    self.r[index] = value;
                }
            }
        }
        self.deadline = 0;
    }

    /// The vector table's address.
    pub fn vtor(&self) -> u32 {
        self.scb.vtor
    }

    /// Sets the vector table's address; its low seven bits are zero.
    pub fn set_vtor(&mut self, address: u32) {
        self.scb.vtor = address & 0xFFFF_FF80;
    }

    /// The cycle of what is going on now.
    fn now(&self) -> Cycle {
        self.cycle
    }

    fn in_handler_mode(&self) -> bool {
        self.exception != 0
    }

    fn is_privileged(&self) -> bool {
        self.in_handler_mode() || self.control & 1 == 0
    }

    fn ipsr(&self) -> u32 {
        self.exception
    }

    fn msp(&self) -> u32 {
        match self.control & 2 {
            0 => self.r[SP],
            _ => self.other_sp,
        }
    }

    fn psp(&self) -> u32 {
        match self.control & 2 {
            0 => self.other_sp,
            _ => self.r[SP],
        }
    }

    fn set_msp(&mut self, value: u32) {
        match self.control & 2 {
            0 => self.r[SP] = value,
            _ => self.other_sp = value,
        }
    }

    fn set_psp(&mut self, value: u32) {
        match self.control & 2 {
            0 => self.other_sp = value,
            _ => self.r[SP] = value,
        }
    }

    fn masks(&self) -> Masks {
        Masks {
            primask: self.primask,
            faultmask: self.faultmask,
            basepri: self.basepri,
        }
    }

    fn execution_priority(&self) -> i32 {
        self.nvic.execution_priority(self.masks())
    }

    /// Direct access is for settings under which no access to memory can fault.
    fn update_direct_limit(&mut self) {
        self.direct_limit = match self.scb.traps_unaligned() {
            true => 0,
            false => Memory::RAM_SIZE,
        };
    }
}

impl Default for Cpu {
    fn default() -> Self {
        Self::new()
    }
}
