//! What people see while scenarios run, and after.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Style as Colour};
use az3166_event::{Progress, ScenarioResult, Verdict};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::failure::{Style, render_failure};
use crate::flake::{Steadiness, steadiness};
use crate::text::{last_lines, one_line, printable};
use crate::{Counts, RunInfo};

const GOOD: Colour = AnsiColor::Green.on_default().bold();
const BAD: Colour = AnsiColor::Red.on_default().bold();
const WARNING: Colour = AnsiColor::Yellow.on_default().bold();
const QUIET: Colour = AnsiColor::BrightBlack.on_default();
const STRONG: Colour = Colour::new().bold();

/// How many of the last console lines a failure shows.
const CONSOLE_LINES: usize = 8;

/// Where progress can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A terminal whose lines can be redrawn: running scenarios stand at its bottom.
    Live,
    /// A file or a pipe: a line for each scenario that ended.
    Lines,
}

/// Writes progress, verdicts and failures for people. It may be called from many threads.
pub struct Terminal<W> {
    style: Style,
    bars: MultiProgress,
    state: Mutex<State<W>>,
}

struct State<W> {
    out: W,
    total: Option<ProgressBar>,
    running: BTreeMap<String, ProgressBar>,
}

impl<W: Write> Terminal<W> {
    /// Writes to `out`; where the screen is live, running scenarios are drawn on standard error.
    pub fn new(out: W, screen: Screen, style: Style) -> Self {
        let bars = MultiProgress::new();
        if screen == Screen::Lines {
            bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        let state = State {
            out,
            total: None,
            running: BTreeMap::new(),
        };
        Self {
            style,
            bars,
            state: Mutex::new(state),
        }
    }

    /// Shows one piece of news.
    ///
    /// # Errors
    /// The writer fails.
    pub fn take(&self, progress: Progress<'_>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::RunStarted {
                scenarios,
                target,
                seed,
            } => {
                let bar = self.bars.add(ProgressBar::new(scenarios as u64));
                bar.set_style(bar_style("{bar:24.green} {pos}/{len} scenarios  {elapsed}"));
                state.total = Some(bar);
                let target = one_line(target);
                let noun = plural(scenarios, "scenario");
                self.print(
                    &mut state,
                    &format!("running {noun} on {target}, seed {seed}"),
                )
            }
            Progress::Preparing { what } => {
                let what = self.paint(QUIET, &one_line(what));
                self.print(&mut state, &what)
            }
            Progress::ScenarioStarted { name, .. } => {
                let name = one_line(name);
                let bar = ProgressBar::new_spinner();
                let bar = match &state.total {
                    Some(total) => self.bars.insert_before(total, bar),
                    None => self.bars.add(bar),
                };
                bar.set_style(bar_style("  {spinner} {wide_msg}"));
                bar.set_message(name.clone());
                state.running.insert(name, bar);
                Ok(())
            }
            Progress::StepStarted {
                name,
                step,
                verb,
                at,
            } => {
                let name = one_line(name);
                if let Some(bar) = state.running.get(&name) {
                    let verb = one_line(verb);
                    bar.set_message(format!("{name}: step {step}, {verb}, {at} virtual"));
                    bar.tick();
                }
                Ok(())
            }
            Progress::ScenarioFinished { result } => {
                if let Some(bar) = state.running.remove(&one_line(&result.name)) {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                if let Some(total) = &state.total {
                    total.inc(1);
                }
                self.print(&mut state, &self.verdict(result))
            }
            Progress::Interrupted => {
                let text = self.paint(WARNING, "interrupted; giving up the running scenarios");
                self.print(&mut state, &text)
            }
        }
    }

    /// Shows the end: reasons of skips, failed scenarios by name, counts.
    ///
    /// # Errors
    /// The writer fails.
    pub fn finish(&self, run: &RunInfo<'_>, results: &[ScenarioResult]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in core::mem::take(&mut state.running)
            .into_values()
            .chain(state.total.take())
        {
            bar.finish_and_clear();
        }
        self.print(&mut state, &self.closing(run, results))
    }

    fn print(&self, state: &mut State<W>, text: &str) -> io::Result<()> {
        self.bars.suspend(|| {
            writeln!(state.out, "{text}")?;
            state.out.flush()
        })
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        match self.style {
            Style::Plain => text.to_owned(),
            Style::Coloured => format!("{colour}{text}{colour:#}"),
        }
    }

