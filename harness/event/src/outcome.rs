//! What came out of one scenario: the verdict and the evidence, as the runner hands it to the reports.
//!
//! Everything here is masked already: a report writes these values as they are.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Trace, VirtualTime};

/// Whether a scenario held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every step held and nothing unexpected was found.
    Passed,
    /// The device under test did not do what a step expects.
    Failed(Box<Failure>),
    /// The scenario was not run on this target.
    Skipped {
        /// Why: an unmet need, a firmware without a link channel, a filter.
        reason: String,
    },
    /// The harness or its surroundings failed, so nothing is known about the device.
    Error {
        /// What went wrong.
        what: String,
        /// What the user can do about it; empty when nothing is known to help.
        todo: String,
    },
}

impl Verdict {
    /// The verdict's name in summaries.
    pub const fn kind(&self) -> VerdictKind {
        match self {
            Self::Passed => VerdictKind::Passed,
            Self::Failed(_) => VerdictKind::Failed,
            Self::Skipped { .. } => VerdictKind::Skipped,
            Self::Error { .. } => VerdictKind::Error,
        }
    }
}

/// A verdict without its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// See [`Verdict::Passed`].
    Passed,
    /// See [`Verdict::Failed`].
    Failed,
    /// See [`Verdict::Skipped`].
    Skipped,
    /// See [`Verdict::Error`].
    Error,
}

impl VerdictKind {
    /// The lower-case word that summaries and reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a scenario failed, and where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step's number in the file, from 1; none for what no step asked for, such as a finding.
    pub step: Option<u32>,
    /// The step's verb, or what else judged: `findings`.
    pub verb: String,
    /// Where the expectation stands in the scenario file.
    pub location: Location,
    /// What was expected, in one line.
    pub expected: String,
    /// The nearest thing that was seen; lines are separated by LF.
    pub seen: String,
    /// When the step gave up, on the target's clock.
    pub at: VirtualTime,
}

/// A place in a scenario file, with the line itself so that a report can show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file's path as the user gave it, relative to the workspace root where it lies inside.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters from the column on are meant; at least 1.
    pub width: u32,
    /// The line's text without its line end, secrets masked in place.
    pub text: String,
}

impl fmt::Display for Location {
    /// `file:line:column`, which terminals and editors make clickable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Something that was found, and whether a step asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its stable name: `secret-leak`, `device-id-key-recoverable` ...
    pub id: String,
    /// What was seen and where.
    pub text: String,
    /// Whether an `expect_finding` step names it.
    pub expected: Expectedness,
}

/// Whether something was announced by a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectedness {
    /// A step names it.
    Expected,
    /// No step names it; it fails the scenario.
    Unexpected,
}

/// The picture on the OLED: 128 columns, 64 rows, one bit a pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    rows: Box<[u128; Self::HEIGHT]>,
}

impl Picture {
    /// Columns.
    pub const WIDTH: usize = 128;
    /// Rows.
    pub const HEIGHT: usize = 64;

    /// The picture whose pixel at column `x` from the left and row `y` from the top shines where `lit(x, y)`.
    pub fn from_fn(mut lit: impl FnMut(usize, usize) -> bool) -> Self {
        let mut rows = Box::new([0; Self::HEIGHT]);
        for (y, row) in rows.iter_mut().enumerate() {
            for x in 0..Self::WIDTH {
                *row |= u128::from(lit(x, y)) << x;
            }
        }
        Self { rows }
    }

    /// Whether the pixel at column `x` and row `y` shines; dark outside the picture.
    pub fn is_lit(&self, x: usize, y: usize) -> bool {
        x < Self::WIDTH && self.rows.get(y).is_some_and(|row| row >> x & 1 == 1)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lit: u32 = self.rows.iter().map(|row| row.count_ones()).sum();
        write!(f, "Picture({lit} of 8192 pixels lit)")
    }
}

/// A file of evidence that only some targets have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name, a plain one: `renode.log`.
    pub name: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Everything that is known about one run of one scenario.
