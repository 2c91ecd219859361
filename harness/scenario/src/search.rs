//! Finds events that came in a given order.

use az3166_event::Event;

use crate::{EventPattern, TracePoint};

/// Why no events came in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceMiss {
    /// How many points, from the first on, could be found in order.
    pub found: usize,
    /// The events that are those, as indices; one for each found point.
    pub events: Vec<usize>,
}

/// One way to reach a point: the event, and the way to the point before.
struct Reached {
    event: usize,
    before: Option<usize>,
}

/// Finds the events that are `points`, in this order, each as long after the one before as its
/// `after` says, with none that `never` names between the first and the last.
///
/// Events between are allowed. Of several ways the one that ends first is taken.
///
/// # Errors
/// How far it came.
pub fn find_in_order(
    events: &[Event],
    points: &[TracePoint],
    never: &[EventPattern],
) -> Result<Vec<usize>, TraceMiss> {
    let forbidden: Vec<usize> = (0..events.len())
        .filter(|at| never.iter().any(|pattern| pattern.matches(&events[*at])))
        .collect();
    let clear = |from: usize, to: usize| {
        let next = forbidden.partition_point(|at| *at <= from);
        forbidden.get(next).is_none_or(|at| *at >= to)
    };
    let mut levels: Vec<Vec<Reached>> = Vec::new();
    for point in points {
        let candidates = (0..events.len()).filter(|at| point.pattern.matches(&events[*at]));
        let level: Vec<Reached> = match levels.last() {
            None => candidates
                .map(|event| Reached {
                    event,
                    before: None,
                })
                .collect(),
            Some(last) => candidates
                .filter_map(|event| {
                    let follows = |before: &Reached| {
                        let lasted = events[event].virtual_ns - events[before.event].virtual_ns;
                        before.event < event
                            && point.after.is_none_or(|after| after.holds(lasted))
                            && clear(before.event, event)
                    };
                    let before = last.iter().position(follows)?;
                    Some(Reached {
                        event,
                        before: Some(before),
                    })
                })
                .collect(),
        };
        if level.is_empty() {
            return Err(TraceMiss {
                found: levels.len(),
                events: way(&levels),
            });
        }
        levels.push(level);
    }
    Ok(way(&levels))
}

/// The events of the way that ends first.
fn way(levels: &[Vec<Reached>]) -> Vec<usize> {
    let mut events = Vec::new();
    let mut index = Some(0);
    for level in levels.iter().rev() {
        let Some(reached) = index.and_then(|index| level.get(index)) else {
            break;
        };
        events.push(reached.event);
        index = reached.before;
    }
    events.reverse();
    events
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use az3166_event::{ConsoleEvent, Payload, Trace, VirtualTime};
    use rstest::rstest;

    use super::*;
    use crate::{Interval, IntervalRange};

    fn trace(lines: &[(u64, &str)]) -> Trace {
        let mut trace = Trace::default();
        for (seconds, text) in lines {
            let at = VirtualTime::from_millis(seconds * 1000);
            let text = (*text).to_owned();
            let payload = Payload::Console(ConsoleEvent::Line { text });
            trace.record(at, Duration::ZERO, payload);
        }
        trace
    }

    fn pattern(text: &str) -> EventPattern {
        let members = serde_json::json!({"event": "console.line", "where": {"text": text}});
        serde_json::from_value(members).unwrap()
    }

    fn point(text: &str, after: Option<(u64, u64)>) -> TracePoint {
        TracePoint {
            pattern: pattern(text),
            after: after.map(|(least, most)| IntervalRange {
                at_least: Interval::from_secs(least),
                at_most: Some(Interval::from_secs(most)),
            }),
        }
    }

    const LINES: [(u64, &str); 6] = [(0, "a"), (1, "b"), (2, "a"), (5, "x"), (6, "b"), (7, "c")];

    #[rstest]
    #[case::in_order(&[("a", None), ("b", None), ("c", None)], &[], Ok(vec![0, 1, 5]))]
    #[case::wildcard(&[("*", None), ("c", None)], &[], Ok(vec![0, 5]))]
    #[case::later_start_satisfies_the_interval(&[("a", None), ("b", Some((4, 4)))], &[], Ok(vec![2, 4]))]
    #[case::no_interval_fits(&[("a", None), ("b", Some((2, 3)))], &[], Err((1, vec![0])))]
    #[case::forbidden_between(&[("a", None), ("c", None)], &["x"], Err((1, vec![0])))]
    #[case::forbidden_outside(&[("a", None), ("b", None)], &["x"], Ok(vec![0, 1]))]
    #[case::wrong_order(&[("c", None), ("a", None)], &[], Err((1, vec![5])))]
    #[case::nothing(&[("z", None)], &[], Err((0, vec![])))]
    fn finds(
        #[case] points: &[(&str, Option<(u64, u64)>)],
        #[case] never: &[&str],
        #[case] expected: Result<Vec<usize>, (usize, Vec<usize>)>,
    ) {
        let points: Vec<_> = points
            .iter()
            .map(|(text, after)| point(text, *after))
            .collect();
        let never: Vec<_> = never.iter().map(|text| pattern(text)).collect();
        let found = find_in_order(trace(&LINES).events(), &points, &never);
        assert_eq!(found.map_err(|miss| (miss.found, miss.events)), expected);
    }
}
