//! Command payloads, taken apart.

use crate::{AccessCondition, Opcode, Status};

/// A command of the plain data store, with its parameters.
#[derive(Clone, Copy)]
pub(crate) enum Command<'a> {
    /// `data`.
    Echo(&'a [u8]),
    /// No parameters.
    Reset,
    /// `00 length`, or `01` for the 16 bytes of an authentication challenge.
    GenerateRandom { length: u8 },
    /// `option zone offset(2) amount(4) [data]`.
    Decrement {
        place: Place,
        amount: u32,
        data: &'a [u8],
    },
    /// `option zone offset(2) length(2)`.
    Read { place: Place, length: u16 },
    /// `option zone offset(2) data`.
    Update {
        place: Place,
        atomicity: Atomicity,
        data: &'a [u8],
    },
    /// `mode`.
    Hibernate(Wake),
    /// `tag`.
    Query(u8),
}

/// Where a command acts, and what it makes of the access condition that it used.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub zone: u8,
    pub offset: u16,
    pub new_access: Option<AccessCondition>,
}

/// Whether a write is all or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Atomicity {
    Bytewise,
    AllOrNothing,
}

/// What ends hibernation besides a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Mode 01: a START on the bus.
    Start,
    /// Mode 02: nothing.
    PowerCycle,
}

/// Option bit: the write is atomic.
const ATOMIC: u8 = 0x80;
/// Option bit: bits 3..0 are the new access condition.
const CHANGE_ACCESS: u8 = 0x10;
/// Option bits that no public source names.
const RESERVED: u8 = 0x60;

/// Takes the payload of `opcode` apart.
///
/// A payload too short or too long is inconsistent, a parameter without meaning out of
/// range, a command outside the plain data store unsupported.
pub(crate) fn parse(opcode: Opcode, payload: &[u8]) -> Result<Command<'_>, Status> {
    match opcode {
        Opcode::Echo => Ok(Command::Echo(payload)),
        Opcode::Reset => match payload {
            [] => Ok(Command::Reset),
            _ => Err(Status::InconsistentCommandData),
        },
        Opcode::GenerateRandom => match payload {
            [0x00, length] => Ok(Command::GenerateRandom { length: *length }),
            [0x01] => Ok(Command::GenerateRandom { length: 16 }),
            [0x00 | 0x01, ..] | [] => Err(Status::InconsistentCommandData),
            _ => Err(Status::ValueOutOfRange),
        },
        Opcode::Decrement => {
            let (option, place, rest) = place(payload)?;
            let (amount, data) = rest
                .split_first_chunk()
                .ok_or(Status::InconsistentCommandData)?;
            refuse(option, RESERVED | ATOMIC)?;
            Ok(Command::Decrement {
                place,
                amount: u32::from_be_bytes(*amount),
                data,
            })
        }
        Opcode::Read => {
            let (option, place, rest) = place(payload)?;
            let length = rest
                .try_into()
                .map_err(|_| Status::InconsistentCommandData)?;
            refuse(option, RESERVED | ATOMIC)?;
            Ok(Command::Read {
                place,
                length: u16::from_be_bytes(length),
            })
        }
        Opcode::Update => {
            let (option, place, data) = place(payload)?;
            refuse(option, RESERVED)?;
            let atomicity = match option & ATOMIC {
                0 => Atomicity::Bytewise,
                _ => Atomicity::AllOrNothing,
            };
            Ok(Command::Update {
                place,
                atomicity,
                data,
            })
        }
        Opcode::Hibernate => match payload {
            [0x01] => Ok(Command::Hibernate(Wake::Start)),
            [0x02] => Ok(Command::Hibernate(Wake::PowerCycle)),
            [_] => Err(Status::ValueOutOfRange),
            _ => Err(Status::InconsistentCommandData),
        },
        Opcode::Query => match payload {
            [tag] => Ok(Command::Query(*tag)),
            _ => Err(Status::InconsistentCommandData),
        },
        Opcode::StartSession
        | Opcode::DeleteKey
        | Opcode::WrapLocalEnvelope
        | Opcode::UnwrapLocalEnvelope
        | Opcode::PutAttribute
        | Opcode::GenerateKey
        | Opcode::GetSignature
        | Opcode::GenerateSignature
        | Opcode::VerifySignature
        | Opcode::EstablishKey
        | Opcode::VerifyPassword => Err(Status::UnsupportedCommand),
    }
}

fn place(payload: &[u8]) -> Result<(u8, Place, &[u8]), Status> {
    let ([option, zone, high, low], rest) = payload
        .split_first_chunk()
        .ok_or(Status::InconsistentCommandData)?;
    let new_access =
        (option & CHANGE_ACCESS != 0).then_some(AccessCondition::from_nibble(option & 0x0F));
    let place = Place {
        zone: *zone,
        offset: u16::from_be_bytes([*high, *low]),
        new_access,
    };
    Ok((*option, place, rest))
}

fn refuse(option: u8, bits: u8) -> Result<(), Status> {
    match option & bits {
        0 => Ok(()),
        _ => Err(Status::ValueOutOfRange),
    }
}

impl Command<'_> {
    /// The place that it names.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Decrement { place, .. }
            | Self::Read { place, .. }
            | Self::Update { place, .. } => Some(*place),
            Self::Echo(_)
            | Self::Reset
            | Self::GenerateRandom { .. }
            | Self::Hibernate(_)
            | Self::Query(_) => None,
        }
    }

    /// Bytes of data that it carries or asks for.
    pub fn length(&self) -> Option<u16> {
        match self {
            Self::Echo(data) | Self::Update { data, .. } => u16::try_from(data.len()).ok(),
            Self::Read { length, .. } => Some(*length),
            Self::GenerateRandom { length } => Some(u16::from(*length)),
            Self::Decrement { .. } | Self::Reset | Self::Hibernate(_) | Self::Query(_) => None,
        }
    }
}
