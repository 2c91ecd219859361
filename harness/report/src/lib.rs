//! Reports of a run, made from results and events alone: terminal, JSON lines, `summary.json`,
//! `junit.xml`, `index.html` and a folder of evidence for each scenario.
//!
//! Results are masked before they come here. What a device printed is still hostile: every text
//! goes through [`printable`] before it reaches a terminal, XML or HTML.

mod counts;
mod display;
mod failure;
mod files;
mod flake;
mod folder;
mod html;
mod json_lines;
mod junit;
mod parity;
mod summary;
mod terminal;
mod text;

use core::time::Duration;
use std::path::Path;

use az3166_event::ScenarioResult;

pub use counts::Counts;
pub use display::png;
pub use failure::{Style, render_failure};
pub use files::ReportError;
pub use flake::{Steadiness, name_of_run, steadiness};
pub use folder::{files_of, write_folder};
pub use html::html;
pub use json_lines::JsonLines;
pub use junit::junit;
pub use parity::{Aspect, Difference, EXCEPTIONS, Exception, Parity, parity};
pub use summary::summary;
pub use terminal::{Screen, Terminal};
pub use text::{last_lines, printable};

/// What is known about a run as a whole.
#[derive(Clone, Copy, Debug)]
pub struct RunInfo<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The seed.
    pub seed: u64,
    /// How long the run took on the host.
    pub wall: Duration,
}

/// Writes everything into `out`: each scenario's folder and the overview.
///
/// # Errors
/// A file cannot be written.
pub fn write_all(
    out: &Path,
    run: &RunInfo<'_>,
    results: &[ScenarioResult],
) -> Result<(), ReportError> {
    for result in results {
        write_folder(out, result)?;
    }
    write_overview(out, run, results)
}

/// Writes into `out`, where the scenarios' folders lie already, `index.html`, `junit.xml` and,
/// last, so that it speaks of files that are there, `summary.json`. Folders of scenarios that an
/// earlier `summary.json` names and this run does not have are removed.
///
/// # Errors
/// A file cannot be written.
pub fn write_overview(
    out: &Path,
    run: &RunInfo<'_>,
    results: &[ScenarioResult],
) -> Result<(), ReportError> {
    files::make_folder(out)?;
    let summary_path = out.join("summary.json");
    let before = std::fs::read_to_string(&summary_path).unwrap_or_default();
    folder::clear_stale(out, &summary::names_in(&before), results)?;
    files::replace(&out.join("index.html"), html(run, results).as_bytes())?;
    write_junit(&out.join("junit.xml"), out, run, results)?;
    files::replace(&summary_path, summary(results).as_bytes())
}

/// Writes the JUnit report to `path`; the scenarios' folders lie in `out`.
///
/// # Errors
/// The file cannot be written.
pub fn write_junit(
    path: &Path,
    out: &Path,
    run: &RunInfo<'_>,
    results: &[ScenarioResult],
) -> Result<(), ReportError> {
    files::replace(path, junit(run, results, out)?.as_bytes())
}
