//! Flash bytes and the secure element's memory.

use az3166_scenario::{
    ExpectNvm, Flip, FlipPlace, Label, Plant, PlantedContent, Region, Zone, ZoneContent,
};
use az3166_stsafe::{NvmImage, ReservedZones, SecureElement};

use super::{Outcome, StepError};
use crate::run::Run;
use crate::settings_record;

/// The last byte of flash.
const LAST_BYTE: u32 = 0x080F_FFFF;

pub(super) fn flip(run: &mut Run<'_>, flip: &Flip) -> Result<Outcome, StepError> {
    let note = |symbol: &str, offset: u32| {
        run.bench
            .image()
            .symbol(symbol)
            .map(|address| address + offset)
            .ok_or_else(|| {
                StepError::setup(
                    format!("the firmware has no symbol `{symbol}` to flip a byte of"),
                    "add the symbol, or flip by `address`",
                )
            })
    };
    let address = match &flip.place {
        FlipPlace::Region {
            region: Region::RiotCore,
            offset,
        } => note("RIOT_CORE_NOTE", *offset)?,
        FlipPlace::Region {
            region: Region::RiotFw,
            offset,
        } => note("RIOT_FW_NOTE", *offset)?,
        FlipPlace::Region {
            region: Region::OutsideImage,
            ..
        } => LAST_BYTE,
        FlipPlace::Symbol { symbol, offset } => note(symbol.as_str(), *offset)?,
        FlipPlace::Address(address) => *address,
    };
    let mut byte = [0];
    let target = run.bench.target();
    target.read_memory(address, &mut byte)?;
    target.patch_flash(address, &[byte[0] ^ flip.bits])?;
    run.note_flip(address, flip.bits);
    Ok(Outcome::Passed)
}

pub(super) fn plant(run: &mut Run<'_>, plant: &Plant) -> Result<Outcome, StepError> {
    let zone = plant.zone.number();
    if let PlantedContent::Uds(uds) = &plant.content {
        run.watch_uds(uds.secret());
    }
    let bytes = match &plant.content {
        PlantedContent::Uds(uds) => {
            let digits: String = uds
                .secret()
                .expose()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            digits.into_bytes()
        }
        PlantedContent::Text(text) => text.expose().as_bytes().to_vec(),
        PlantedContent::Bytes(bytes) => bytes.0.to_vec(),
        PlantedContent::Settings(members) => {
            let pairs: Vec<(&str, &str)> = members
                .iter()
                .map(|(key, value)| (key.as_str(), value.expose()))
                .collect();
            settings_record::encode(&pairs)
        }
    };
    let mut nvm = chip(run)?.nvm().clone();
    let start = usize::from(plant.offset);
    let place = nvm
        .zone_mut(zone)
        .and_then(|zone| zone.bytes_mut().get_mut(start..start + bytes.len()))
        .ok_or_else(|| {
            StepError::setup(
                format!(
                    "zone {zone} has no room for {} bytes at offset {start}",
                    bytes.len()
                ),
                "the DevKit's zones and their sizes are listed in `hil schema`",
            )
        })?;
    place.copy_from_slice(&bytes);
    chip(run)?.set_nvm(nvm);
    Ok(Outcome::Passed)
}

pub(super) fn snapshot(run: &mut Run<'_>, label: &Label) -> Result<Outcome, StepError> {
    let nvm = chip(run)?.nvm().clone();
    run.snapshots.insert(label.as_str().to_owned(), nvm);
    Ok(Outcome::Passed)
}

pub(super) fn restore(run: &mut Run<'_>, label: &Label) -> Result<Outcome, StepError> {
    let nvm = kept(run, label)?.clone();
    chip(run)?.set_nvm(nvm);
    Ok(Outcome::Passed)
}

pub(super) fn expect_nvm(run: &mut Run<'_>, expected: &ExpectNvm) -> Result<Outcome, StepError> {
    match expected {
        ExpectNvm::UnchangedSince { label, zone } => unchanged(run, label, *zone),
        ExpectNvm::Holds { zone, content } => holds(run, zone.number(), content),
    }
}

fn unchanged(run: &mut Run<'_>, label: &Label, only: Option<Zone>) -> Result<Outcome, StepError> {
    let before = kept(run, label)?.clone();
    let now = chip(run)?.nvm();
    let changed: Vec<String> = now
        .zones()
        .filter(|(index, _)| only.is_none_or(|zone| zone.number() == *index))
        .filter(|(index, zone)| {
            before
                .zone(*index)
                .is_none_or(|before| before.bytes() != zone.bytes())
        })
        .map(|(index, _)| index.to_string())
        .collect();
    if changed.is_empty() {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::failed(
        format!(
            "the secure element's memory as it was at `{}`",
            label.as_str()
        ),
        format!("changed: zone {}", changed.join(", zone ")),
    ))
}

fn holds(run: &mut Run<'_>, zone: u8, content: &ZoneContent) -> Result<Outcome, StepError> {
    let factory = factory_zone(zone)?;
    let bytes = chip(run)?
        .nvm()
        .zone(zone)
        .map(|zone| zone.bytes().to_vec())
        .ok_or_else(|| no_zone(zone))?;
    let (held, expected) = match content {
        ZoneContent::Nothing => (bytes == factory, "what it held from the factory".to_owned()),
        ZoneContent::Uds(uds) => {
            let digits: String = uds
                .secret()
                .expose()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let start = bytes.get(..digits.len()).unwrap_or_default();
            let held = start.eq_ignore_ascii_case(digits.as_bytes());
            (held, format!("the UDS {}", uds.fingerprint()))
        }
        ZoneContent::Text(text) => {
            let wanted = text.expose().as_bytes();
            let held = wanted.is_empty() || bytes.windows(wanted.len()).any(|at| at == wanted);
            (held, format!("the text `{}`", text.masked()))
        }
        ZoneContent::Hex(wanted) => (
            bytes.starts_with(&wanted.0),
            format!("the {} bytes of the step", wanted.0.len()),
        ),
    };
    if held {
        return Ok(Outcome::Passed);
    }
    let blank = bytes == factory;
    let seen = if blank {
        "it is as it left the factory"
    } else {
        "it holds something else"
    };
    Ok(Outcome::failed(
        format!("zone {zone} to hold {expected}"),
        seen,
    ))
}

fn kept<'a>(run: &'a Run<'_>, label: &Label) -> Result<&'a NvmImage, StepError> {
    run.snapshots.get(label.as_str()).ok_or_else(|| {
        StepError::setup(
            format!("no snapshot `{}` was taken", label.as_str()),
            "take it by a `snapshot_nvm` step before",
        )
    })
}

fn chip<'a>(run: &'a mut Run<'_>) -> Result<&'a mut SecureElement, StepError> {
    run.bench.target().secure_element().ok_or_else(|| {
        StepError::setup(
            "this target has a real secure element",
            "add `secure-element-model` to `needs`",
        )
    })
}

fn factory_zone(zone: u8) -> Result<Vec<u8>, StepError> {
    let factory = NvmImage::devkit(ReservedZones::Absent);
    factory
        .zone(zone)
        .map(|zone| zone.bytes().to_vec())
        .ok_or_else(|| no_zone(zone))
}

fn no_zone(zone: u8) -> StepError {
    StepError::setup(
        format!("the secure element has no zone {zone}"),
        "the DevKit's zones are 0, 2, 3, 5, 6, 7, 8 and 10",
    )
}
