//! Typing and reading on the console.

use az3166_event::{ConsoleEvent, Payload, VirtualTime};
use az3166_scenario::{Console, Input, LinePattern};

use super::{Outcome, StepError, why};
use crate::bench::Waited;
use crate::run::Run;

/// How many of the last lines a failure shows.
const SHOWN: usize = 5;

pub(super) fn console(run: &mut Run<'_>, console: &Console) -> Result<Outcome, StepError> {
    if let Some(input) = &console.input
        && let Some(outcome) = type_input(run, console, input)?
    {
        return Ok(outcome);
    }
    let deadline = run.deadline(console.within);
    let typed_at = run.bench.console.position().max(run.console_start());
    for pattern in &console.expect {
        if let Some(outcome) = expect_line(run, console, pattern, deadline, typed_at)? {
            return Ok(outcome);
        }
    }
    if console.expect.is_empty() && !console.absent.is_empty() {
        run.bench.advance(deadline)?;
        let end = run.bench.console.heard().len();
        if let Some(outcome) = judge_absent(run, console, typed_at, end) {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Passed)
}

fn type_input(
    run: &mut Run<'_>,
    console: &Console,
    input: &Input,
) -> Result<Option<Outcome>, StepError> {
    let text = match input {
        Input::Line(text) => {
            let prompt = super::wait(run, console.within, |bench| {
                bench.console.is_at_prompt().then_some(())
            })?;
            if prompt != Waited::Found(()) {
                let seen = tail(run, &why(&prompt, console.within, run.bench.now()));
                return Ok(Some(Outcome::failed(
                    "the prompt `# `, to type a line",
                    seen,
                )));
            }
            // What was printed before the line was typed answers another one.
            run.bench.console.read_all();
            text
        }
        Input::Keys(text) => text,
    };
    run.watch_typed(text.expose());
    if let Some(outcome) = super::wear::before_typing(run, console)? {
        return Ok(Some(outcome));
    }
    let mut bytes = zeroize::Zeroizing::new(text.expose().as_bytes().to_vec());
    if matches!(input, Input::Line(_)) {
        bytes.push(b'\r');
    }
    let shown = run.bench.taps.mask(&text.masked());
    run.bench
        .record(Payload::Console(ConsoleEvent::Typed { text: shown }));
    run.bench.type_bytes(&bytes)?;
    Ok(None)
}

fn expect_line(
    run: &mut Run<'_>,
    console: &Console,
    pattern: &LinePattern,
    deadline: VirtualTime,
    typed_at: usize,
) -> Result<Option<Outcome>, StepError> {
    let waited = run.bench.wait(deadline, |bench| {
        bench.console.read_to(|heard| {
            heard
                .line
                .as_deref()
                .is_some_and(|line| pattern.matches(line))
        })
    })?;
    if !matches!(waited, Waited::Found(_)) {
        let reason = why(&waited, console.within, run.bench.now());
        return Ok(Some(Outcome::failed(
            format!("a console line with {pattern}"),
            nearest(run, pattern, typed_at, &reason),
        )));
    }
    let end = run.bench.console.position();
    Ok(judge_absent(run, console, typed_at, end))
}

fn judge_absent(run: &Run<'_>, console: &Console, from: usize, to: usize) -> Option<Outcome> {
    let lines = run.bench.console.heard().get(from..to)?;
    for heard in lines {
        let line = heard.line.as_deref().unwrap_or_default();
        if let Some(pattern) = console.absent.iter().find(|pattern| pattern.matches(line)) {
            return Some(Outcome::failed(
                format!("no console line with {pattern}"),
                format!("{} at {}", quoted(run, line), heard.at),
            ));
        }
    }
    None
}

/// The line that comes nearest to the pattern, the reason, and the last lines.
fn nearest(run: &Run<'_>, pattern: &LinePattern, from: usize, reason: &str) -> String {
    let lines = run.bench.console.heard().get(from..).unwrap_or_default();
    let wanted = match pattern {
        LinePattern::Contains(text) => text.expose().to_owned(),
        LinePattern::Matches(_) => String::new(),
    };
    let best = lines
        .iter()
        .filter_map(|heard| heard.line.as_deref())
        .map(|line| (shared_words(&wanted, line), line))
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, _)| *score);
    match best {
        Some((_, line)) => tail(run, &format!("{reason}\nnearest: {}", quoted(run, line))),
        None => tail(run, reason),
    }
}

/// How many words of `wanted` stand in `line`.
fn shared_words(wanted: &str, line: &str) -> usize {
    wanted
        .split_whitespace()
        .filter(|word| word.len() > 2 && line.contains(word))
        .count()
}

/// `reason`, and what the console said last.
pub(crate) fn tail(run: &Run<'_>, reason: &str) -> String {
    let heard = run.bench.console.heard();
    let lines: Vec<String> = heard
        .iter()
        .filter_map(|heard| heard.line.as_deref())
        .filter(|line| !line.trim().is_empty())
        .map(|line| quoted(run, line))
        .collect();
    let last = &lines[lines.len().saturating_sub(SHOWN)..];
    if last.is_empty() {
        return format!("{reason}\nthe console is silent so far");
    }
    format!("{reason}\nlast lines: {}", last.join("\n            "))
}

fn quoted(run: &Run<'_>, line: &str) -> String {
    format!("`{}`", run.bench.taps.mask(line))
}
