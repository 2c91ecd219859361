//! The folder of a scenario's evidence.

use std::path::{Path, PathBuf};

use az3166_event::{ScenarioResult, VerdictKind, folder_name};

use crate::files::{self, ReportError};

/// One event a line, as JSON.
pub const TRACE: &str = "trace.jsonl";
/// What the device printed.
pub const CONSOLE: &str = "console.log";
/// The certificate that the device presented last.
pub const CERTIFICATE: &str = "certificate.pem";
/// What the display showed at the end.
pub const DISPLAY: &str = "display.png";
/// Every packet on the link.
pub const NETWORK: &str = "network.pcapng";

/// The folder for files that only some targets have.
const ATTACHMENTS: &str = "attachments";

/// All other files that a folder can have.
const ALL: [&str; 5] = [TRACE, CONSOLE, CERTIFICATE, DISPLAY, NETWORK];

/// Writes `result`'s files into its folder below `out` and removes those of an earlier run that
/// it does not have. A skipped scenario gets no folder.
///
/// # Errors
/// A file cannot be written.
pub fn write_folder(out: &Path, result: &ScenarioResult) -> Result<(), ReportError> {
    let folder = out.join(folder_name(&result.name));
    if result.verdict.kind() == VerdictKind::Skipped && result.trace.events().is_empty() {
        return clear(&folder);
    }
    files::make_folder(&folder)?;
    for (name, contents) in contents(result)? {
        let path = folder.join(name);
        match contents {
            Some(contents) => files::replace(&path, &contents)?,
            None => files::remove(&path)?,
        }
    }
    let attachments = folder.join(ATTACHMENTS);
    files::remove_folder(&attachments)?;
    for attachment in &result.attachments {
        files::make_folder(&attachments)?;
        files::replace(&attachments.join(attachment.name), &attachment.bytes)?;
    }
    Ok(())
}

/// The names of the files that [`write_folder`] writes for `result`.
pub fn files_of(result: &ScenarioResult) -> Vec<String> {
    if result.verdict.kind() == VerdictKind::Skipped && result.trace.events().is_empty() {
        return Vec::new();
    }
    let has = [
        true,
        true,
        result.certificate_pem.is_some(),
        result.display.is_some(),
        result.pcapng.is_some(),
    ];
    let known = ALL.into_iter().zip(has).filter(|(_, has)| *has);
    let attached = result.attachments.iter();
    let attached = attached.map(|attachment| format!("{ATTACHMENTS}/{}", attachment.name));
    known
        .map(|(name, _)| name.to_owned())
        .chain(attached)
        .collect()
}

/// A file's name and what it holds; nothing where there is no such evidence.
type Contents = (&'static str, Option<Vec<u8>>);

fn contents(result: &ScenarioResult) -> Result<[Contents; 5], ReportError> {
    let display = result.display.as_ref().map(crate::display::png).transpose();
    let display = display.map_err(|error| ReportError::Make {
        what: DISPLAY,
        reason: error.to_string(),
    })?;
    Ok([
        (TRACE, Some(trace(result))),
        (CONSOLE, Some(result.console.clone())),
        (
            CERTIFICATE,
            result.certificate_pem.clone().map(String::into_bytes),
        ),
        (DISPLAY, display),
        (NETWORK, result.pcapng.clone()),
    ])
}

fn trace(result: &ScenarioResult) -> Vec<u8> {
    let mut lines = Vec::new();
    for event in result.trace.events() {
        lines.extend_from_slice(event.to_line().as_bytes());
        lines.push(b'\n');
    }
    lines
}

/// Removes a folder of an earlier run: its known files, and itself if nothing else is in it.
fn clear(folder: &Path) -> Result<(), ReportError> {
    for name in ALL {
        files::remove(&folder.join(name))?;
    }
    files::remove_folder(&folder.join(ATTACHMENTS))?;
    // What else lies in it is not ours.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

/// Removes the folders of the scenarios `before` that are not among `results`.
pub fn clear_stale(
    out: &Path,
    before: &[String],
    results: &[ScenarioResult],
) -> Result<(), ReportError> {
    let kept: std::collections::BTreeSet<String> = results
        .iter()
        .map(|result| folder_name(&result.name))
        .collect();
    let stale = before
        .iter()
        .map(|name| folder_name(name))
        .filter(|name| !kept.contains(name));
    let folders: Vec<PathBuf> = stale.map(|name| out.join(name)).collect();
    folders.iter().try_for_each(|folder| clear(folder))
}
