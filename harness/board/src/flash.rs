//! What has to be flashed: sector by sector, only where it differs, and never the bootloader by
//! mistake.

use core::ops::Range;

use az3166_target::{Image, Segment};
use probe_rs::flashing::{DownloadOptions, FlashError, FlashLoader};

use crate::chip::Chip;
use crate::error::{BoardError, chain};

/// First address of flash.
pub(crate) const FLASH: u32 = 0x0800_0000;
/// Length of flash in bytes.
pub(crate) const FLASH_SIZE: u32 = 0x10_0000;
/// The end of sectors 0 to 2, which the vendor's bootloader owns.
pub(crate) const BOOTLOADER_END: u32 = 0x0800_C000;
/// Offsets of the 12 sectors and of the end (RM0402 table 5).
const SECTORS: [u32; 13] = [
    0x0_0000, 0x0_4000, 0x0_8000, 0x0_C000, 0x1_0000, 0x2_0000, 0x4_0000, 0x6_0000, 0x8_0000,
    0xA_0000, 0xC_0000, 0xE_0000, 0x10_0000,
];

/// How often a write that ran into a time limit is tried again.
const TIMEOUT_RETRIES: u32 = 5;

/// Whether sectors 0 to 2 may be erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BootloaderPolicy {
    /// Never: what is there stays, and starts the application.
    #[default]
    Keep,
    /// They may: the boot stub takes the vendor's bootloader's place.
    Replace,
}

/// What starts the application after a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Starter {
    /// The image itself, or our boot stub: at once.
    Ours,
    /// A bootloader that was there before, in its own time.
    Foreign,
}

/// Whether a sector has to be erased before it is programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Erase {
    Needed,
    /// It is blank.
    NotNeeded,
}

/// A sector with its whole new content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SectorPlan {
    pub(crate) address: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) erase: Erase,
}

/// What is to be done to flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) sectors: Vec<SectorPlan>,
    pub(crate) starter: Starter,
}

/// What goes into flash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// The application.
    pub(crate) application: Vec<&'a Segment>,
    /// What jumps to it from the bootloader's place, where no bootloader is.
    pub(crate) stub: Vec<&'a Segment>,
}

