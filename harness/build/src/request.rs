//! The three builds there are: the firmware in a variant, its boot stub, and a user's crate.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use az3166_scenario::FirmwareVariant;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::cargo::{Executable, Settings};
use crate::environment::Owner;
use crate::image::lock_file;
use crate::remap::encoded_flags;
use crate::{BuildError, BuiltFirmware, BuiltImage, Limits, Programs, Progress};

/// The Rust target of this project's firmware: Cortex-M4 without floating-point instructions.
pub const TARGET: &str = "thumbv7em-none-eabi";

/// What every build needs to know.
pub struct Build<'a> {
    /// The folder for cargo's files and for the images, `target/firmware` of the workspace.
    pub output: &'a Path,
    /// The programs to start.
    pub programs: &'a Programs,
    /// When to stop.
    pub limits: Limits<'a>,
    /// Hears of every step.
    pub progress: &'a mut dyn FnMut(Progress<'_>),
}

/// The cargo feature that makes the variant. As each is a set of features, all stay cached.
fn feature_of(variant: FirmwareVariant) -> Option<&'static str> {
    match variant {
        FirmwareVariant::Strict => None,
        other => Some(other.name()),
    }
}

impl Build<'_> {
    /// Builds this project's firmware; `workspace` is the folder with its `Cargo.toml`.
    pub fn firmware(
        &mut self,
        workspace: &Path,
        variant: FirmwareVariant,
    ) -> Result<BuiltFirmware, BuildError> {
        self.project(workspace, "az3166-firmware", variant)
    }

    /// Builds the stub that stands at 0x08000000 where no bootloader of the vendor does.
    pub fn boot_stub(&mut self, workspace: &Path) -> Result<BuiltImage, BuildError> {
        let built = self.project(workspace, "boot-stub", FirmwareVariant::Strict)?;
        Ok(built.image)
    }

    fn project(
        &mut self,
        workspace: &Path,
        program: &str,
        variant: FirmwareVariant,
    ) -> Result<BuiltFirmware, BuildError> {
        let workspace = folder_with_manifest(workspace)?;
        let library = self.bring_standard_library(TARGET, &workspace, Owner::Project)?;
        let metadata = self.metadata(&workspace)?;
        let missing = || BuildError::NoSuchProgram {
            folder: workspace.clone(),
            name: program.into(),
        };
        let package = metadata.package_of(program).ok_or_else(missing)?;
        let output = self.output_folder()?;
        let feature = feature_of(variant).map(|name| format!("{package}/{name}"));
        let mut arguments = vec![
            "--locked", "--target", TARGET, "-p", package, "--bin", program,
        ];
        arguments.extend(feature.iter().flat_map(|name| ["--features", name]));
        let _lock = self.lock()?;
        let settings = Settings {
            owner: Owner::Project,
            encoded_flags: Some(encoded_flags(&metadata, &output, &library)),
            target_dir: output.clone(),
        };
        let executables = self.cargo_build(&workspace, &arguments, &library, settings)?;
        let linked = executables.iter().find(|it| it.name == program);
        let linked = linked.ok_or_else(missing)?;
        let images = output.join("images").join(variant.name());
        BuiltFirmware::store(&linked.path, &images, program)
    }

    /// Builds a user's own firmware, with the toolchain, target and flags that its folder asks for.
    pub fn user_crate(&mut self, folder: &Path) -> Result<BuiltFirmware, BuildError> {
        let folder = folder_with_manifest(folder)?;
        let configured = configured_target(&folder)?;
        let target = configured.as_deref().unwrap_or(TARGET);
        let library = self.bring_standard_library(target, &folder, Owner::User)?;
        let output = self.output_folder()?;
        let _lock = self.lock()?;
        let settings = Settings {
            owner: Owner::User,
            target_dir: output.join("user"),
            encoded_flags: None,
        };
        let executables = self.cargo_build(&folder, &["--target", target], &library, settings)?;
        match executables.as_slice() {
            [Executable { name, path }] => {
                let place = Sha256::digest(folder.as_os_str().as_encoded_bytes());
                let images = format!("{name}-{}", hex::encode(&place[..4]));
                BuiltFirmware::store(path, &output.join("images").join(images), name)
            }
            others => {
                // Cargo reports them in the order in which they happen to be finished.
                let mut names: Vec<String> = others.iter().map(|it| it.name.clone()).collect();
                names.sort();
                Err(BuildError::NotOneProgram { names, folder })
            }
        }
    }

    /// The output folder as an absolute path without links, as cargo and the compiler see it.
    fn output_folder(&self) -> Result<PathBuf, BuildError> {
        fs::create_dir_all(self.output).map_err(BuildError::file("creating", self.output))?;
        self.output
            .canonicalize()
            .map_err(BuildError::file("finding", self.output))
    }

    /// Keeps other builds away from cargo's output until it is copied.
    fn lock(&mut self) -> Result<File, BuildError> {
        let file = lock_file(self.output)?;
        let started = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => {
                    return Err(BuildError::file("locking", self.output)(error));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if !told {
                (self.progress)(Progress::Line("waiting for another build of the firmware"));
                told = true;
            }
            self.limits.check(started)?;
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn folder_with_manifest(folder: &Path) -> Result<PathBuf, BuildError> {
    if !folder.join("Cargo.toml").is_file() {
        return Err(BuildError::NoManifest(folder.into()));
    }
    folder
        .canonicalize()
        .map_err(BuildError::file("finding", folder))
}

#[derive(Deserialize)]
struct Configuration {
    build: Option<BuildSection>,
}

#[derive(Deserialize)]
struct BuildSection {
    target: Option<String>,
}

/// The `build.target` of the nearest `.cargo/config.toml` that has one.
fn configured_target(folder: &Path) -> Result<Option<String>, BuildError> {
    for ancestor in folder.ancestors() {
        let path = ancestor.join(".cargo/config.toml");
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let configuration: Configuration =
            toml::from_str(&text).map_err(|error| BuildError::Unreadable {
                command: path.display().to_string(),
                reason: error.to_string(),
            })?;
        if let Some(target) = configuration.build.and_then(|build| build.target) {
            return Ok(Some(target));
        }
    }
    Ok(None)
}
