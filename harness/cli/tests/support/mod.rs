//! Runs `hil` on firmware that stays the same for as long as a test runs.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use az3166_build::{Build, Limits, Programs};
use az3166_scenario::FirmwareVariant;
use serde_json::Value;

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The strict firmware's ELF file.
pub fn firmware() -> &'static Path {
    static FIRMWARE: OnceLock<PathBuf> = OnceLock::new();
    FIRMWARE.get_or_init(|| built(FirmwareVariant::Strict))
}

/// The ELF file of `variant`, built where that is necessary. It is a copy: a build that goes on
/// beside the tests does not change it.
pub fn built(variant: FirmwareVariant) -> PathBuf {
    let root = root();
    let never = AtomicBool::new(false);
    let mut build = Build {
        output: &root.join("target/firmware"),
        programs: &Programs::default(),
        limits: Limits::new(&never),
        progress: &mut az3166_runner::project::tell,
    };
    let built = build.firmware(&root.join("firmware"), variant);
    let built = built.unwrap_or_else(|error| panic!("there is no firmware: {error}"));
    let name = format!("{}-{}.elf", env!("CARGO_CRATE_NAME"), variant.name());
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::copy(&built.image.elf, &copy).unwrap();
    copy
}

/// `hil` in the checkout, without colours.
pub fn hil<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hil"));
    command
        .args(arguments)
        .current_dir(root())
        .env("NO_COLOR", "1");
    command
}

/// `hil run` with `firmware`, reports to `out`.
pub fn hil_run<'a>(
    firmware: &Path,
    out: &Path,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Command {
    let mut command = hil(["run"]);
    command.arg("--firmware").arg(firmware);
    command.arg("--out").arg(out).args(arguments);
    command
}

/// Runs a command to its end.
pub fn output(mut command: Command) -> Output {
    command.output().unwrap()
}

/// Everything that a command printed.
pub fn printed(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Says that a command ended with `code`.
pub fn assert_exit(output: &Output, code: i32) {
    let shown = printed(output);
    assert_eq!(output.status.code(), Some(code), "{shown}");
}

/// The scenarios of a folder's `summary.json`.
pub fn summary(out: &Path) -> Vec<Value> {
    let text = fs::read(out.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&text).unwrap();
    summary["scenarios"].as_array().unwrap().clone()
}

/// Writes a scenario file into `folder` and names it.
pub fn scenario(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(format!("{name}.yaml"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
