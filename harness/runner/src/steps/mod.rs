//! What each verb does on the bench.

mod board;
mod cloud;
mod console;
mod display;
mod events;
mod faults;
mod identity;
mod memory;
mod service;
mod settings;
mod wear;

pub(crate) use console::tail;
pub(crate) use faults::certificate_fault;
pub(crate) use identity::presented;
pub(crate) use settings::restore as restore_settings;
pub(crate) use wear::look_at_identity;

use az3166_event::VirtualTime;
use az3166_scenario::{Interval, Verb};
use az3166_target::Capability;

use crate::bench::{BenchError, Halt, Waited};
use crate::run::Run;

/// What came out of a step.
#[derive(Debug)]
pub enum Outcome {
    /// It held, or it was done.
    Passed,
    /// What it expects did not come.
    Failed {
        /// What was expected, in one line.
        expected: String,
        /// The nearest thing that was seen.
        seen: String,
    },
    /// It does not apply.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    fn failed(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Failed {
            expected: expected.into(),
            seen: seen.into(),
        }
    }
}

/// Why a step could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// {0}
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// {what}; {todo}
    #[error("{what}; {todo}")]
    Setup {
        /// What is missing or wrong.
        what: String,
        /// What to do about it.
        todo: String,
    },
}

impl StepError {
    /// What is missing or wrong, and what to do about it.
    pub fn setup(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::Setup {
            what: what.into(),
            todo: todo.into(),
        }
    }
}

impl From<az3166_target::TargetError> for StepError {
    fn from(error: az3166_target::TargetError) -> Self {
        Self::Bench(error.into())
    }
}

/// Does one step.
pub fn execute(run: &mut Run<'_>, verb: &Verb) -> Result<Outcome, StepError> {
    if !run.bench.has_link() && verb.needs().contains(&Capability::Network) {
        return Ok(Outcome::Skipped {
            reason: "firmware has no link channel".into(),
        });
    }
    match verb {
        Verb::Reset(reset) => board::reset(run, reset),
        Verb::Power(power) => board::power(run, *power),
        Verb::Hold(button) => board::hold(run, *button),
        Verb::Release(button) => board::release(run, *button),
        Verb::Unplug(part) => board::plug(run, *part, az3166_target::PowerState::Off),
        Verb::Plug(part) => board::plug(run, *part, az3166_target::PowerState::On),
        Verb::Advance(interval) => board::advance(run, *interval),
        Verb::TrustAnchor(anchor) => {
            run.trust_anchor = *anchor;
            Ok(Outcome::Passed)
        }
        Verb::Flash(variant) => board::flash(run, *variant),
        Verb::Flip(flip) => memory::flip(run, flip),
        Verb::Plant(plant) => memory::plant(run, plant),
        Verb::SnapshotNvm(label) => memory::snapshot(run, label),
        Verb::RestoreNvm(label) => memory::restore(run, label),
        Verb::ExpectNvm(expected) => memory::expect_nvm(run, expected),
        Verb::Console(console) => console::console(run, console),
        Verb::Display(display) => display::display(run, display),
        Verb::Enrol(enrolment) => cloud::enrol(run, enrolment),
        Verb::Unenrol(id) => cloud::unenrol(run, id),
        Verb::CloudFault(fault) => faults::cloud(run, fault),
        Verb::NetworkFault(fault) => faults::network(run, fault),
        Verb::StsafeFault(fault) => faults::secure_element(run, fault),
        Verb::SaveIdentity(label) => identity::save(run, label),
        Verb::ExpectCertificate(expected) => identity::expect_certificate(run, expected),
        Verb::ExpectIdentity(expected) => identity::expect_identity(run, expected),
        Verb::ExpectRegistration(expected) => service::expect_registration(run, expected),
        Verb::ExpectHub(expected) => service::expect_hub(run, expected),
        Verb::ExpectTrace(expected) => events::expect_trace(run, expected),
        Verb::ExpectEvent(expected) => events::expect_event(run, expected),
        Verb::ExpectFinding(expected) => events::expect_finding(run, expected),
        Verb::ExpectNoFinding(expected) => Ok(events::expect_no_finding(run, expected)),
    }
}

/// Waits up to `within` for `check` to find something.
fn wait<T>(
    run: &mut Run<'_>,
    within: Interval,
    check: impl FnMut(&mut crate::bench::Bench) -> Option<T>,
) -> Result<Waited<T>, StepError> {
    let deadline = run.deadline(within);
    Ok(run.bench.wait(deadline, check)?)
}

/// Waits out the whole of `within`, even if the device can do nothing more.
fn wait_out(run: &mut Run<'_>, within: Interval) -> Result<(), StepError> {
    let deadline = run.deadline(within);
    Ok(run.bench.advance(deadline)?)
}

/// Why a wait found nothing, for the line that says what was seen.
pub(crate) fn why<T>(waited: &Waited<T>, within: Interval, now: VirtualTime) -> String {
    match waited {
        Waited::Found(_) => "it came".into(),
        Waited::TimedOut => format!("nothing of the kind within {within} (until {now})"),
        Waited::Halted(halt) => match halt {
            Halt::AsleepForEver => {
                format!("the device sleeps for ever: nothing will wake it (at {now})")
            }
            Halt::Lockup(pc) => format!("the processor locked up at {pc:#010x} (at {now})"),
            Halt::Breakpoint(pc) => {
                format!("the processor stopped at a breakpoint at {pc:#010x} (at {now})")
            }
            Halt::UnmodelledAccess => {
                format!("the firmware touched a register that is not modelled (at {now})")
            }
            Halt::NoPower => format!("the board has no power (at {now})"),
        },
    }
}
