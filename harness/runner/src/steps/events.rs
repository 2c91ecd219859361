//! Judging the stream of events itself.

use az3166_event::Event;
use az3166_scenario::{
    ExpectEvent, ExpectFinding, ExpectNoFinding, ExpectTrace, Since, find_in_order,
};

use super::{Outcome, StepError, why};
use crate::bench::Waited;
use crate::run::Run;

fn start(run: &Run<'_>, since: Since) -> usize {
    match since {
        Since::Start => 0,
        Since::LastReset => run.started_at(),
    }
}

pub(super) fn expect_event(
    run: &mut Run<'_>,
    expected: &ExpectEvent,
) -> Result<Outcome, StepError> {
    let from = start(run, expected.since);
    let pattern = expected.pattern();
    let count_in = |events: &[Event]| {
        let count = events.iter().filter(|event| pattern.matches(event)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let waited = if expected.count.is_bounded() {
        super::wait_out(run, expected.within)?;
        Waited::TimedOut
    } else {
        super::wait(run, expected.within, |bench| {
            expected
                .count
                .holds(count_in(bench.events_since(from)))
                .then_some(())
        })?
    };
    let count = count_in(run.bench.events_since(from));
    if expected.count.holds(count) {
        return Ok(Outcome::Passed);
    }
    let reason = why(&waited, expected.within, run.bench.now());
    let nearest = describe_nearest(run, &pattern, from);
    Ok(Outcome::failed(
        format!("{} of {pattern}", expected.count),
        format!("{count} of them; {reason}{nearest}"),
    ))
}

pub(super) fn expect_trace(
    run: &mut Run<'_>,
    expected: &ExpectTrace,
) -> Result<Outcome, StepError> {
    let from = start(run, expected.since);
    let search = |events: &[Event]| find_in_order(events, &expected.events, &expected.never);
    let waited = super::wait(run, expected.within, |bench| {
        search(bench.events_since(from)).ok()
    })?;
    let miss = match search(run.bench.events_since(from)) {
        Ok(_) => return Ok(Outcome::Passed),
        Err(miss) => miss,
    };
    let reason = why(&waited, expected.within, run.bench.now());
    let Some(missing) = expected.events.get(miss.found) else {
        return Ok(Outcome::failed("the events in order", reason));
    };
    let nearest = describe_nearest(run, &missing.pattern, from);
    let (number, of) = (miss.found + 1, expected.events.len());
    Ok(Outcome::failed(
        format!("event {number} of {of} in order: {}", missing.pattern),
        format!("{reason}{nearest}"),
    ))
}

fn describe_nearest(run: &Run<'_>, pattern: &az3166_scenario::EventPattern, from: usize) -> String {
    match pattern.nearest(run.bench.events_since(from)) {
        Some((event, differing)) if differing.is_empty() => {
            format!("\nout of order: {}", event.canonical_line())
        }
        Some((event, differing)) => {
            format!(
                "\nnearest (differs in {}): {}",
                differing.join(", "),
                event.canonical_line()
            )
        }
        None => String::new(),
    }
}

pub(super) fn expect_finding(
    run: &mut Run<'_>,
    expected: &ExpectFinding,
) -> Result<Outcome, StepError> {
    run.expect_finding(expected.id.expose());
    let deadline = run.deadline(expected.within);
    loop {
        run.look_for_findings();
        if run.finding(expected).is_some() {
            return Ok(Outcome::Passed);
        }
        let before = run.bench.trace().events().len();
        let waited = run.bench.wait(deadline, |bench| {
            (bench.trace().events().len() > before).then_some(())
        })?;
        if waited == Waited::Found(()) {
            continue;
        }
        let others = run.finding_ids();
        let seen = if others.is_empty() {
            "no finding at all".into()
        } else {
            others
        };
        let reason = why(&waited, expected.within, run.bench.now());
        return Ok(Outcome::failed(
            format!("finding `{}`", expected.id.expose()),
            format!("{seen}; {reason}"),
        ));
    }
}

pub(super) fn expect_no_finding(run: &mut Run<'_>, expected: &ExpectNoFinding) -> Outcome {
    run.look_for_findings();
    let id = expected.id.as_ref().map(|id| id.expose());
    match run
        .findings()
        .find(|finding| id.is_none_or(|id| finding.id == id))
    {
        Some(finding) => Outcome::failed(
            id.map_or("no finding".to_owned(), |id| format!("no finding `{id}`")),
            format!("`{}`: {}", finding.id, finding.text),
        ),
        None => Outcome::Passed,
    }
}
