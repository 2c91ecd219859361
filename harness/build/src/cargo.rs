//! Talks to cargo: what a workspace holds, and one build of one program.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::child::{self, Stream};
use crate::environment::{Owner, clean};
use crate::request::Build;
use crate::toolchain::query;
use crate::{BuildError, Progress, StandardLibrary};

/// What `cargo metadata` says, as far as it matters here.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub workspace_root: PathBuf,
    pub packages: Vec<Package>,
}

/// One package of a workspace or among its dependencies.
#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    pub manifest_path: PathBuf,
    /// `None` for a folder on this machine.
    pub source: Option<String>,
    pub targets: Vec<Target>,
}

/// Something that a package builds.
#[derive(Debug, Deserialize)]
pub struct Target {
    pub name: String,
    pub kind: Vec<String>,
}

/// One line of `cargo build --message-format json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// A program that cargo has linked.
#[derive(Debug)]
pub struct Executable {
    pub name: String,
    pub path: PathBuf,
}

impl Metadata {
    /// The package of the workspace's own that builds the program `name`.
    pub fn package_of(&self, name: &str) -> Option<&str> {
        let builds = |package: &&Package| {
            let targets = &mut package.targets.iter();
            package.source.is_none()
                && targets
                    .any(|target| target.name == name && target.kind.iter().any(|it| it == "bin"))
        };
        let package = self.packages.iter().find(builds)?;
        Some(&package.name)
    }
}

impl Build<'_> {
    /// Asks for the workspace's packages; cargo downloads what is missing of their sources.
    pub(crate) fn metadata(&self, folder: &Path) -> Result<Metadata, BuildError> {
        let arguments = ["metadata", "--format-version", "1", "--locked"];
        let text = query(
            &self.programs.cargo,
            &arguments,
            folder,
            Owner::Project,
            self.limits,
        )?;
        serde_json::from_str(&text).map_err(|error| BuildError::Unreadable {
            command: "cargo metadata".into(),
            reason: error.to_string(),
        })
    }

    /// Runs `cargo build` with `arguments` and names the programs that came out.
    pub(crate) fn cargo_build(
        &mut self,
        folder: &Path,
        arguments: &[&str],
        library: &StandardLibrary,
        settings: Settings,
    ) -> Result<Vec<Executable>, BuildError> {
        let mut command = clean(&self.programs.cargo, settings.owner);
        command
            .args(["build", "--release", "--message-format"])
            .arg("json-render-diagnostics")
            .args(arguments)
            .current_dir(folder)
            .env("CARGO_TARGET_DIR", &settings.target_dir)
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "100")
            .env("CARGO_TERM_QUIET", "false")
            .env("CARGO_TERM_VERBOSE", "false");
        if let Some(flags) = settings.encoded_flags {
            command.env("CARGO_ENCODED_RUSTFLAGS", flags);
        }
        if let StandardLibrary::Source(_) = library {
            command
                .arg("-Zbuild-std=core,alloc,compiler_builtins")
                .env("RUSTC_BOOTSTRAP", "1");
        }
        let (mut executables, mut printed) = (Vec::new(), Vec::new());
        let status = child::run(command, self.limits, &mut |stream, line| match stream {
            Stream::Out => executables.extend(executable(line)),
            Stream::Err => {
                let progress = Progress::of_line(line);
                if let Progress::Line(line) = progress {
                    printed.push(line.to_owned());
                }
                (self.progress)(progress);
            }
        })?;
        if status.success() {
            return Ok(executables);
        }
        let from = printed.len().saturating_sub(200);
        Err(BuildError::Failed {
            command: format!("cargo build --release {}", arguments.join(" ")),
            folder: folder.into(),
            output: printed[from..].join("\n"),
        })
    }
}

/// Where and how cargo builds.
pub struct Settings {
    pub owner: Owner,
    pub target_dir: PathBuf,
    /// `None` where the crate's own configuration decides.
    pub encoded_flags: Option<std::ffi::OsString>,
}

fn executable(line: &str) -> Option<Executable> {
    let message: Message = serde_json::from_str(line).ok()?;
    let built = message.reason == "compiler-artifact";
    Some(Executable {
        name: message.target.filter(|_| built)?.name,
        path: message.executable?,
    })
}
