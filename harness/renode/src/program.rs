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
    /// Major, minor and patch number.
    pub release: (u32, u32, u32),
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

/// How many C# files Renode compiles at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compilation {
    /// All: takes a third of the time.
    AtOnce,
    /// One: Renode 1.16.0 cannot do more.
    OneByOne,
}

impl Compilation {
    /// The script of the `renode/` folder that does it.
    pub fn script(self) -> &'static str {
        match self {
            Self::AtOnce => "peripherals.resc",
            Self::OneByOne => "peripherals-one-by-one.resc",
        }
    }
}

/// Why there is no Renode. What to do about it is [`INSTALL`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRenode {
    /// Renode is neither in RENODE nor in PATH
    #[error("Renode is neither in RENODE nor in PATH")]
    NotFound,
    /// RENODE names {0}, which is no file
    #[error("RENODE names {0}, which is no file")]
    NoFile(String),
    /// {path} does not say its version: {why}
    #[error("{path} does not say its version: {why}")]
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
        Self::at(&Self::locate()?)
    }

    /// Where [`Self::find`] looks, without asking for a version.
    ///
    /// # Errors
    /// [`NoRenode::NotFound`], [`NoRenode::NoFile`]
    pub fn locate() -> Result<PathBuf, NoRenode> {
        Self::locate_in(
            env::var_os("RENODE").as_deref(),
            env::var_os("PATH").as_deref(),
        )
    }

    fn locate_in(renode: Option<&OsStr>, path: Option<&OsStr>) -> Result<PathBuf, NoRenode> {
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
        // It is started in a folder of its own, where a relative path would lead elsewhere.
        Ok(std::path::absolute(&path).unwrap_or(path))
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

    /// How it can compile the platform.
    pub fn compilation(&self) -> Compilation {
        match self.version.release < (1, 16, 1) {
            true => Compilation::OneByOne,
            false => Compilation::AtOnce,
        }
    }

    /// What a user must know before trusting a run on it.
    pub fn warning(&self) -> Option<String> {
        let Version { release, runtime } = &self.version;
        let number = self.version.number();
        match (release, runtime) {
            ((1, 16, _), Runtime::Mono) => None,
            ((1, 16, _), _) => Some(format!(
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
        let (number, runtime) = (self.version.number(), self.version.runtime);
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
        let mut parts = number.split_whitespace().next()?.split('.');
        let mut part = || parts.next()?.parse::<u32>().ok();
        // A fourth number counts builds.
        let release = (part()?, part()?, part()?);
        let runtime = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("runtime:"))
            .map_or(Runtime::Unknown, |runtime| match runtime.trim() {
                runtime if runtime.starts_with("Mono") => Runtime::Mono,
                runtime if runtime.starts_with(".NET") => Runtime::DotNet,
                _ => Runtime::Unknown,
            });
        Some(Self { release, runtime })
    }

    /// The number, as `1.16.1`.
    pub fn number(&self) -> String {
        let (major, minor, patch) = self.release;
        format!("{major}.{minor}.{patch}")
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
    #[case(MONO, "1.16.1 (Mono), renode", None, "peripherals.resc")]
    #[case(
        DOT_NET,
        "1.16.0 (.NET), renode",
        Some("Renode 1.16.0 (.NET) is unverified: only the Mono build has been run"),
        "peripherals-one-by-one.resc"
    )]
    #[case(
        OLD,
        "1.15.3 (Mono), renode",
        Some("Renode 1.15.3 is unsupported: hil is made for 1.16, and may fail in any way"),
        "peripherals-one-by-one.resc"
    )]
    #[case(
        "Renode v1.17.0",
        "1.17.0 (unknown runtime), renode",
        Some("Renode 1.17.0 is unsupported: hil is made for 1.16, and may fail in any way"),
        "peripherals.resc"
    )]
    fn versions(
        #[case] text: &str,
        #[case] shown: &str,
        #[case] warning: Option<&str>,
        #[case] script: &str,
    ) {
        let program = Program {
            path: "renode".into(),
            version: Version::parse(text).unwrap(),
        };
        assert_eq!(program.to_string(), shown);
        assert_eq!(program.warning().as_deref(), warning);
        assert_eq!(program.compilation().script(), script);
    }

    #[rstest]
    #[case("Renode v2")]
    #[case("bash: mono: not found")]
    #[case("")]
    fn no_version(#[case] text: &str) {
        assert_eq!(Version::parse(text), None);
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        assert_eq!(Program::locate_in(None, None), Err(NoRenode::NotFound));
        let empty = tempfile::tempdir().unwrap();
        let here = Some(empty.path().as_os_str());
        assert_eq!(Program::locate_in(None, here), Err(NoRenode::NotFound));
        let missing = OsStr::new("/no/such/renode");
        assert_eq!(
            Program::locate_in(Some(missing), here)
                .unwrap_err()
                .to_string(),
            "RENODE names /no/such/renode, which is no file"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_relative_path_is_made_absolute() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("renode"), "").unwrap();
        let here = env::current_dir().unwrap();
        let up: PathBuf = here.ancestors().skip(1).map(|_| "..").collect();
        let relative = up.join(folder.path().strip_prefix("/").unwrap());
        let executable = relative.join("renode");
        let expected = Ok(here.join(&executable));
        let named = Program::locate_in(Some(executable.as_os_str()), None);
        assert_eq!(named, expected);
        let searched = Program::locate_in(None, Some(relative.as_os_str()));
        assert_eq!(searched, expected);
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
            Ok(format!("{} ({})", version.number(), version.runtime))
        });
        assert_eq!(said.as_deref().map_err(String::as_str), expected);
    }
}
