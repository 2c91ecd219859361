//! One board with its options: what is done to it outside of a test.

use std::collections::BTreeMap;
use std::path::PathBuf;

use az3166_target::PowerState;

use crate::attach::{Approach, BoardAddress};
use crate::chip::{Chip, ChipUid};
use crate::console::ConsoleAddress;
use crate::error::BoardError;
use crate::flash::BootloaderPolicy;
use crate::takeover::{self, Restored, TakeOver};

/// Switches a board's supply.
pub trait PowerSwitch: Send {
    /// Does it, and sees to it that it came about.
    ///
    /// # Errors
    /// In words, why not.
    fn switch(&mut self, state: PowerState) -> Result<(), String>;
}

/// Counts the writes to a board's secure element against a budget.
pub trait WriteCounter: Send {
    /// Counts a write to `zone` that is about to be made.
    ///
    /// # Errors
    /// In words, why it must not be made.
    fn spend(&mut self, zone: u8) -> Result<(), String>;

    /// What was typed last after each command that sets something which is kept there.
    fn settings(&self) -> BTreeMap<String, String>;

    /// Remembers that `value` is about to be typed after `command`.
    ///
    /// # Errors
    /// In words, why that cannot be kept.
    fn set(&mut self, command: &str, value: &str) -> Result<(), String>;
}

/// All that hil knows of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardConfig {
    /// Its name in reports.
    pub id: String,
    /// Where it is.
    pub address: BoardAddress,
    /// Its chip's unique ID: nothing is written to another one.
    pub uid: ChipUid,
    /// Its console.
    pub console: ConsoleAddress,
    /// The file that holds its flash as it was before hil's first use.
    pub backup: PathBuf,
    /// Whether a first use is all right.
    pub take_over: TakeOver,
    /// Whether the vendor's bootloader may be erased.
    pub bootloader: BootloaderPolicy,
    /// How many seconds of the board pass in one of the host's: 1, but for a virtual board.
    pub time_factor: u32,
}

impl BoardConfig {
    /// Attaches, and makes sure that it is this board.
    pub(crate) fn open(&self) -> Result<Chip, BoardError> {
        open_known(&self.address, &self.uid)
    }
}

/// Attaches, and makes sure that it is the chip with this unique ID.
fn open_known(address: &BoardAddress, uid: &ChipUid) -> Result<Chip, BoardError> {
    let mut chip = Chip::new(address.attach()?);
    let found = chip.identify()?;
    if found != *uid {
        return Err(BoardError::WrongBoard {
            expected: uid.to_string(),
            found: found.to_string(),
        });
    }
    chip.stop_watchdogs_while_halted()?;
    Ok(chip)
}

/// Flashes `image`, all of flash as it was before hil's first use and so with the vendor's
/// bootloader, to the chip with the unique ID `uid`, and starts it.
///
/// # Errors
/// [`BoardError`]; nothing is written to another chip.
pub fn restore(
    address: &BoardAddress,
    uid: &ChipUid,
    image: &[u8],
) -> Result<Restored, BoardError> {
    let mut chip = open_known(address, uid)?;
    // Firmware that runs might write what is compared.
    chip.reset_and_halt()?;
    let restored = takeover::restore(&mut chip, image)?;
    chip.reset_and_halt()?;
    chip.run()?;
    Ok(restored)
}

/// Attaches by `approach`, reads the chip's unique ID, and lets the chip run on.
///
/// # Errors
/// [`BoardError`].
pub fn read_uid(address: &BoardAddress, approach: Approach) -> Result<ChipUid, BoardError> {
    let mut chip = Chip::new(address.attach_by(approach)?);
    let uid = chip.identify()?;
    if approach == Approach::UnderReset {
        chip.run()?;
    }
    Ok(uid)
}
