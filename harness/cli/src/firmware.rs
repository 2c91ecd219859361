//! The firmware that `--firmware` names, ready to run: built or read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use az3166_build::{Build, BuildError, Limits, Programs, Variant};
use az3166_identity::{FirmwareVersion, Mac, Profile};
use az3166_runner::firmware::{FirmwareFacts, FirmwareSet};
use az3166_scenario::FirmwareVariant;

use crate::command::build::{output_folder, sources};
use crate::exit::Failure;
use crate::file;
use crate::progress::BuildProgress;

/// The version that our firmware reports.
const VERSION: &str = "1.0.0";
/// The version that its variant `version-alt` reports.
const VERSION_ALT: &str = "1.0.1";

/// Reads or builds the firmware for a board with `mac`.
///
/// Without `option` it is this project's, in all `variants`; otherwise an ELF file or a crate's
/// folder, which stands for the variant `strict`.
pub fn load(
    option: Option<&Path>,
    variants: &BTreeSet<FirmwareVariant>,
    mac: &Mac,
    cancel: &AtomicBool,
) -> Result<FirmwareSet, Failure> {
    let mut set = FirmwareSet::default();
    let Some(path) = option else {
        build_variants(&mut set, variants, mac, cancel)?;
        return Ok(set);
    };
    let elf = match path.is_dir() {
        true => {
            let output = output_folder(Some(path))?;
            let built = with_build(&output, cancel, |build| build.user_crate(path))?;
            read(&built.image.elf)?
        }
        false => file::read(path)?,
    };
    add(&mut set, FirmwareVariant::Strict, path, &elf, None, mac)?;
    Ok(set)
}

fn build_variants(
    set: &mut FirmwareSet,
    variants: &BTreeSet<FirmwareVariant>,
    mac: &Mac,
    cancel: &AtomicBool,
) -> Result<(), Failure> {
    let (folder, output) = (sources()?, output_folder(None)?);
    let stub = with_build(&output, cancel, |build| build.boot_stub(&folder))?;
    let stub = read(&stub.elf)?;
    for variant in variants {
        let wanted = match variant {
            FirmwareVariant::Strict => Variant::Strict,
            FirmwareVariant::DevkitProfile => Variant::DevkitProfile,
            FirmwareVariant::VersionAlt => Variant::VersionAlt,
            FirmwareVariant::LeakUds => Variant::LeakUds,
        };
        let built = with_build(&output, cancel, |build| build.firmware(&folder, wanted))?;
        let elf = read(&built.image.elf)?;
        add(set, *variant, &built.image.elf, &elf, Some(&stub), mac)?;
    }
    Ok(())
}

fn with_build<T>(
    output: &Path,
    cancel: &AtomicBool,
    run: impl FnOnce(&mut Build<'_>) -> Result<T, BuildError>,
) -> Result<T, Failure> {
    let mut progress = BuildProgress::new();
    let mut build = Build {
        output,
        programs: &Programs::default(),
        limits: Limits::new(cancel),
        progress: &mut |step| progress.show(step),
    };
    Ok(run(&mut build)?)
}

/// A file that the build has just written.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        Failure::infrastructure(format!("reading {} failed: {error}", path.display()))
    })
}

fn add(
    set: &mut FirmwareSet,
    variant: FirmwareVariant,
    path: &Path,
    elf: &[u8],
    stub: Option<&[u8]>,
    mac: &Mac,
) -> Result<(), Failure> {
    let version = match variant {
        FirmwareVariant::VersionAlt => VERSION_ALT,
        _ => VERSION,
    };
    let version: FirmwareVersion = version.parse().map_err(Failure::infrastructure)?;
    let profile = match variant {
        FirmwareVariant::DevkitProfile => Profile::Devkit,
        _ => Profile::Strict,
    };
    let facts = FirmwareFacts { version, profile };
    set.add(variant, elf, stub, facts, mac.clone())
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
