//! Reading the OLED.

use az3166_scenario::{Display, Shows};

use super::{Outcome, StepError, why};
use crate::bench::{Bench, Waited};
use crate::run::Run;
use crate::screen;

pub(super) fn display(run: &mut Run<'_>, display: &Display) -> Result<Outcome, StepError> {
    let place = match display.line {
        Some(row) => format!("line {} of the display", row.number()),
        None => "a line of the display".into(),
    };
    let expected = match &display.shows {
        Shows::Exactly(text) => format!("{place} to show `{}`", text.expose().trim()),
        Shows::Contains(text) => format!("{place} to contain `{}`", text.expose()),
        Shows::Lacks(text) => return Ok(lacks(run, display, text.expose(), &place)),
    };
    let wanted = |line: &str| match &display.shows {
        Shows::Exactly(text) => line.trim() == text.expose().trim(),
        Shows::Contains(text) => line.contains(text.expose()),
        Shows::Lacks(_) => false,
    };
    let waited = super::wait(run, display.within, |bench| {
        let lines = looked_at(bench, display);
        lines.iter().any(|line| wanted(line)).then_some(())
    })?;
    if waited == Waited::Found(()) {
        return Ok(Outcome::Passed);
    }
    let reason = why(&waited, display.within, run.bench.now());
    Ok(Outcome::failed(
        expected,
        format!("{reason}\n{}", shown(run)),
    ))
}

fn lacks(run: &mut Run<'_>, display: &Display, text: &str, place: &str) -> Outcome {
    if looked_at(&mut run.bench, display)
        .iter()
        .any(|line| line.contains(text))
    {
        return Outcome::failed(format!("{place} without `{text}`"), shown(run));
    }
    Outcome::Passed
}

fn looked_at(bench: &mut Bench, display: &Display) -> Vec<String> {
    let lines = bench
        .target()
        .picture()
        .map(|picture| screen::lines(&picture))
        .unwrap_or_default();
    match display.line {
        Some(row) => lines.into_iter().skip(row.index()).take(1).collect(),
        None => lines,
    }
}

fn shown(run: &mut Run<'_>) -> String {
    match run.bench.target().picture() {
        Some(picture) => {
            let lines = screen::lines(&picture).join("|");
            format!("the display shows |{}|", run.bench.taps.mask(&lines))
        }
        None => "the display is dark".into(),
    }
}