    /// The line of a scenario that ended, and what explains a bad end.
    fn verdict(&self, result: &ScenarioResult) -> String {
        let name = self.paint(STRONG, &one_line(&result.name));
        let times = self.paint(QUIET, &times(result));
        match &result.verdict {
            Verdict::Passed if result.is_flaky() => {
                let failed = plural(result.earlier_attempts.len(), "earlier attempt");
                format!(
                    "{} {name}  {times}  after {failed}",
                    self.paint(WARNING, "FLAKY")
                )
            }
            Verdict::Passed => format!(" {} {name}  {times}", self.paint(GOOD, "PASS")),
            Verdict::Skipped { reason } => {
                format!(
                    " {} {name}: {}",
                    self.paint(WARNING, "SKIP"),
                    one_line(reason)
                )
            }
            Verdict::Failed(failure) => {
                let console = last_lines(&result.console, CONSOLE_LINES);
                let block = render_failure(failure, &console, self.style);
                format!(" {} {name}  {times}\n{block}\n", self.paint(BAD, "FAIL"))
            }
            Verdict::Error { what, todo } => {
                let mut text = format!("{} {name}", self.paint(BAD, "ERROR"));
                for (label, part) in [("error", what), ("help", todo)] {
                    if !part.is_empty() {
                        let part = indented(part);
                        text.push_str(&format!("\n      {}: {part}", self.paint(STRONG, label)));
                    }
                }
                text
            }
        }
    }

    fn closing(&self, run: &RunInfo<'_>, results: &[ScenarioResult]) -> String {
        let mut text = String::new();
        for (reason, names) in skips(results) {
            let label = self.paint(WARNING, "skipped");
            text.push_str(&format!(
                "\n{label}: {reason} ({})\n",
                plural(names.len(), "scenario")
            ));
            for name in names {
                text.push_str(&format!("  {name}\n"));
            }
        }
        let bad = |result: &&ScenarioResult| {
            matches!(result.verdict, Verdict::Failed(_) | Verdict::Error { .. })
        };
        let bad: Vec<&ScenarioResult> = results.iter().filter(bad).collect();
        if !bad.is_empty() {
            text.push_str(&format!("\n{}:\n", self.paint(BAD, "not passed")));
        }
        for result in bad {
            let place = match &result.verdict {
                Verdict::Failed(failure) => failure.location.to_string(),
                _ => result.file.clone(),
            };
            let name = one_line(&result.name);
            let place = self.paint(QUIET, &one_line(&place));
            text.push_str(&format!("  {} {name}  {place}\n", result.verdict.kind()));
        }
        text.push_str(&self.unsteady(results));
        format!("{text}\n{}", self.counts(run, results))
    }

    /// Where scenarios were run several times: how many ended alike, and those that did not.
    fn unsteady(&self, results: &[ScenarioResult]) -> String {
        let all = steadiness(results);
        let steady = all.iter().filter(|entry| entry.is_steady()).count();
        let mut text = match all.len() {
            0 => return String::new(),
            count => format!("\nsteady: {steady} of {}\n", plural(count, "scenario")),
        };
        for entry in all.iter().filter(|entry| !entry.is_steady()) {
            let Steadiness {
                runs,
                passed,
                flaky,
                failed,
                errors,
                ..
            } = entry;
            let name = one_line(&entry.name);
            text.push_str(&format!(
                "  {} {name}: of {runs} runs {passed} passed, {flaky} of these flaky, {failed} failed, {errors} not judged\n",
                self.paint(WARNING, "flaky")
            ));
        }
        let traces = all.iter().filter(|entry| entry.traces > 1).count();
        if traces > 0 {
            let noun = plural(traces, "scenario");
            text.push_str(&format!("  different traces in runs of {noun}\n"));
        }
        text
    }

    fn counts(&self, run: &RunInfo<'_>, results: &[ScenarioResult]) -> String {
        let counts = Counts::of(results);
        let mut parts = vec![self.paint(GOOD, &format!("{} passed", counts.passed))];
        let others = [
            (counts.flaky, "flaky", WARNING),
            (counts.failed, "failed", BAD),
            (counts.errors, "not judged", BAD),
            (counts.skipped, "skipped", WARNING),
        ];
        for (count, word, colour) in others {
            if count > 0 {
                parts.push(self.paint(colour, &format!("{count} {word}")));
            }
        }
        let noun = plural(counts.all(), "scenario");
        let seconds = run.wall.as_secs_f64();
        format!("{noun}: {}, in {seconds:.1} s", parts.join(", "))
    }
}

fn times(result: &ScenarioResult) -> String {
    let virtual_seconds = result.virtual_time.as_secs_f64();
    let wall = result.wall.as_secs_f64();
    format!("{virtual_seconds:.1} s virtual, {wall:.2} s")
}

/// The names of skipped scenarios by their reason.
fn skips(results: &[ScenarioResult]) -> BTreeMap<String, Vec<String>> {
    let mut skips: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for result in results {
        if let Verdict::Skipped { reason } = &result.verdict {
            skips
                .entry(one_line(reason))
                .or_default()
                .push(one_line(&result.name));
        }
    }
    skips
}

fn indented(text: &str) -> String {
    printable(text.as_bytes()).replace('\n', "\n        ")
}

fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// The templates are constants, so a wrong one would show in every run; then the default serves.
fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
