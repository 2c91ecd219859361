//! `junit.xml`, for continuous integration.

use std::collections::BTreeSet;
use std::path::Path;

use az3166_event::{Failure, ScenarioResult, Verdict, folder_name};
use quick_junit::{
    NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite, XmlString,
};

use crate::failure::{Style, render_failure, title};
use crate::files::ReportError;
use crate::summary::trace_sha256;
use crate::text::{last_lines, one_line, printable};
use crate::{RunInfo, folder};

/// How many of the last console lines go into `system-out`.
const CONSOLE_LINES: usize = 100;

/// The text of `junit.xml`. `out` is where the scenarios' folders lie, as attachments name it.
///
/// # Errors
/// The XML writer refuses a text; nothing that is handed to it should make it.
pub fn junit(
    run: &RunInfo<'_>,
    results: &[ScenarioResult],
    out: &Path,
) -> Result<String, ReportError> {
    let mut suite = TestSuite::new(text(run.target));
    suite.set_time(run.wall);
    suite.add_property(property("seed", &run.seed.to_string()));
    let mut names = BTreeSet::new();
    for result in results {
        let mut case = case(result, out);
        let classname = class_name(result);
        case.set_classname(text(&classname));
        case.name = unique(&mut names, &classname, &one_line(&result.name));
        suite.add_test_case(case);
    }
    let mut report = Report::new("hil");
    report.set_time(run.wall);
    report.add_test_suite(suite);
    report.to_string().map_err(|error| ReportError::Make {
        what: "junit.xml",
        reason: error.to_string(),
    })
}

/// `text` as the XML writer may have it: it would drop escape sequences and what follows them.
fn text(text: &str) -> XmlString {
    XmlString::new(printable(text.as_bytes()))
}

fn property(name: &str, value: &str) -> Property {
    Property::new(name, one_line(value))
}

/// `emulator.scenarios.tutorial`: target and file, as a class in its packages.
fn class_name(result: &ScenarioResult) -> String {
    let file = result.file.trim_start_matches("./");
    let file = file
        .strip_suffix(".yaml")
        .or_else(|| file.strip_suffix(".yml"))
        .unwrap_or(file);
    let file = file.trim_start_matches('/').replace(['/', '\\'], ".");
    one_line(&format!("{}.{file}", result.target))
}

/// `name`, with a number where another case of the class has it.
fn unique(names: &mut BTreeSet<(String, String)>, classname: &str, name: &str) -> XmlString {
    let candidates = (1..).map(|number| match number {
        1 => name.to_owned(),
        number => format!("{name} ({number})"),
    });
    let free = candidates
        .map(|candidate| (classname.to_owned(), candidate))
        .find(|candidate| names.insert(candidate.clone()));
    XmlString::new(free.map(|(_, name)| name).unwrap_or_default())
}

fn case(result: &ScenarioResult, out: &Path) -> TestCase {
    let console = last_lines(&result.console, CONSOLE_LINES);
    let mut case = TestCase::new("", status(result, &console));
    case.set_time(result.wall);
    case.extra
        .insert("file".into(), text(&one_line(&result.file)));
    case.add_property(property("target", &result.target));
    if let Some(sha256) = &result.firmware_sha256 {
        case.add_property(property("firmware_sha256", sha256));
    }
    case.add_property(property("seed", &result.seed.to_string()));
    let seconds = format!("{:.6}", result.virtual_time.as_secs_f64());
    case.add_property(property("virtual_seconds", &seconds));
    if let Some(instructions) = result.instructions {
        case.add_property(property("instructions", &instructions.to_string()));
    }
    if let Some(sha256) = trace_sha256(result) {
        case.add_property(property("trace_sha256", &sha256));
    }
    if !result.tags.is_empty() {
        case.add_property(property("tags", &result.tags.join(" ")));
    }
    for finding in &result.findings {
        case.add_property(property(
            &format!("finding {}", one_line(&finding.id)),
            &finding.text,
        ));
    }
    let folder = out.join(folder_name(&result.name));
    let attachments = folder::files_of(result)
        .into_iter()
        .map(|name| format!("[[ATTACHMENT|{}]]", folder.join(name).display()));
    let lines: Vec<String> = console.into_iter().chain(attachments).collect();
    if !lines.is_empty() {
        case.set_system_out(text(&lines.join("\n")));
    }
    case
}

fn status(result: &ScenarioResult, console: &[String]) -> TestCaseStatus {
    let reruns = result.earlier_attempts.iter().map(rerun);
    match &result.verdict {
        Verdict::Passed => {
            let mut status = TestCaseStatus::success();
            status.add_reruns(reruns);
            status
        }
        Verdict::Failed(failure) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let shown = &console[console.len().saturating_sub(10)..];
            status
                .set_message(text(&message(failure)))
                .set_type(text(&failure.verb))
                .set_description(text(&render_failure(failure, shown, Style::Plain)));
            status.add_reruns(reruns);
            status
        }
        Verdict::Error { what, todo } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status
                .set_message(text(&one_line(what)))
                .set_type("infrastructure");
            if !todo.is_empty() {
                status.set_description(text(todo));
            }
            status.add_reruns(reruns);
            status
        }
        Verdict::Skipped { reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(text(&one_line(reason)));
            status
        }
    }
}

/// The failure in one line with its place: `scenarios/a.yaml:7:5: step 5, ...: expected ...`.
fn message(failure: &Failure) -> String {
    let expected = one_line(&failure.expected);
    format!(
        "{}: {}: expected {expected}",
        failure.location,
        title(failure)
    )
}

fn rerun(failure: &Failure) -> TestRerun {
    // Trouble of the infrastructure is no verdict on the device, whatever came after it.
    let kind = match failure.verb.as_str() {
        "infrastructure" => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut rerun = TestRerun::new(kind);
    rerun
        .set_message(text(&message(failure)))
        .set_type(text(&failure.verb))
        .set_description(text(&render_failure(failure, &[], Style::Plain)));
    rerun
}
