//! Finds Renode on this machine.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fmt, thread};

/// How to get it.
pub const INSTALL: &str = "unpack the Mono build of Renode 1.16 from \
    https://github.com/renode/renode/releases and put it into PATH, or set RENODE to its path";

/// How long `renode --version` may take.
const VERSION_DEADLINE: Duration = Duration::from_secs(30);

/// A Renode that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its executable.
    pub path: PathBuf,
    /// What it says of itself.
    pub version: Version,
}

/// What `renode --version` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major and minor number.
    pub release: (u32, u32),
    /// The whole number: `1.16.1`.
    pub number: String,
    /// What it runs on.
    pub runtime: Runtime,
}

/// What Renode runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Mono.
    Mono,
    /// .NET.
    DotNet,
    /// It does not say.
    Unknown,
}

/// Why there is no Renode.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRenode {
    /// Renode is neither in RENODE nor in PATH
    #[error("Renode is neither in RENODE nor in PATH; {INSTALL}")]
    NotFound,
    /// RENODE names {0}, which is no file
    #[error("RENODE names {0}, which is no file; {INSTALL}")]
    NoFile(String),
    /// {path} does not say its version: {why}
    #[error("{path} does not say its version: {why}; {INSTALL}")]
    NoVersion {
        /// Its path.
        path: String,
        /// What it did instead.
        why: String,
    },
}

impl Program {
    /// The Renode that the variable `RENODE` names, else the first in `PATH`.
    ///
    /// # Errors
    /// [`NoRenode`]
    pub fn find() -> Result<Self, NoRenode> {
        Self::find_in(
            env::var_os("RENODE").as_deref(),
            env::var_os("PATH").as_deref(),
        )
    }

    fn find_in(renode: Option<&OsStr>, path: Option<&OsStr>) -> Result<Self, NoRenode> {
        let path = match renode.filter(|renode| !renode.is_empty()) {
            Some(renode) => {
                let path = PathBuf::from(renode);
                match path.is_file() {
                    true => path,
                    false => return Err(NoRenode::NoFile(path.display().to_string())),
                }
            }
            None => {
                let folders = env::split_paths(path.unwrap_or_default());
                let mut candidates = folders.map(|folder| folder.join("renode"));
                let found = candidates.find(|candidate| candidate.is_file());
                found.ok_or(NoRenode::NotFound)?
            }
        };
        Self::at(&path)
    }

    /// The Renode whose executable is `path`.
    ///
    /// # Errors
    /// [`NoRenode::NoVersion`]
    pub fn at(path: &Path) -> Result<Self, NoRenode> {
        let said = ask(path, VERSION_DEADLINE).and_then(|text| {
            Version::parse(&text).ok_or_else(|| format!("it says `{}`", text.trim()))
        });
        match said {
            Ok(version) => Ok(Self {
                path: path.to_owned(),
                version,
            }),
            Err(why) => Err(NoRenode::NoVersion {
                path: path.display().to_string(),
                why,
            }),
        }
    }

    /// What a user must know before trusting a run on it.
    pub fn warning(&self) -> Option<String> {
        let Version {
            release,
            number,
            runtime,
        } = &self.version;
        match (release, runtime) {
            ((1, 16), Runtime::Mono) => None,
            ((1, 16), _) => Some(format!(
                "Renode {number} ({runtime}) is unverified: only the Mono build has been run"
            )),
            _ => Some(format!(
                "Renode {number} is unsupported: hil is made for 1.16, and may fail in any way"
            )),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version {
            number, runtime, ..
        } = &self.version;
        write!(f, "{number} ({runtime}), {}", self.path.display())
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mono => "Mono",
            Self::DotNet => ".NET",
            Self::Unknown => "unknown runtime",
        })
    }
}

