//! What a rack asks of boards: attach, and flash back.

use az3166_rack::{AccessError, Attach, Board, BoardAccess, ChipUid as RackUid};

use crate::attach::{Approach, BoardAddress};
use crate::board::{self, read_uid};
use crate::chip::ChipUid;
use crate::error::BoardError;

/// Reaches boards through probe-rs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProbeAccess;

/// Where the rack file says that a board is.
pub fn address_of(board: &Board) -> BoardAddress {
    BoardAddress {
        serial: board.probe_serial.as_str().into(),
        chip: board.chip.clone(),
        speed_khz: Some(board.speed_khz.get()),
    }
}

/// The rack's notation of a unique ID as the bytes that it means.
pub(crate) fn uid_of(uid: &RackUid) -> ChipUid {
    ChipUid(uid.bytes())
}

impl BoardAccess for ProbeAccess {
    fn attach(&mut self, board: &Board, how: Attach) -> Result<RackUid, AccessError> {
        let (khz, approach) = match how {
            Attach::Running(clock) => (clock.get(), Approach::Normal { khz: clock.get() }),
            Attach::UnderReset(clock) => (clock.get(), Approach::UnderReset),
        };
        let address = BoardAddress {
            speed_khz: Some(khz),
            ..address_of(board)
        };
        let uid = read_uid(&address, approach)?;
        Ok(RackUid::from_bytes(uid.0))
    }

    fn restore(&mut self, board: &Board, uid: &RackUid, image: &[u8]) -> Result<(), AccessError> {
        board::restore(&address_of(board), &uid_of(uid), image)?;
        Ok(())
    }
}

impl From<BoardError> for AccessError {
    fn from(error: BoardError) -> Self {
        match error {
            BoardError::NoProbe { serial, .. } => Self::NoProbe { serial },
            BoardError::PermissionDenied { serial } => Self::Denied { serial },
            other => Self::Trouble(format!("{other}; {}", other.todo())),
        }
    }
}
