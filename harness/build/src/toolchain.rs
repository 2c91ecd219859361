//! Brings the standard library of the firmware's target.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::child::{self, Stream};
use crate::environment::{Owner, clean};
use crate::request::Build;
use crate::{BuildError, Limits, Progress};

/// The programs that builds start.
#[derive(Clone, Debug)]
pub struct Programs {
    /// cargo, or a proxy of it.
    pub cargo: OsString,
    /// The compiler.
    pub rustc: OsString,
    /// The toolchain manager; it need not exist.
    pub rustup: OsString,
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            cargo: "cargo".into(),
            rustc: "rustc".into(),
            rustup: "rustup".into(),
        }
    }
}

/// Where a target's standard library comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StandardLibrary {
    /// It is installed beside the compiler.
    Installed,
    /// Its sources lie in this folder and can be built.
    Source(PathBuf),
    /// Neither.
    Missing,
}

/// Looks for `target`'s standard library as seen from `folder`, which a toolchain file may govern.
pub fn standard_library(
    target: &str,
    folder: &Path,
    programs: &Programs,
    limits: Limits<'_>,
) -> Result<StandardLibrary, BuildError> {
    let ask = |what: &[&str]| query(&programs.rustc, what, folder, Owner::Project, limits);
    if has_core(&ask(&["--print", "target-libdir", "--target", target])?) {
        return Ok(StandardLibrary::Installed);
    }
    let source = Path::new(&ask(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    Ok(match source.join("library/core/Cargo.toml").is_file() {
        true => StandardLibrary::Source(source),
        false => StandardLibrary::Missing,
    })
}

impl Build<'_> {
    /// In the proven order: what is installed, then `rustup target add`, then the sources.
    pub(crate) fn bring_standard_library(
        &mut self,
        target: &str,
        folder: &Path,
        owner: Owner,
    ) -> Result<StandardLibrary, BuildError> {
        let look = || standard_library(target, folder, self.programs, self.limits);
        if look()? == StandardLibrary::Installed {
            return Ok(StandardLibrary::Installed);
        }
        let line = format!("adding the Rust target {target}: `rustup target add {target}`");
        (self.progress)(Progress::Line(&line));
        let reason = match self.rustup_target_add(target, folder, owner) {
            Ok(()) => "rustup added it, yet it is not there".to_owned(),
            Err(error @ (BuildError::Cancelled | BuildError::TooLong { .. })) => return Err(error),
            Err(BuildError::NotStarted { source, .. }) => format!("no rustup: {source}"),
            Err(BuildError::Failed { output, .. }) => format!("rustup says: {output}"),
            Err(error) => error.to_string(),
        };
        match standard_library(target, folder, self.programs, self.limits)? {
            StandardLibrary::Missing => Err(BuildError::TargetMissing {
                target: target.into(),
                reason,
            }),
            StandardLibrary::Source(source) => {
                let line = format!(
                    "the target could not be added ({reason}); building its standard library from {}",
                    source.display()
                );
                (self.progress)(Progress::Line(&line));
                Ok(StandardLibrary::Source(source))
            }
            StandardLibrary::Installed => Ok(StandardLibrary::Installed),
        }
    }

    fn rustup_target_add(
        &mut self,
        target: &str,
        folder: &Path,
        owner: Owner,
    ) -> Result<(), BuildError> {
        let arguments = ["target", "add", target];
        let mut command = clean(&self.programs.rustup, owner);
        command.args(arguments).current_dir(folder);
        let mut output = Vec::new();
        let status = child::run(command, self.limits, &mut |_, line| {
            (self.progress)(Progress::Line(line));
            output.push(line.to_owned());
        })?;
        if status.success() {
            return Ok(());
        }
        let said = output.iter().rfind(|line| line.starts_with("error"));
        Err(BuildError::Failed {
            command: "rustup target add".into(),
            folder: folder.into(),
            output: said.or(output.last()).cloned().unwrap_or_default(),
        })
    }
}

fn has_core(libdir: &str) -> bool {
    std::fs::read_dir(libdir).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

/// The first line that `program` prints when it is asked for its version by `argument`; `None` where
/// there is no such program.
pub fn version_of(program: &str, argument: &str, limits: Limits<'_>) -> Option<String> {
    let folder = Path::new(".");
    let text = query(
        OsStr::new(program),
        &[argument],
        folder,
        Owner::Project,
        limits,
    )
    .ok()?;
    text.lines().next().map(str::to_owned)
}

/// What a command prints.
pub(crate) fn query(
    program: &OsStr,
    arguments: &[&str],
    folder: &Path,
    owner: Owner,
    limits: Limits<'_>,
) -> Result<String, BuildError> {
    let mut command = clean(program, owner);
    command.args(arguments).current_dir(folder);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = child::run(command, limits, &mut |stream, line| match stream {
        Stream::Out => out.push(line.to_owned()),
        Stream::Err => err.push(line.to_owned()),
    })?;
    if status.success() {
        Ok(out.join("\n"))
    } else {
        let name = program.to_string_lossy();
        Err(BuildError::Failed {
            command: format!("{name} {}", arguments.join(" ")),
            folder: folder.into(),
            output: err.join("\n"),
        })
    }
}
