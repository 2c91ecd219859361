//! From the scenario language's faults to the chip's.

use az3166_scenario::{BusDirection, Command, Repeat as Times, StsafeFault as Wanted};
use az3166_stsafe::{Direction, Effect, Fault, Opcode, Repeat, SecureElement, Status};

use crate::steps::StepError;

pub(super) fn inject(chip: &mut SecureElement, fault: &Wanted) -> Result<(), StepError> {
    let (effect, on, times) = match fault {
        Wanted::Clear => {
            chip.clear_faults();
            return Ok(());
        }
        Wanted::Absent => (Effect::Absent, None, Times::Always),
        Wanted::Busy { lasts, on, times } => (Effect::Busy(lasts.0), *on, *times),
        Wanted::BusyForever { on } => (Effect::BusyForever, *on, Times::Once),
        Wanted::Nack { count, direction } => {
            let direction = direction.map(|direction| match direction {
                BusDirection::Write => Direction::Write,
                BusDirection::Read => Direction::Read,
            });
            (
                Effect::Nack {
                    count: *count,
                    direction,
                },
                None,
                Times::Once,
            )
        }
        Wanted::WrongCrc { on, times } => (Effect::WrongCrc, *on, *times),
        Wanted::Length { value, on, times } => (Effect::Length(*value), *on, *times),
        Wanted::AllZeros { on, times } => (Effect::AllZeros, *on, *times),
        Wanted::AllOnes { on, times } => (Effect::AllOnes, *on, *times),
        Wanted::Truncated {
            after_bytes,
            on,
            times,
        } => (Effect::Truncated(*after_bytes), *on, *times),
        Wanted::BitFlip { bit, on, times } => (Effect::BitFlip(*bit), *on, *times),
        Wanted::Stale { on, times, .. } => (Effect::Stale, *on, *times),
        Wanted::Status { code, on, times } => {
            let status = Status::ALL.iter().find(|status| **status as u8 == *code);
            let status = *status.ok_or_else(|| {
                StepError::setup(
                    format!("{code} is no status code of the chip"),
                    "use 1 to 31",
                )
            })?;
            (Effect::Status(status), *on, *times)
        }
        Wanted::AtomicRefused => (Effect::AtomicRefused, None, Times::Always),
        Wanted::PowerCut { zone, after_bytes } => {
            let cut = Effect::PowerCut {
                zone: zone.number(),
                after_bytes: *after_bytes,
            };
            (cut, None, Times::Once)
        }
    };
    let repeat = match times {
        Times::Once => Repeat::Once,
        Times::Always => Repeat::Always,
    };
    let skip = match fault {
        Wanted::Stale { skip, .. } => *skip,
        _ => 0,
    };
    chip.inject(Fault {
        effect,
        on: on.map(opcode),
        repeat,
        skip,
    });
    Ok(())
}

fn opcode(command: Command) -> Opcode {
    match command {
        Command::Echo => Opcode::Echo,
        Command::Reset => Opcode::Reset,
        Command::GenerateRandom => Opcode::GenerateRandom,
        Command::Decrement => Opcode::Decrement,
        Command::Read => Opcode::Read,
        Command::Update => Opcode::Update,
        Command::Query => Opcode::Query,
    }
}