impl Version {
    /// Reads what `renode --version` prints.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Renode")?.trim().strip_prefix('v'))?;
        // The fourth number counts builds.
        let number: Vec<&str> = number
            .split_whitespace()
            .next()?
            .split('.')
            .take(3)
            .collect();
        let mut parts = number.iter().map(|part| part.parse::<u32>().ok());
        let release = (parts.next()??, parts.next()??);
        let runtime = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("runtime:"))
            .map_or(Runtime::Unknown, |runtime| match runtime.trim() {
                runtime if runtime.starts_with("Mono") => Runtime::Mono,
                runtime if runtime.starts_with(".NET") => Runtime::DotNet,
                _ => Runtime::Unknown,
            });
        Some(Self {
            release,
            number: number.join("."),
            runtime,
        })
    }
}

/// What the program prints when it is asked for its version.
fn ask(path: &Path, deadline: Duration) -> Result<String, String> {
    let mut child = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    while child
        .try_wait()
        .map_err(|error| error.to_string())?
        .is_none()
    {
        if started.elapsed() > deadline {
            // It can only have ended meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("no answer within {} s", deadline.as_secs()));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let mut text = Vec::new();
    if let Some(out) = child.stdout.take() {
        // What it left running may hold the pipe open; nobody says more than this of a version.
        let mut buffer = [0; 4096];
        let mut out = out.take(buffer.len() as u64);
        let count = out.read(&mut buffer).map_err(|error| error.to_string())?;
        text.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const MONO: &str = "Renode v1.16.1.99\n  build: d66b0c2a-202611220003\n  build type: Release\n  runtime: Mono 4.0.30319.42000\n";
    const DOT_NET: &str =
        "Renode v1.16.0.1525\n  build: 20ad06d9\n  build type: Release\n  runtime: .NET 8.0.17\n";
    const OLD: &str = "Renode v1.15.3.9042\n  build: 6fa98a54\n  runtime: Mono 6.12\n";

    #[rstest]
    #[case(MONO, Some("1.16.1 (Mono), renode"), None)]
    #[case(
        DOT_NET,
        Some("1.16.0 (.NET), renode"),
        Some("Renode 1.16.0 (.NET) is unverified: only the Mono build has been run")
    )]
    #[case(
        OLD,
        Some("1.15.3 (Mono), renode"),
        Some("Renode 1.15.3 is unsupported: hil is made for 1.16, and may fail in any way")
    )]
    #[case("Renode v2", None, None)]
    #[case("bash: mono: not found", None, None)]
    #[case("", None, None)]
    fn versions(#[case] text: &str, #[case] shown: Option<&str>, #[case] warning: Option<&str>) {
        let program = Version::parse(text).map(|version| Program {
            path: "renode".into(),
            version,
        });
        assert_eq!(program.as_ref().map(ToString::to_string).as_deref(), shown);
        let warned = program.and_then(|program| program.warning());
        assert_eq!(warned.as_deref(), warning);
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        assert_eq!(Program::find_in(None, None), Err(NoRenode::NotFound));
        let empty = tempfile::tempdir().unwrap();
        let here = Some(empty.path().as_os_str());
        assert_eq!(Program::find_in(None, here), Err(NoRenode::NotFound));
        let missing = OsStr::new("/no/such/renode");
        assert_eq!(
            Program::find_in(Some(missing), here)
                .unwrap_err()
                .to_string(),
            format!("RENODE names /no/such/renode, which is no file; {INSTALL}")
        );
    }

    #[cfg(unix)]
    #[rstest]
    #[case("echo 'Renode v1.16.1'", Ok("1.16.1 (unknown runtime)"))]
    #[case("echo hello", Err("it says `hello`"))]
    #[case("exec sleep 100", Err("no answer within 0 s"))]
    fn a_program_is_asked(#[case] script: &str, #[case] expected: Result<&str, &str>) {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("renode");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let deadline = match script.contains("sleep") {
            true => Duration::from_millis(100),
            false => VERSION_DEADLINE,
        };
        let said = ask(&path, deadline).and_then(|text| {
            let version = Version::parse(&text).ok_or(format!("it says `{}`", text.trim()))?;
            Ok(format!("{} ({})", version.number, version.runtime))
        });
        assert_eq!(said.as_deref().map_err(String::as_str), expected);
    }
}
