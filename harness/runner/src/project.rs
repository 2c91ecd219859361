//! This project's own firmware, built from its sources.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use az3166_build::{Build, BuildError, Limits, Programs, Progress};
use az3166_identity::{Mac, Profile};
use az3166_scenario::{FirmwareVariant, Scenario, Verb};
use az3166_target::ImageError;

use crate::firmware::{FirmwareFacts, FirmwareSet, default_mac};
use crate::targets::EmulatorOptions;

/// Why there is no firmware to run.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// {0}
    #[error(transparent)]
    Build(#[from] BuildError),
    /// reading {path} failed: {error}
    #[error("reading {} failed: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// {path}: {error}
    #[error("{}: {error}", path.display())]
    Image {
        /// The ELF file.
        path: PathBuf,
        /// Why it cannot run.
        error: ImageError,
    },
}

/// Builds the firmware of the workspace `sources` in `variants`, with its boot stub, for a board
/// with `mac`.
///
/// # Errors
/// The build fails, or what it wrote cannot be used.
pub fn build(
    build: &mut Build<'_>,
    sources: &Path,
    variants: &BTreeSet<FirmwareVariant>,
    mac: &Mac,
) -> Result<FirmwareSet, ProjectError> {
    let mut set = FirmwareSet::default();
    let stub = boot_stub(build, sources)?;
    for variant in variants {
        let built = build.firmware(sources, *variant)?;
        let path = built.image.elf;
        let elf = read(&path)?;
        set.add(*variant, &elf, Some(&stub), facts(*variant), mac.clone())
            .map_err(|error| ProjectError::Image { path, error })?;
    }
    Ok(set)
}

/// Builds the stub that stands in for the vendor's bootloader, and reads its ELF file.
///
/// # Errors
/// The build fails, or what it wrote cannot be read.
pub fn boot_stub(build: &mut Build<'_>, sources: &Path) -> Result<Vec<u8>, ProjectError> {
    read(&build.boot_stub(sources)?.elf)
}

/// The firmware of the checkout that this crate was compiled from, for the emulated board: what a
/// test needs. It is built where that is necessary; progress goes to standard error.
///
/// # Errors
/// The build fails, or what it wrote cannot be used.
pub fn of_checkout(variants: &BTreeSet<FirmwareVariant>) -> Result<FirmwareSet, ProjectError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let never = AtomicBool::new(false);
    let mut with = Build {
        output: &root.join("target/firmware"),
        programs: &Programs::default(),
        limits: Limits::new(&never),
        progress: &mut tell,
    };
    let mac = default_mac(&EmulatorOptions::seeded(0).uid);
    build(&mut with, &root.join("firmware"), variants, &mac)
}

/// Prints a build's progress to standard error, but not cargo's last line: a warm build says
/// nothing.
pub fn tell(progress: Progress<'_>) {
    match progress {
        Progress::Line(line) if line.trim_start().starts_with("Finished ") => {}
        progress => eprintln!("{progress}"),
    }
}

/// The variants of the firmware that `scenarios` run.
pub fn variants_of<'a>(
    scenarios: impl IntoIterator<Item = &'a Scenario>,
) -> BTreeSet<FirmwareVariant> {
    let mut variants = BTreeSet::new();
    for scenario in scenarios {
        variants.insert(scenario.firmware);
        variants.extend(scenario.steps.iter().filter_map(|step| match step.verb {
            Verb::Flash(variant) => Some(variant),
            _ => None,
        }));
    }
    variants
}

/// What is known of a variant besides its ELF file.
pub fn facts(variant: FirmwareVariant) -> FirmwareFacts {
    let version = match variant {
        FirmwareVariant::VersionAlt => "1.0.1",
        _ => "1.0.0",
    };
    let profile = match variant {
        FirmwareVariant::DevkitProfile => Profile::Devkit,
        _ => Profile::Strict,
    };
    FirmwareFacts {
        version: version
            .parse()
            .unwrap_or_else(|_| unreachable!("three numbers are a version")),
        profile,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ProjectError> {
    fs::read(path).map_err(|error| ProjectError::Read {
        path: path.to_owned(),
        error,
    })
}
