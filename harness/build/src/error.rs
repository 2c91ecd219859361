use std::io;
use std::path::PathBuf;
use std::time::Duration;

use az3166_identity::ImageError;
use thiserror::Error;

/// Why there is no firmware. All of these are trouble with the infrastructure, none is a verdict.
#[derive(Debug, Error)]
pub enum BuildError {
    /// there is no Cargo.toml in {0}; give the folder of a crate, or an ELF file
    #[error("there is no Cargo.toml in {0}; give the folder of a crate, or an ELF file")]
    NoManifest(PathBuf),
    /// `{program}` could not be started ({source}); install Rust from https://rustup.rs and put it into PATH
    #[error(
        "`{program}` could not be started ({source}); install Rust from https://rustup.rs and put it into PATH"
    )]
    NotStarted {
        /// The program's name or path.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// the standard library of the target {target} is not installed and could not be added ({reason}); run `rustup target add {target}` where downloads are possible, or `rustup component add rust-src`
    #[error(
        "the standard library of the target {target} is not installed and could not be added ({reason}); run `rustup target add {target}` where downloads are possible, or `rustup component add rust-src`"
    )]
    TargetMissing {
        /// The target's triple.
        target: String,
        /// What the attempt to add it said.
        reason: String,
    },
    /// `{command}` failed in {folder}: {output}
    #[error("`{command}` failed in {folder}:\n{output}")]
    Failed {
        /// The command line, without its environment.
        command: String,
        /// Where it ran.
        folder: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// `{command}` printed something else than expected: {reason}
    #[error("`{command}` printed something else than expected: {reason}")]
    Unreadable {
        /// The command line.
        command: String,
        /// What was wrong with it.
        reason: String,
    },
    /// {folder} builds no program named {name}
    #[error("{folder} builds no program named {name}")]
    NoSuchProgram {
        /// The workspace.
        folder: PathBuf,
        /// The binary target's name.
        name: String,
    },
    /// {folder} builds {} programs ({names}), so which is the firmware is not known; give one crate's folder or an ELF file
    #[error(
        "{folder} builds {} programs ({}), so which is the firmware is not known; give one crate's folder or an ELF file",
        .names.len(), .names.join(", ")
    )]
    NotOneProgram {
        /// The crate or workspace.
        folder: PathBuf,
        /// The names of all of them.
        names: Vec<String>,
    },
    /// {path} is no firmware image: {source}
    #[error("{path} is no firmware image: {source}")]
    Image {
        /// The linked file.
        path: PathBuf,
        /// Why not.
        source: ImageError,
    },
    /// {doing} {path} failed: {source}
    #[error("{doing} {path} failed: {source}")]
    File {
        /// `reading`, `writing` ...
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// the build was cancelled
    #[error("the build was cancelled")]
    Cancelled,
    /// the build took longer than {} s and was stopped
    #[error("the build took longer than {} s and was stopped", .after.as_secs())]
    TooLong {
        /// The limit.
        after: Duration,
    },
}

impl BuildError {
    /// For `map_err` after an operation on a file.
    pub(crate) fn file(
        doing: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}
