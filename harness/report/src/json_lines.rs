//! `--json`: one JSON object a line for each piece of news.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use az3166_event::{Failure, Progress, ScenarioResult, Verdict};
use serde_json::{Value, json};

use crate::flake::steadiness;
use crate::summary::trace_sha256;
use crate::{Counts, RunInfo};

/// Writes progress as JSON lines. It may be called from many threads.
pub struct JsonLines<W>(Mutex<W>);

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(out))
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The writer fails.
    pub fn take(&self, progress: Progress<'_>) -> io::Result<()> {
        self.write(&line(progress))
    }

    /// Writes the last line: the counts.
    ///
    /// # Errors
    /// The writer fails.
    pub fn finish(&self, run: &RunInfo<'_>, results: &[ScenarioResult]) -> io::Result<()> {
        self.write(&json!({
            "event": "run_finished",
            "target": run.target,
            "seed": run.seed,
            "wall_seconds": run.wall.as_secs_f64(),
            "counts": Counts::of(results),
            "steadiness": steadiness(results),
        }))
    }

    fn write(&self, line: &Value) -> io::Result<()> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(out, "{line}")?;
        out.flush()
    }
}

fn line(progress: Progress<'_>) -> Value {
    match progress {
        Progress::RunStarted {
            scenarios,
            target,
            seed,
        } => json!({
            "event": "run_started", "scenarios": scenarios, "target": target, "seed": seed,
        }),
        Progress::Preparing { what } => json!({"event": "preparing", "what": what}),
        Progress::ScenarioStarted { name, file } => {
            json!({"event": "scenario_started", "name": name, "file": file})
        }
        Progress::StepStarted {
            name,
            step,
            verb,
            at,
        } => json!({
            "event": "step_started", "name": name, "step": step, "verb": verb,
            "virtual_seconds": at.as_secs_f64(),
        }),
        Progress::ScenarioFinished { result } => finished(result),
        Progress::Interrupted => json!({"event": "interrupted"}),
    }
}

fn finished(result: &ScenarioResult) -> Value {
    let mut line = json!({
        "event": "scenario_finished",
        "name": result.name,
        "file": result.file,
        "target": result.target,
        "verdict": result.verdict.kind(),
        "flaky": result.is_flaky(),
        "virtual_seconds": result.virtual_time.as_secs_f64(),
        "wall_seconds": result.wall.as_secs_f64(),
        "instructions": result.instructions,
        "trace_sha256": trace_sha256(result),
        "findings": result.findings.iter().map(|finding| json!({
            "id": finding.id,
            "text": finding.text,
            "expected": finding.expected == az3166_event::Expectedness::Expected,
        })).collect::<Vec<_>>(),
    });
    match &result.verdict {
        Verdict::Passed => {}
        Verdict::Failed(failure) => line["failure"] = failed(failure),
        Verdict::Skipped { reason } => line["reason"] = reason.as_str().into(),
        Verdict::Error { what, todo } => line["error"] = json!({"what": what, "todo": todo}),
    }
    line
}

fn failed(failure: &Failure) -> Value {
    json!({
        "step": failure.step,
        "verb": failure.verb,
        "file": failure.location.file,
        "line": failure.location.line,
        "column": failure.location.column,
        "expected": failure.expected,
        "seen": failure.seen,
        "virtual_seconds": failure.at.as_secs_f64(),
    })
}