impl<'a> Wanted<'a> {
    /// Sorts the segments of `images`: one that lies in the bootloader's place as a whole is a stub.
    pub(crate) fn of(images: &[&'a Image]) -> Self {
        let mut wanted = Self::default();
        for image in images {
            let is_stub = image.segments().iter().all(|it| end(it) <= BOOTLOADER_END);
            let segments = match is_stub {
                true => &mut wanted.stub,
                false => &mut wanted.application,
            };
            segments.extend(image.segments());
        }
        wanted
    }

    fn segments(&self) -> impl Iterator<Item = &'a Segment> + '_ {
        self.stub.iter().chain(&self.application).copied()
    }
}

/// All sectors, as address ranges.
pub(crate) fn sectors() -> impl Iterator<Item = Range<u32>> {
    SECTORS
        .windows(2)
        .map(|pair| FLASH + pair[0]..FLASH + pair[1])
}

/// The sectors that `range` touches, as address ranges.
pub(crate) fn sectors_of(range: Range<u32>) -> impl Iterator<Item = Range<u32>> {
    sectors().filter(move |sector| range.start < sector.end && range.end > sector.start)
}

fn end(segment: &Segment) -> u32 {
    segment.address.saturating_add(segment.bytes.len() as u32)
}

fn overlap(sector: &Range<u32>, segment: &Segment) -> bool {
    segment.address < sector.end && end(segment) > sector.start
}

/// Compares what is in flash, by `read`, with what is wanted.
///
/// A sector is left alone where it holds every wanted byte already. One that differs is
/// programmed as a whole: bytes that nobody wants come out erased.
pub(crate) fn plan(
    wanted: &Wanted<'_>,
    policy: BootloaderPolicy,
    mut read: impl FnMut(Range<u32>) -> Result<Vec<u8>, BoardError>,
) -> Result<Plan, BoardError> {
    let mut plan = Plan {
        sectors: Vec::new(),
        starter: Starter::Ours,
    };
    for sector in sectors().filter(|sector| wanted.segments().any(|it| overlap(sector, it))) {
        let old = read(sector.clone())?;
        let mut new = vec![0xFF; old.len()];
        let mut differs = false;
        for segment in wanted.segments().filter(|it| overlap(&sector, it)) {
            let first = segment.address.max(sector.start);
            let last = end(segment).min(sector.end);
            let there = (first - sector.start) as usize..(last - sector.start) as usize;
            let here = (first - segment.address) as usize..(last - segment.address) as usize;
            differs |= old[there.clone()] != segment.bytes[here.clone()];
            new[there].copy_from_slice(&segment.bytes[here]);
        }
        if !differs {
            continue;
        }
        let erase = match old.iter().all(|byte| *byte == 0xFF) {
            true => Erase::NotNeeded,
            false => Erase::Needed,
        };
        if is_protected(&sector, policy) && erase == Erase::Needed {
            if wanted.application.iter().any(|it| overlap(&sector, it)) {
                let address = sector.start;
                return Err(BoardError::BootloaderProtected { address });
            }
            plan.starter = Starter::Foreign;
            continue;
        }
        plan.sectors.push(SectorPlan {
            address: sector.start,
            bytes: new,
            erase,
        });
    }
    Ok(plan)
}

fn is_protected(sector: &Range<u32>, policy: BootloaderPolicy) -> bool {
    sector.start < BOOTLOADER_END && policy == BootloaderPolicy::Keep
}

/// Erases and programs sectors by the chip's own flash algorithm, and verifies them.
pub(crate) fn program(
    chip: &mut Chip,
    sectors: &[SectorPlan],
    policy: BootloaderPolicy,
) -> Result<(), BoardError> {
    // Whoever made the plan: the bootloader is not erased.
    let erased = |sector: &&SectorPlan| sector.erase == Erase::Needed;
    let guarded = |sector: &&SectorPlan| is_protected(&(sector.address..u32::MAX), policy);
    if let Some(sector) = sectors.iter().filter(erased).find(guarded) {
        let address = sector.address;
        return Err(BoardError::BootloaderProtected { address });
    }
    for erase in [Erase::NotNeeded, Erase::Needed] {
        let mut loader = chip.session().target().flash_loader();
        let failed = |error: FlashError| BoardError::Flash {
            reason: chain(&error),
        };
        let mut any = false;
        for sector in sectors.iter().filter(|sector| sector.erase == erase) {
            loader
                .add_data(u64::from(sector.address), &sector.bytes)
                .map_err(failed)?;
            any = true;
        }
        if any {
            commit(&loader, chip, erase).map_err(failed)?;
        }
    }
    Ok(())
}

/// Writes what the loader holds. probe-rs gives each page 100 ms of wall time, which a busy host
/// misses now and then: that is tried again, which does no harm since the bytes are the same.
fn commit(loader: &FlashLoader, chip: &mut Chip, erase: Erase) -> Result<(), FlashError> {
    let mut tries = 0;
    loop {
        let mut options = DownloadOptions::default();
        options.verify = true;
        options.skip_erase = erase == Erase::NotNeeded;
        match loader.commit(chip.session(), options) {
            Err(error) if tries < TIMEOUT_RETRIES && chain(&error).contains("timeout") => {
                tries += 1;
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const APPLICATION: u32 = BOOTLOADER_END;

    fn segment(address: u32, bytes: &[u8]) -> Segment {
        let bytes = bytes.to_vec();
        Segment { address, bytes }
    }

    /// Flash that is blank but for `content`.
    fn flash(content: &[Segment]) -> impl FnMut(Range<u32>) -> Result<Vec<u8>, BoardError> {
        move |range| {
            Ok(range
                .map(|at| {
                    let place = content
                        .iter()
                        .find(|it| (it.address..end(it)).contains(&at));
                    place.map_or(0xFF, |it| it.bytes[(at - it.address) as usize])
                })
                .collect())
        }
    }

    fn check(
        content: &[Segment],
        stub: &[Segment],
        application: &[Segment],
        policy: BootloaderPolicy,
    ) -> Result<(Vec<(u32, Erase)>, Starter), BoardError> {
        let wanted = Wanted {
            application: application.iter().collect(),
            stub: stub.iter().collect(),
        };
        let plan = plan(&wanted, policy, flash(content))?;
        let sectors = plan.sectors.iter().map(|it| (it.address, it.erase));
        Ok((sectors.collect(), plan.starter))
    }

    #[test]
    fn a_blank_chip_takes_stub_and_application_without_an_erase() {
        let (stub, application) = (segment(FLASH, b"stub"), segment(APPLICATION, b"app"));
        assert_eq!(
            check(&[], &[stub], &[application], BootloaderPolicy::Keep).unwrap(),
            (
                vec![(FLASH, Erase::NotNeeded), (APPLICATION, Erase::NotNeeded)],
                Starter::Ours
            )
        );
    }

    #[test]
    fn sectors_that_hold_it_already_are_left_alone() {
        let application = segment(0x0800_FFFE, b"ends and begins");
        let there = [application.clone(), segment(0x0801_1000, b"more")];
        let none = check(
            &there,
            &[],
            core::slice::from_ref(&application),
            BootloaderPolicy::Keep,
        );
        assert_eq!(none.unwrap().0, []);
        let half = [segment(0x0800_FFFE, b"en"), segment(0x0801_1000, b"more")];
        let second = check(&half, &[], &[application], BootloaderPolicy::Keep);
        assert_eq!(second.unwrap().0, [(0x0801_0000, Erase::Needed)]);
    }

    #[rstest]
    #[case::keep(BootloaderPolicy::Keep, &[], Starter::Foreign)]
    #[case::replace(BootloaderPolicy::Replace, &[(FLASH, Erase::Needed)], Starter::Ours)]
    fn a_bootloader_is_replaced_only_when_told(
        #[case] policy: BootloaderPolicy,
        #[case] sectors: &[(u32, Erase)],
        #[case] starter: Starter,
    ) {
        let there = [segment(FLASH, b"vendor"), segment(APPLICATION, b"app")];
        let stub = segment(FLASH, b"stub");
        let planned = check(&there, &[stub], &[segment(APPLICATION, b"app")], policy);
        assert_eq!(planned.unwrap(), (sectors.to_vec(), starter));
    }

    #[test]
    fn an_application_in_the_bootloaders_place_is_refused() {
        let there = [segment(FLASH, b"vendor")];
        let large = segment(FLASH, &[7; 0xD000]);
        let planned = check(
            &there,
            &[],
            core::slice::from_ref(&large),
            BootloaderPolicy::Keep,
        );
        assert!(matches!(
            planned,
            Err(BoardError::BootloaderProtected { address: FLASH })
        ));
        let replaced = check(&there, &[], &[large], BootloaderPolicy::Replace);
        assert_eq!(replaced.unwrap().0.len(), 4);
    }
}
