//! Steps that judge the stream of events itself, and findings.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Count, EventPattern, Interval, IntervalRange, Text};

/// Waits until events came in this order; other events may come between.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectTrace {
    /// From where on the events are looked at.
    #[serde(default)]
    pub since: Since,
    /// The events, in order; at least one.
    #[schemars(length(min = 1))]
    pub events: Vec<TracePoint>,
    /// Events of which none may come between the first and the last one of `events`.
    #[serde(default)]
    pub never: Vec<EventPattern>,
    /// The time limit; 60s where nothing else is said.
    #[serde(default = "sixty_seconds")]
    pub within: Interval,
}

/// One event of an expected order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "RawTracePoint")]
#[schemars(with = "RawTracePoint")]
pub struct TracePoint {
    /// What the event must be.
    pub pattern: EventPattern,
    /// How long after the event before it may come; any time where none is said.
    pub after: Option<IntervalRange>,
}

/// One event of an expected order.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
struct RawTracePoint {
    /// The event's source and kind: `cloud.http`; `*` stands for any text.
    event: crate::EventName,
    /// Members that the event must have; texts may hold `*`.
    #[serde(default, rename = "where")]
    members: crate::MemberPatterns,
    /// How long after the event before it may come.
    #[serde(default)]
    after: Option<IntervalRange>,
}

impl From<RawTracePoint> for TracePoint {
    fn from(raw: RawTracePoint) -> Self {
        Self {
            pattern: EventPattern {
                event: raw.event,
                members: raw.members,
            },
            after: raw.after,
        }
    }
}

/// From where on events are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// The scenario's beginning.
    Start,
    /// The last reset or power-on by a step.
    #[default]
    LastReset,
}

/// Waits until as many events of a kind came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectEvent {
    /// The event's source and kind: `cloud.http`; `*` stands for any text.
    pub event: crate::EventName,
    /// Members that the event must have; texts may hold `*`.
    #[serde(default, rename = "where")]
    pub members: crate::MemberPatterns,
    /// How many; at least one where nothing is said. With an upper bound the whole time limit is waited.
    #[serde(default)]
    pub count: Count,
    /// From where on the events are looked at.
    #[serde(default)]
    pub since: Since,
    /// The time limit; 10s where nothing else is said.
    #[serde(default = "ten_seconds")]
    pub within: Interval,
}

impl ExpectEvent {
    /// What each event must be.
    pub fn pattern(&self) -> EventPattern {
        EventPattern {
            event: self.event.clone(),
            members: self.members.clone(),
        }
    }
}

/// Says that a finding must be there; without this step it fails the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectFinding {
    /// The finding's name: `secret-leak`, `device-id-key-recoverable`, `unmodelled-access` ...
    pub id: Text,
    /// A text that the finding must contain.
    #[serde(default)]
    pub contains: Option<Text>,
    /// The time limit; 60s where nothing else is said.
    #[serde(default = "sixty_seconds")]
    pub within: Interval,
}

/// Says that no such finding was made until now.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectNoFinding {
    /// The finding's name; any where none is named.
    #[serde(default)]
    pub id: Option<Text>,
}

const fn ten_seconds() -> Interval {
    Interval::from_secs(10)
}

const fn sixty_seconds() -> Interval {
    Interval::from_secs(60)
}