#[derive(Clone, Debug)]
pub struct ScenarioResult {
    /// The scenario's name, with its matrix row in brackets: `wrong UDS [digit 3]`.
    pub name: String,
    /// The scenario file's path, relative to the workspace root where it lies inside.
    pub file: String,
    /// The scenario's tags.
    pub tags: Vec<String>,
    /// The target it ran on: `emulator`, `renode`, a board's name.
    pub target: String,
    /// What came out.
    pub verdict: Verdict,
    /// The target's clock at the end.
    pub virtual_time: VirtualTime,
    /// How long the run took on the host.
    pub wall: Duration,
    /// Instructions that the target executed; none where it cannot count them.
    pub instructions: Option<u64>,
    /// All events, masked.
    pub trace: Trace,
    /// All bytes that the device printed on its console, masked, otherwise as they came.
    pub console: Vec<u8>,
    /// The certificate that the device presented last, as PEM.
    pub certificate_pem: Option<String>,
    /// What the display showed at the end.
    pub display: Option<Picture>,
    /// Files that only this target has: its own log, for example. Masked.
    pub attachments: Vec<Attachment>,
    /// Every packet on the link as a pcapng file.
    pub pcapng: Option<Vec<u8>>,
    /// SHA-256 of the firmware's ELF, 64 hex digits.
    pub firmware_sha256: Option<String>,
    /// The seed of everything random in the run.
    pub seed: u64,
    /// What was found, expected or not.
    pub findings: Vec<Finding>,
    /// Failures of earlier attempts; a scenario that passed after one of these is flaky.
    pub earlier_attempts: Vec<Failure>,
}

impl ScenarioResult {
    /// Whether it passed only after an earlier attempt had failed.
    pub fn is_flaky(&self) -> bool {
        self.verdict == Verdict::Passed && !self.earlier_attempts.is_empty()
    }
}

/// The folder that a scenario of this name gets in a report: its letters and digits in lower case,
/// all else as `-`. Two names can share one; a scenario run never has two such scenarios.
pub fn folder_name(scenario: &str) -> String {
    const LONGEST: usize = 80;
    let mut folder = String::new();
    for c in scenario.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => folder.push(c),
            _ if folder.ends_with('-') || folder.is_empty() => {}
            _ => folder.push('-'),
        }
    }
    let folder = folder.trim_end_matches('-');
    // What was lost must still tell two names apart.
    if folder.is_empty() || folder.len() > LONGEST || !scenario.is_ascii() {
        let digest = Sha256::digest(scenario.as_bytes());
        let digest: String = digest
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let kept = &folder[..folder.len().min(LONGEST)];
        return format!("{kept}-{digest}")
            .trim_start_matches('-')
            .to_owned();
    }
    folder.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("wrong UDS [digit 3]", "wrong-uds-digit-3")]
    #[case("../../etc/passwd", "etc-passwd")]
    #[case("über", "ber-b51c8541")]
    #[case("日本", "cf2abf0c")]
    fn folders_are_plain(#[case] name: &str, #[case] folder: &str) {
        assert_eq!(folder_name(name), folder);
    }

    #[test]
    fn folders_are_short_and_never_empty() {
        for name in ["", "...", &"x".repeat(500)] {
            assert!((1..=90).contains(&folder_name(name).len()));
        }
    }

    #[test]
    fn a_picture_keeps_each_pixel() {
        let picture = Picture::from_fn(|x, y| (x * 7 + y * 3).is_multiple_of(5));
        for y in 0..Picture::HEIGHT {
            for x in 0..Picture::WIDTH {
                assert_eq!(picture.is_lit(x, y), (x * 7 + y * 3).is_multiple_of(5));
            }
        }
        assert!(!picture.is_lit(Picture::WIDTH, 0) && !picture.is_lit(0, Picture::HEIGHT));
    }

    #[test]
    fn a_location_is_clickable() {
        let location = Location {
            file: "scenarios/a.yaml".into(),
            line: 7,
            column: 3,
            width: 4,
            text: String::new(),
        };
        assert_eq!(location.to_string(), "scenarios/a.yaml:7:3");
    }
}
