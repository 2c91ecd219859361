//! The first use of a board: what was in its flash is saved, so that it can come back.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::chip::Chip;
use crate::error::BoardError;
use crate::flash::{BootloaderPolicy, Erase, FLASH, FLASH_SIZE, SectorPlan, program, sectors};

/// How much is read at a time, in bytes.
const CHUNK: u32 = 0x4000;

/// Whether a board that hil never used before may be overwritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TakeOver {
    /// It may not.
    #[default]
    Refused,
    /// It may, after its flash was saved.
    Allowed,
}

/// Reads a range of flash.
pub(crate) fn read_flash(
    chip: &mut Chip,
    range: core::ops::Range<u32>,
) -> Result<Vec<u8>, BoardError> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    for (address, chunk) in range
        .step_by(CHUNK as usize)
        .zip(bytes.chunks_mut(CHUNK as usize))
    {
        chip.read(address, chunk)?;
    }
    Ok(bytes)
}

/// Sees to it that the flash as it was before hil's first use lies in `backup`.
pub(crate) fn secure_original(
    chip: &mut Chip,
    backup: &Path,
    take_over: TakeOver,
) -> Result<(), BoardError> {
    if backup.exists() {
        return Ok(());
    }
    if take_over == TakeOver::Refused {
        return Err(BoardError::NotTakenOver);
    }
    let flash = read_flash(chip, FLASH..FLASH + FLASH_SIZE)?;
    save(backup, &flash).map_err(|error| file_error(backup, &error))
}

/// Writes the file as a whole or not at all. Who shares the rack may read it, others not: the
/// firmware of a board may hold secrets.
fn save(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        az3166_rack::make_shared(folder)?;
    }
    let part = path.with_extension("part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    let mut file = options.open(&part)?;
    // The umask may have cut it.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o640))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(part, path)
}

/// Brings flash back to `image`, bootloader included. The core is left halted.
pub(crate) fn restore(chip: &mut Chip, image: &[u8]) -> Result<Restored, BoardError> {
    if image.len() != FLASH_SIZE as usize {
        return Err(BoardError::Flash {
            reason: format!(
                "the saved flash has {} bytes and the chip's {FLASH_SIZE}",
                image.len()
            ),
        });
    }
    let mut changed = Vec::new();
    for sector in sectors() {
        let here = (sector.start - FLASH) as usize..(sector.end - FLASH) as usize;
        let address = sector.start;
        if read_flash(chip, sector)? != image[here.clone()] {
            changed.push(SectorPlan {
                address,
                bytes: image[here].to_vec(),
                erase: Erase::Needed,
            });
        }
    }
    program(chip, &changed, BootloaderPolicy::Replace)?;
    Ok(Restored {
        sectors: changed.len(),
    })
}

/// What a restore did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// How many sectors differed from the file.
    pub sectors: usize,
}

fn file_error(path: &Path, error: &std::io::Error) -> BoardError {
    BoardError::File {
        path: path.display().to_string(),
        reason: error.to_string(),
    }
}
