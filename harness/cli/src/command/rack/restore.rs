use std::path::{Path, PathBuf};

use az3166_rack::{Admission, Attach, Board, ChipUid};
use clap::Args;

use super::access;
use super::common::Wanted;
use crate::exit::{Exit, Failure};
use crate::{file, terminal};

/// Give a board back the flash that it had before it was taken over, the vendor's bootloader included.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo hil-board rack restore lab-1
  cargo hil-board rack restore lab-1 --image lab-1.bin")]
pub struct Arguments {
    #[command(flatten)]
    pub wanted: Wanted,
    /// The flash's contents [default: what was saved when the board was taken over]
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
}

/// Runs the command.
pub fn run(rack: Option<&Path>, arguments: &Arguments) -> Result<Exit, Failure> {
    let wanted = &arguments.wanted;
    let mut access = access::open(&format!("rack restore {}", wanted.id))?;
    let held = wanted.take(rack, "hil rack restore", Admission::EvenWedged)?;
    let board = &held.board;
    let attached = access.attach(board, Attach::Running(board.speed_khz));
    let uid = attached.map_err(|error| {
        Failure::infrastructure(format!(
            "{error}; `hil rack recover {}` may bring the board back",
            board.id
        ))
    })?;
    check_chip(board, &uid)?;
    let path = match (&arguments.image, &board.chip_uid) {
        (Some(path), Some(_)) => path.clone(),
        (Some(_), None) => {
            return Err(Failure::usage(format!(
                "the rack file names no `chip_uid` of the board {}; write {uid} there if it is this chip that the image belongs to",
                board.id
            )));
        }
        (None, _) => held.places.backup(&uid),
    };
    let image = file::read(&path)?;
    access
        .restore(board, &uid, &image)
        .map_err(Failure::infrastructure)?;
    terminal::note(format_args!(
        "the board {} has the flash of {} again",
        board.id,
        path.display()
    ));
    Ok(Exit::Passed)
}

/// A stranger's flash is not touched.
fn check_chip(board: &Board, found: &ChipUid) -> Result<(), Failure> {
    match &board.chip_uid {
        Some(expected) if expected != found => Err(Failure::infrastructure(format!(
            "the chip at the probe of {} has the unique id {found}, and the rack file names {expected}; correct the rack file or the cabling",
            board.id
        ))),
        _ => Ok(()),
    }
}
