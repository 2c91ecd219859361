//! What an event must be: its source and kind, and members with wildcards.

use core::fmt;
use std::collections::BTreeMap;

use az3166_event::{Event, Payload};
use az3166_yaml::suggest;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::Text;

/// What an event must be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventPattern {
    /// The event's source and kind: `cloud.http`; `*` stands for any text.
    pub event: EventName,
    /// Members that the event must have; texts may hold `*`.
    #[serde(default, rename = "where")]
    pub members: MemberPatterns,
}

/// An event's source and kind, joined by a dot, as they stand in `trace.jsonl`; `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
#[schemars(inline, extend("pattern" = "^[a-z_*]+\\.[a-z0-9_*]+$"))]
pub struct EventName {
    source: Glob,
    kind: Glob,
}

/// The members of an event and what each must be.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct MemberPatterns(BTreeMap<String, MemberPattern>);

/// What one member must be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum MemberPattern {
    /// The event has no such member, written `null`.
    Absent,
    /// Its text, or its number in decimal.
    Is(Glob),
}

/// A text in which `*` stands for any text, even an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob(Text);

impl Glob {
    fn matches(&self, text: &str) -> bool {
        let pattern = self.0.expose();
        let mut pieces = pattern.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let mut pieces = pieces.peekable();
        if pieces.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                return rest.ends_with(piece);
            }
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }
}

impl EventPattern {
    /// How far `event` is this.
    pub fn judge(&self, event: &Event) -> Judgement {
        let Ok(Value::Object(members)) = serde_json::to_value(event) else {
            return Judgement::AnotherKind;
        };
        let text = |name: &str| members.get(name).map(text_of).unwrap_or_default();
        if !self.event.source.matches(&text("source")) || !self.event.kind.matches(&text("kind")) {
            return Judgement::AnotherKind;
        }
        let differing: Vec<String> = self
            .members
            .0
            .iter()
            .filter(|(name, pattern)| {
                let value = members.get(*name).filter(|value| !value.is_null());
                match (pattern, value) {
                    (MemberPattern::Absent, value) => value.is_some(),
                    (MemberPattern::Is(_), None) => true,
                    (MemberPattern::Is(glob), Some(value)) => !glob.matches(&text_of(value)),
                }
            })
            .map(|(name, _)| name.clone())
            .collect();
        match differing.is_empty() {
            true => Judgement::Matches,
            false => Judgement::Differs(differing),
        }
    }

    /// Whether events of `source` can be this.
    pub fn is_about(&self, source: &str) -> bool {
        self.event.source.matches(source)
    }

    /// Whether `event` is this.
    pub fn matches(&self, event: &Event) -> bool {
        self.judge(event) == Judgement::Matches
    }

    /// The event among `events` that comes nearest: of the same kind, with the fewest differing
    /// members; the last one of equals. The names of the members that differ come with it.
    pub fn nearest<'a>(
        &self,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Option<(&'a Event, Vec<String>)> {
        let mut nearest: Option<(&Event, Vec<String>)> = None;
        for event in events {
            let differing = match self.judge(event) {
                Judgement::AnotherKind => continue,
                Judgement::Matches => Vec::new(),
                Judgement::Differs(members) => members,
            };
            if nearest
                .as_ref()
                .is_none_or(|(_, fewest)| differing.len() <= fewest.len())
            {
                nearest = Some((event, differing));
            }
        }
        nearest
    }
}

/// How far an event is what a pattern asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is.
    Matches,
    /// It has the right source and kind, but these members differ.
    Differs(Vec<String>),
    /// Its source or kind is another.
    AnotherKind,
}

/// A member as patterns see it: texts as they are, lists by lines, all else as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

impl fmt::Display for EventPattern {
    /// `cloud.http {method: PUT, status: 202}`; long hex runs are masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, kind) = (&self.event.source.0, &self.event.kind.0);
        write!(f, "{}.{}", source.expose(), kind.expose())?;
        for (index, (name, pattern)) in self.members.0.iter().enumerate() {
            f.write_str(if index == 0 { " {" } else { ", " })?;
            match pattern {
                MemberPattern::Absent => write!(f, "{name}: null")?,
                MemberPattern::Is(glob) => {
                    write!(f, "{name}: {}", az3166_yaml::mask(glob.0.expose()))?;
                }
            }
        }
        f.write_str(if self.members.0.is_empty() { "" } else { "}" })
    }
}

/// The words that may stand at a place of an event, asked of the event types themselves.
fn known_words(source: &str) -> &'static [&'static str] {
    let probe = [("source", source), ("kind", "")];
    let probe = MapDeserializer::<_, az3166_yaml::Fault>::new(probe.into_iter());
    match Payload::deserialize(probe) {
        Ok(_) => &[],
        Err(fault) => fault.known_words(),
    }
}

impl TryFrom<String> for EventName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((source, kind)) = text.split_once('.') else {
            return Err(format!(
                "an event is named by its source and kind, such as `cloud.http`, not `{text}`"
            ));
        };
        if !source.contains('*') {
            let sources = known_words("");
            if !sources.contains(&source) {
                return Err(suggest::unknown("event source", source, sources));
            }
            let kinds = known_words(source);
            if !kind.contains('*') && !kinds.contains(&kind) {
                return Err(suggest::unknown("event kind", kind, kinds));
            }
        }
        Ok(Self {
            source: Glob(source.into()),
            kind: Glob(kind.into()),
        })
    }
}

impl<'de> Deserialize<'de> for MemberPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = MemberPattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false or null")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<MemberPattern, E> {
                Ok(MemberPattern::Is(Glob(text.into())))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<MemberPattern, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<MemberPattern, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<MemberPattern, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<MemberPattern, E> {
                self.visit_str(if value { "true" } else { "false" })
            }

            fn visit_unit<E: de::Error>(self) -> Result<MemberPattern, E> {
                Ok(MemberPattern::Absent)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for MemberPattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MemberPattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean", "null"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a*c", "abc", true)]
    #[case("a*c", "ac", true)]
    #[case("a*c", "acb", false)]
    #[case("*", "", true)]
    #[case("abc", "abcd", false)]
    #[case("*/register", "/scope/registrations/id/register", true)]
    #[case("a*b*b", "ab", false)]
    #[case("a*b*b", "axbyb", true)]
    #[case("*aa*aa", "aaa", false)]
    fn globs(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(Glob(pattern.into()).matches(text), expected);
    }

    #[rstest]
    #[case("cloud.http", None)]
    #[case("cloud.*", None)]
    #[case("*.fault", None)]
    #[case("clowd.http", Some("unknown event source `clowd`"))]
    #[case("clowd.*", Some("unknown event source `clowd`"))]
    #[case("cloud.htp", Some("unknown event kind `htp`"))]
    #[case("http", Some("an event is named by its source and kind"))]
    fn event_names_are_known_ones(#[case] name: &str, #[case] error: Option<&str>) {
        let found = EventName::try_from(name.to_owned()).err();
        match (error, &found) {
            (None, None) => {}
            (Some(error), Some(found)) => assert!(found.starts_with(error), "{found}"),
            _ => panic!("{name}: {found:?}"),
        }
    }
}
