//! Running: from one stop to the next.

use az3166_event::{MachineEvent, VirtualTime};

use super::{DevKit, Power};
use crate::bus::Cycle;
use crate::chip::{CoreState, Halt};
use crate::cpu::{Exit, Register};
use crate::peripheral::rcc::ResetCause;

/// Why [`DevKit::run_until`] returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The instant that was asked for has come.
    Deadline,
    /// The processor has just gone to sleep: the moment to look after a debug channel. The next
    /// run jumps to whatever wakes it.
    Asleep,
    /// The processor sleeps, nothing is under way that could wake it, and no deadline was given.
    AsleepForEver,
    /// Software touched a register that the model does not have; the event says which one. The
    /// access did nothing, and the next run goes on after it.
    UnmodelledAccess(MachineEvent),
    /// The processor has locked up: only a reset helps.
    Lockup {
        /// The address of the instruction.
        pc: u32,
    },
    /// A fault of the secure element has cut the board's power.
    PowerCut,
    /// A breakpoint or a debugger's vector catch has halted the processor.
    Breakpoint {
        /// The address of the instruction at which it stands.
        pc: u32,
    },
}

impl DevKit {
    /// Runs until `deadline`, or until something happens that a host wants to see.
    ///
    /// Resets (SYSRESETREQ, watchdog) happen inside and are events.
    pub fn run_until(&mut self, deadline: VirtualTime) -> Stop {
        // A fault that was injected since the last run may have changed what is due when.
        self.follow_core();
        self.chip.refresh();
        loop {
            if self.power == Power::Off {
                self.off_at = self.off_at.max(deadline);
                return Stop::Deadline;
            }
            if self.now() >= deadline {
                return Stop::Deadline;
            }
            if deadline == VirtualTime::MAX && self.is_asleep_for_ever() {
                let pc = self.cpu.register(Register::Pc);
                self.chip
                    .record(self.now(), MachineEvent::AsleepForEver { pc });
                return Stop::AsleepForEver;
            }
            let until = self.chip.timebase().cycle_at(deadline);
            let exit = self.cpu.run(&mut self.memory, &mut self.chip, until);
            if matches!(exit, Exit::Breakpoint { .. }) {
                self.follow_core();
            }
            if let Some(stop) = self.leave(exit) {
                return stop;
            }
        }
    }

    /// Some peripherals stand still while the core is halted. A debugger halts it and lets it go
    /// between two runs; within one it halts only as the run ends.
    fn follow_core(&mut self) {
        let core = match self.cpu.is_halted() {
            true => CoreState::Halted,
            false => CoreState::Running,
        };
        self.chip.core_is(core, self.now());
    }

    /// What an exit of the processor means; none where the run goes on.
    fn leave(&mut self, exit: Exit) -> Option<Stop> {
        match exit {
            Exit::Until => None,
            Exit::Sleep => Some(Stop::Asleep),
            Exit::ResetRequested => {
                self.reset(ResetCause::Software, self.now());
                None
            }
            Exit::BusStop => {
                let halt = self.chip.take_halt()?;
                self.obey(halt)
            }
            Exit::Lockup { pc } => {
                if !self.lockup_reported {
                    self.lockup_reported = true;
                    self.chip.record(self.now(), MachineEvent::Lockup { pc });
                }
                Some(Stop::Lockup { pc })
            }
            Exit::Breakpoint { pc } => Some(Stop::Breakpoint { pc }),
        }
    }

    fn obey(&mut self, halt: Halt) -> Option<Stop> {
        match halt {
            Halt::ClockChanged => None,
            Halt::Watchdog => {
                self.reset(ResetCause::IndependentWatchdog, self.now());
                None
            }
            Halt::PowerCut => {
                self.set_power(Power::Off);
                Some(Stop::PowerCut)
            }
            Halt::Unmodelled(event) => Some(Stop::UnmodelledAccess(event)),
        }
    }

    /// Whether the processor sleeps.
    pub fn is_asleep(&self) -> bool {
        self.is_powered() && self.cpu.is_asleep()
    }

    /// When a sleeping processor's world next changes by itself; none for never.
    pub fn next_wake(&self) -> Option<VirtualTime> {
        let cycle = self.cpu.next_wake(&self.chip);
        (cycle != Cycle::MAX).then(|| self.chip.timebase().time_at(cycle))
    }

    /// Whether the processor sleeps, and without input from a host will sleep for ever.
    pub fn is_asleep_for_ever(&self) -> bool {
        self.is_asleep() && self.next_wake().is_none() && self.chip.console_is_idle()
    }
}
