use std::env;
use std::path::{Path, PathBuf};

use az3166_build::{Build, BuiltFirmware, BuiltImage, Limits, Programs};
use az3166_identity::Region;
use az3166_scenario::FirmwareVariant;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::exit::{Exit, Failure};
use crate::progress::BuildProgress;
use crate::{signals, terminal, workspace};

/// Build the firmware and print its files and what a device measures of it.
///
/// The image's bytes are the device's identity, so they depend on nothing but sources and compiler.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hil build
  hil build --variant devkit-profile
  hil build --firmware ../my-firmware --json")]
pub struct Arguments {
    /// Build the crate in this folder instead of this project's firmware
    #[arg(long, value_name = "CRATE_DIR", conflicts_with = "variant")]
    pub firmware: Option<PathBuf>,
    /// Which build of this project's firmware
    #[arg(
        long,
        default_value = "strict",
        value_parser = PossibleValuesParser::new(FirmwareVariant::ALL.map(FirmwareVariant::name)).map(variant)
    )]
    pub variant: FirmwareVariant,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

fn variant(name: String) -> FirmwareVariant {
    let found = FirmwareVariant::ALL
        .into_iter()
        .find(|variant| variant.name() == name);
    found.unwrap_or(FirmwareVariant::Strict)
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let cancel = signals::stop_flag()?;
    let mut progress = BuildProgress::new();
    let output = output_folder(arguments.firmware.as_deref())?;
    let mut build = Build {
        output: &output,
        programs: &Programs::default(),
        limits: Limits::new(&cancel),
        progress: &mut |step| progress.show(step),
    };
    let (firmware, boot_stub) = match &arguments.firmware {
        Some(folder) => (build.user_crate(folder)?, None),
        None => {
            let sources = sources()?;
            let firmware = build.firmware(&sources, arguments.variant)?;
            (firmware, Some(build.boot_stub(&sources)?))
        }
    };
    drop(progress);
    let report = Report::new(&firmware, boot_stub);
    match arguments.json {
        true => {
            let text = serde_json::to_string_pretty(&report).map_err(Failure::infrastructure)?;
            terminal::print(format_args!("{text}\n"));
        }
        false => report.print(),
    }
    if let Err(error) = &firmware.regions {
        terminal::warning(format_args!(
            "a device with this image has no identity: {error}"
        ));
    }
    Ok(Exit::Passed)
}

/// The firmware workspace of the checkout.
pub fn sources() -> Result<PathBuf, Failure> {
    let missing = "no checkout of the harness lies above this folder; go there, or give --firmware";
    let root = workspace::root().ok_or_else(|| Failure::usage(missing))?;
    Ok(root.join("firmware"))
}

/// Where firmware is built: `target/firmware` of the checkout, else of the user's crate.
pub fn output_folder(user_crate: Option<&Path>) -> Result<PathBuf, Failure> {
    let here = env::current_dir().map_err(|error| {
        Failure::infrastructure(format!("the current folder cannot be found: {error}"))
    })?;
    let root = workspace::root().or(user_crate.map(|folder| here.join(folder)));
    Ok(root.unwrap_or(here).join("target/firmware"))
}

#[derive(Serialize)]
struct Report {
    elf: PathBuf,
    bin: PathBuf,
    map: PathBuf,
    sha256: String,
    regions: Option<Regions>,
    boot_stub: Option<Files>,
}

#[derive(Serialize)]
struct Files {
    elf: PathBuf,
    bin: PathBuf,
    map: PathBuf,
    sha256: String,
}

#[derive(Serialize)]
struct Regions {
    riot_core: Measured,
    riot_fw: Measured,
}

#[derive(Serialize)]
struct Measured {
    start: u64,
    stop: u64,
    sha256: String,
}

impl Measured {
    fn of(region: &Region) -> Self {
        Self {
            start: region.range().start,
            stop: region.range().end,
            sha256: hex::encode(Sha256::digest(region.bytes())),
        }
    }

    fn text(&self) -> String {
        let Self {
            start,
            stop,
            sha256,
        } = self;
        let length = stop - start;
        format!("{start:#010x}..{stop:#010x}, {length} bytes, SHA-256 {sha256}")
    }
}

impl Report {
    fn new(firmware: &BuiltFirmware, boot_stub: Option<BuiltImage>) -> Self {
        let image = firmware.image.clone();
        Self {
            elf: image.elf,
            bin: image.bin,
            map: image.map,
            sha256: image.sha256,
            regions: firmware.regions.as_ref().ok().map(|regions| Regions {
                riot_core: Measured::of(regions.riot_core()),
                riot_fw: Measured::of(regions.riot_fw()),
            }),
            boot_stub: boot_stub.map(|stub| Files {
                elf: stub.elf,
                bin: stub.bin,
                map: stub.map,
                sha256: stub.sha256,
            }),
        }
    }

    fn print(&self) {
        terminal::line("ELF", self.elf.display());
        terminal::line("bin", self.bin.display());
        terminal::line("map", self.map.display());
        terminal::line("SHA-256", &self.sha256);
        if let Some(regions) = &self.regions {
            terminal::line("riot_core", regions.riot_core.text());
            terminal::line("riot_fw", regions.riot_fw.text());
        }
        if let Some(stub) = &self.boot_stub {
            terminal::line("boot stub", stub.elf.display());
        }
    }
}
