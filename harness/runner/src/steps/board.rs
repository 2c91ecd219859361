//! Power, reset, buttons, plugs, time, and which image is in flash.

use core::time::Duration;

use az3166_event::{MachineEvent, Payload};
use az3166_scenario::{Boot, FirmwareVariant, Hold, Interval, Part, Power, PressedBy, Reset};
use az3166_target::{Button, PowerState};

use super::{Outcome, StepError};
use crate::run::Run;

/// How long a button stays down at start: firmware reads it first thing, a bootloader may come before.
const HELD: Duration = Duration::from_millis(500);

/// How long power stays away in a cycle.
const POWER_CYCLE: Duration = Duration::from_secs(1);

pub(super) fn reset(run: &mut Run<'_>, reset: &Reset) -> Result<Outcome, StepError> {
    let switch = reset.hold.filter(|hold| hold.by == PressedBy::Switch);
    if let Some(Hold { button, .. }) = switch {
        press(run, of(button))?;
    }
    if run.bench.power_state() == PowerState::Off {
        run.bench.set_power(PowerState::On)?;
    } else {
        run.bench.reset()?;
    }
    prepare_start(run)?;
    if let Some(Hold {
        button,
        by: PressedBy::Debugger,
    }) = reset.hold
    {
        press_by_debugger(run, of(button))?;
    }
    if let Some(Hold { button, .. }) = switch {
        let until = run.bench.now() + HELD;
        run.bench.advance(until)?;
        let_go(run, of(button))?;
    }
    Ok(Outcome::Passed)
}

pub(super) fn power(run: &mut Run<'_>, power: Power) -> Result<Outcome, StepError> {
    if power != Power::On {
        run.bench.set_power(PowerState::Off)?;
    }
    if power == Power::Cycle {
        let until = run.bench.now() + POWER_CYCLE;
        run.bench.advance(until)?;
    }
    if power != Power::Off && run.bench.power_state() == PowerState::Off {
        run.bench.set_power(PowerState::On)?;
        prepare_start(run)?;
    }
    Ok(Outcome::Passed)
}

/// What the harness does while the processor stands at its reset vector.
fn prepare_start(run: &mut Run<'_>) -> Result<(), StepError> {
    run.mark_start();
    if run.scenario.boot == Boot::BootloaderLeftovers {
        let vector_table = run.bench.image().base();
        run.bench.target().enter_from_bootloader(vector_table)?;
    }
    run.write_trust_anchor()
}

pub(super) fn hold(
    run: &mut Run<'_>,
    button: az3166_scenario::Button,
) -> Result<Outcome, StepError> {
    press(run, of(button))?;
    Ok(Outcome::Passed)
}

pub(super) fn release(
    run: &mut Run<'_>,
    button: az3166_scenario::Button,
) -> Result<Outcome, StepError> {
    let_go(run, of(button))?;
    Ok(Outcome::Passed)
}

pub(super) fn plug(
    run: &mut Run<'_>,
    part: Part,
    presence: PowerState,
) -> Result<Outcome, StepError> {
    match part {
        Part::Display => run.bench.target().set_display(presence)?,
    }
    Ok(Outcome::Passed)
}

pub(super) fn advance(run: &mut Run<'_>, interval: Interval) -> Result<Outcome, StepError> {
    super::wait_out(run, interval)?;
    Ok(Outcome::Passed)
}

pub(super) fn flash(run: &mut Run<'_>, variant: FirmwareVariant) -> Result<Outcome, StepError> {
    run.load(variant)?;
    Ok(Outcome::Passed)
}

fn of(button: az3166_scenario::Button) -> Button {
    match button {
        az3166_scenario::Button::A => Button::A,
        az3166_scenario::Button::B => Button::B,
    }
}

fn press(run: &mut Run<'_>, button: Button) -> Result<(), StepError> {
    run.bench.target().press(button)?;
    record(run, button, PowerState::On);
    Ok(())
}

fn let_go(run: &mut Run<'_>, button: Button) -> Result<(), StepError> {
    run.bench.target().release(button)?;
    record(run, button, PowerState::Off);
    Ok(())
}

fn record(run: &mut Run<'_>, button: Button, down: PowerState) {
    run.bench.record(Payload::Machine(MachineEvent::Button {
        button: button.name().into(),
        pressed: down == PowerState::On,
    }));
}

/// Drives the button's pin low and locks it there until the next reset (RM0402 section 7.3.8).
///
/// Low is what the switch does, so both may happen at once; the pin is never driven high.
fn press_by_debugger(run: &mut Run<'_>, button: Button) -> Result<(), StepError> {
    const RCC_AHB1ENR: u32 = 0x4002_3830;
    const GPIOA_MODER: u32 = 0x4002_0000;
    const GPIOA_BSRR: u32 = 0x4002_0018;
    const GPIOA_LCKR: u32 = 0x4002_001C;
    const LCKK: u32 = 1 << 16;

    let target = run.bench.target();
    let pin = button.pin();
    let mut word = [0; 4];
    target.read_memory(RCC_AHB1ENR, &mut word)?;
    target.write_memory(RCC_AHB1ENR, &(u32::from_le_bytes(word) | 1).to_le_bytes())?;
    target.write_memory(GPIOA_BSRR, &(1u32 << (pin + 16)).to_le_bytes())?;
    target.read_memory(GPIOA_MODER, &mut word)?;
    let moder = u32::from_le_bytes(word) & !(0b11 << (2 * pin)) | 0b01 << (2 * pin);
    target.write_memory(GPIOA_MODER, &moder.to_le_bytes())?;
    for value in [LCKK | 1 << pin, 1 << pin, LCKK | 1 << pin] {
        target.write_memory(GPIOA_LCKR, &value.to_le_bytes())?;
    }
    target.read_memory(GPIOA_LCKR, &mut word)?;
    target.read_memory(GPIOA_LCKR, &mut word)?;
    if u32::from_le_bytes(word) & LCKK == 0 {
        return Err(StepError::setup(
            format!("the pin of button {} could not be locked", button.name()),
            "check that nothing resets GPIOA between reset and the step",
        ));
    }
    record(run, button, PowerState::On);
    Ok(())
}
