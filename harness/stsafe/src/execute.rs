//! What each command answers and does.

use core::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use zeroize::Zeroizing;

use crate::command::{Atomicity, Command, Place, Wake};
use crate::frame::RESPONSE_OVERHEAD;
use crate::nvm_write::NvmWrite;
use crate::query;
use crate::{
    AccessCondition, AtomicUpdate, Condition, Configuration, Content, LifeCycle, NvmImage, Status,
    Zone,
};

/// NVM page: the unit of an Update's time.
const PAGE: usize = 64;

/// A command that the chip accepted.
pub(crate) struct Outcome {
    /// The response's payload.
    pub payload: Zeroizing<Vec<u8>>,
    /// How long the chip is busy.
    pub busy: Duration,
    /// What it does meanwhile or after.
    pub effect: Action,
}

/// What a command does besides answering.
pub(crate) enum Action {
    /// Nothing.
    Answer,
    /// It writes to NVM while busy.
    Write(NvmWrite),
    /// It falls asleep and answers nothing.
    Hibernate(Wake),
}

/// Decides about a command; changes nothing but the random stream.
pub(crate) fn execute(
    command: Command<'_>,
    nvm: &NvmImage,
    configuration: &Configuration,
    random: &mut ChaCha20Rng,
) -> Result<Outcome, Status> {
    let busy = &configuration.busy;
    let answer = |payload: Vec<u8>, busy| Outcome {
        payload: Zeroizing::new(payload),
        busy,
        effect: Action::Answer,
    };
    let outcome = match command {
        Command::Echo(data) => answer(data.to_vec(), busy.echo),
        Command::Query(tag) => answer(query::attribute(tag, nvm, configuration)?, busy.query),
        // A restart has nothing to forget: plain mode knows no session.
        Command::Reset => answer(Vec::new(), busy.reset),
        Command::Hibernate(wake) => Outcome {
            effect: Action::Hibernate(wake),
            ..answer(Vec::new(), busy.hibernate)
        },
        Command::GenerateRandom { length } => {
            in_use(nvm)?;
            let mut bytes = vec![0; usize::from(length)];
            random.fill_bytes(&mut bytes);
            answer(bytes, busy.random)
        }
        Command::Read { place, length } => {
            in_use(nvm)?;
            read(place, length, nvm, configuration)?
        }
        Command::Update {
            place,
            atomicity,
            data,
        } => {
            in_use(nvm)?;
            update(place, atomicity, data, nvm, configuration)?
        }
        Command::Decrement {
            place,
            amount,
            data,
        } => {
            in_use(nvm)?;
            decrement(place, amount, data, nvm, configuration)?
        }
    };
    let room = usize::from(configuration.product.io_buffer).saturating_sub(RESPONSE_OVERHEAD);
    if outcome.payload.len() > room {
        return Err(configuration.unverified.over_long_answer);
    }
    Ok(outcome)
}

fn read(
    place: Place,
    length: u16,
    nvm: &NvmImage,
    configuration: &Configuration,
) -> Result<Outcome, Status> {
    let zone = zone(place, nvm, configuration)?;
    permitted(zone.read, place)?;
    let rest = zone
        .bytes()
        .get(usize::from(place.offset)..)
        .filter(|rest| !rest.is_empty())
        .ok_or(Status::ZoneBoundaryExceeded)?;
    let data = &rest[..rest.len().min(usize::from(length))];
    let mut payload = Zeroizing::new(Vec::with_capacity(data.len() + 4));
    if let Content::Counter(value) = zone.content {
        payload.extend(value.to_be_bytes());
    }
    payload.extend_from_slice(data);
    let effect = match place.new_access {
        Some(read) => Action::Write(NvmWrite::access(place.zone, Some(read), None)),
        None => Action::Answer,
    };
    Ok(Outcome {
        payload,
        busy: configuration.busy.read,
        effect,
    })
}

fn update(
    place: Place,
    atomicity: Atomicity,
    data: &[u8],
    nvm: &NvmImage,
    configuration: &Configuration,
) -> Result<Outcome, Status> {
    let zone = zone(place, nvm, configuration)?;
    if zone.content != Content::Data {
        return Err(Status::IncorrectZoneType);
    }
    permitted(zone.update, place)?;
    inside(zone, place, data)?;
    if atomicity == Atomicity::AllOrNothing {
        if configuration.atomic_update == AtomicUpdate::Refused {
            return Err(configuration.unverified.atomic_refused);
        }
        if data.len() > usize::from(configuration.product.atomicity_buffer) {
            return Err(configuration.unverified.atomic_over_buffer);
        }
    }
    let write = NvmWrite {
        offset: usize::from(place.offset),
        data: Zeroizing::new(data.to_vec()),
        atomicity,
        ..NvmWrite::access(place.zone, None, place.new_access)
    };
    Ok(Outcome {
        payload: Zeroizing::default(),
        busy: configuration.busy.update_page * pages(place.offset, data),
        effect: Action::Write(write),
    })
}

fn decrement(
    place: Place,
    amount: u32,
    data: &[u8],
    nvm: &NvmImage,
    configuration: &Configuration,
) -> Result<Outcome, Status> {
    let zone = zone(place, nvm, configuration)?;
    let Content::Counter(value) = zone.content else {
        return Err(Status::IncorrectZoneType);
    };
    permitted(zone.update, place)?;
    inside(zone, place, data)?;
    let value = value.checked_sub(amount).ok_or(Status::CounterLimit)?;
    let write = NvmWrite {
        offset: usize::from(place.offset),
        data: Zeroizing::new(data.to_vec()),
        counter: Some(value),
        // A one-way counter that could be torn would be none.
        atomicity: Atomicity::AllOrNothing,
        ..NvmWrite::access(place.zone, None, place.new_access)
    };
    Ok(Outcome {
        payload: Zeroizing::new(value.to_be_bytes().to_vec()),
        busy: configuration.busy.decrement,
        effect: Action::Write(write),
    })
}

fn in_use(nvm: &NvmImage) -> Result<(), Status> {
    match nvm.life_cycle {
        LifeCycle::Born | LifeCycle::Operational => Ok(()),
        LifeCycle::Terminated | LifeCycle::BornLocked | LifeCycle::OperationalLocked => {
            Err(Status::LifeCycle)
        }
    }
}

fn zone<'a>(
    place: Place,
    nvm: &'a NvmImage,
    configuration: &Configuration,
) -> Result<&'a Zone, Status> {
    nvm.zone(place.zone)
        .ok_or(configuration.unverified.unknown_zone)
}

/// A plain frame satisfies only the open condition.
fn permitted(access: AccessCondition, place: Place) -> Result<(), Status> {
    let changes_well = place.new_access.is_none_or(|new| access.may_become(new));
    if access.condition == Condition::Always && changes_well {
        Ok(())
    } else {
        Err(Status::UnsatisfiedAccessCondition)
    }
}

fn inside(zone: &Zone, place: Place, data: &[u8]) -> Result<(), Status> {
    if usize::from(place.offset) + data.len() <= zone.bytes().len() {
        Ok(())
    } else {
        Err(Status::ZoneBoundaryExceeded)
    }
}

/// How many NVM pages a write touches; at least one.
fn pages(offset: u16, data: &[u8]) -> u32 {
    let first = usize::from(offset) / PAGE;
    let last = (usize::from(offset) + data.len()).saturating_sub(1) / PAGE;
    // An offset is 16 bits wide: at most 1025 pages.
    last.saturating_sub(first) as u32 + 1
}
