//! The firmware that `--firmware` names, ready to run: built or read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use az3166_build::{Build, Limits, Programs};
use az3166_identity::Mac;
use az3166_runner::firmware::{FirmwareSet, needs_boot_stub};
use az3166_runner::project::{self, ProjectError};
use az3166_scenario::FirmwareVariant;

use crate::command::build::{output_folder, sources};
use crate::exit::Failure;
use crate::file;
use crate::progress::BuildProgress;

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
    let Some(path) = option else {
        let folder = sources()?;
        return with_build(&output_folder(None)?, cancel, |build| {
            project::build(build, &folder, variants, mac)
        });
    };
    let elf = match path.is_dir() {
        true => {
            let built = with_build(&output_folder(Some(path))?, cancel, |build| {
                build.user_crate(path)
            })?;
            let elf = built.image.elf;
            fs::read(&elf).map_err(|error| ProjectError::Read { path: elf, error })?
        }
        false => file::read(path)?,
    };
    let stub = match needs_boot_stub(&elf) {
        true => {
            let folder = sources()?;
            let stub = with_build(&output_folder(None)?, cancel, |build| {
                project::boot_stub(build, &folder)
            })?;
            Some(stub)
        }
        false => None,
    };
    let mut set = FirmwareSet::default();
    let strict = FirmwareVariant::Strict;
    let facts = project::facts(strict);
    set.add(strict, &elf, stub.as_deref(), facts, mac.clone())
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(set)
}

fn with_build<T, E>(
    output: &Path,
    cancel: &AtomicBool,
    run: impl FnOnce(&mut Build<'_>) -> Result<T, E>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    let mut progress = BuildProgress::new();
    let mut build = Build {
        output,
        programs: &Programs::default(),
        limits: Limits::new(cancel),
        progress: &mut |step| progress.show(step),
    };
    Ok(run(&mut build)?)
}
