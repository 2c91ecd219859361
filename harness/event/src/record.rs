//! An event with its two times, and the canonical hash of a run.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Payload, VirtualTime};

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, on the target's clock.
    pub virtual_ns: VirtualTime,
    /// When, on the host's clock, in nanoseconds since the scenario began; not part of the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ns: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub payload: Payload,
}

/// The append-only stream of one scenario's events, already masked.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    events: Vec<Event>,
}

impl Trace {
    /// Appends what was seen at `at`, `wall` after the scenario began.
    pub fn record(&mut self, at: VirtualTime, wall: Duration, payload: Payload) {
        let wall_ns = u64::try_from(wall.as_nanos()).ok();
        self.events.push(Event {
            virtual_ns: at,
            wall_ns,
            payload,
        });
    }

    /// All events, in the order they were recorded.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// SHA-256 over the events' canonical lines, wall-clock members left out, as 64 hex digits.
    ///
    /// Equal for equal image, scenario and seed, on every machine.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for event in &self.events {
            hash.update(event.canonical_line());
            hash.update(b"\n");
        }
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl Event {
    /// The event as one line of JSON without its line end and without its wall-clock member: the
    /// same in every run that is the same.
    pub fn canonical_line(&self) -> String {
        Event {
            wall_ns: None,
            ..self.clone()
        }
        .to_line()
    }

    /// The event as one line of JSON without its line end.
    pub fn to_line(&self) -> String {
        // Every payload is a tree of strings, numbers and lists, which JSON can always hold.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConsoleEvent;

    fn trace(wall: Duration, line: &str) -> Trace {
        let mut trace = Trace::default();
        let payload = Payload::Console(ConsoleEvent::Line { text: line.into() });
        trace.record(VirtualTime::from_millis(5), wall, payload);
        trace
    }

    #[test]
    fn the_hash_ignores_wall_time_and_nothing_else() {
        let first = trace(Duration::from_secs(1), "hello");
        assert_eq!(
            first.sha256(),
            trace(Duration::from_secs(9), "hello").sha256()
        );
        assert_ne!(
            first.sha256(),
            trace(Duration::from_secs(1), "hallo").sha256()
        );
    }

    #[test]
    fn a_line_reads_back() {
        let event = trace(Duration::from_secs(1), "a\u{1b}\"b").events()[0].clone();
        assert_eq!(
            serde_json::from_str::<Event>(&event.to_line()).unwrap(),
            event
        );
    }
}
