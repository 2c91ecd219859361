//! Device twins (IoT Hub documentation, "Understand and use device twins in IoT Hub").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::clock::Timestamp;

/// The most bytes of desired or reported properties.
const PROPERTIES: usize = 32 * 1024;
/// The most bytes of tags.
const TAGS: usize = 8 * 1024;
/// The deepest nesting.
const DEPTH: usize = 10;
/// The longest key.
const KEY: usize = 1024;
/// The longest string.
const TEXT: usize = 4096;

/// A device's tags, desired and reported properties.
#[derive(Clone, Debug, PartialEq)]
pub struct Twin {
    /// What the back end notes about the device, unseen by it.
    pub tags: Map<String, Value>,
    /// What the back end wants.
    pub desired: Properties,
    /// What the device says.
    pub reported: Properties,
    /// Counts the changes by the back end and the device, from 1.
    pub version: u64,
}

/// One half of a twin.
#[derive(Clone, Debug, PartialEq)]
pub struct Properties {
    /// The properties, without `$version`.
    pub values: Map<String, Value>,
    /// Counts the changes, from 1.
    pub version: u64,
    /// When each member changed last, in the form of `$metadata`; empty where none ever did.
    pub(super) metadata: Map<String, Value>,
}

/// When and by which change a member became what it is ("Device twin metadata").
struct Stamp {
    last_updated: String,
    /// The version of desired properties; reported ones are not stamped with theirs.
    version: Option<u64>,
}

/// Why a change of a twin is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TwinError {
    /// The change is not a JSON object.
    #[error("The change is not a JSON object.")]
    NotAnObject,
    /// The key {0:?} is longer than 1 KiB or has a control character, `.`, `$` or a space.
    #[error("The key {0:?} is longer than 1 KiB or has a control character, `.`, `$` or a space.")]
    Key(String),
    /// A string is longer than 4 KiB.
    #[error("A string is longer than 4 KiB.")]
    Text,
    /// The objects are nested deeper than {DEPTH}.
    #[error("The objects are nested deeper than {DEPTH}.")]
    Depth,
    /// The section would be larger than {limit} bytes.
    #[error("The section would be larger than {limit} bytes.")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl Default for Twin {
    fn default() -> Self {
        Self {
            tags: Map::new(),
            desired: Properties::default(),
            reported: Properties::default(),
            version: 1,
        }
    }
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            values: Map::new(),
            version: 1,
            metadata: Map::new(),
        }
    }
}

/// Tags and desired properties, each where there are some.
pub(crate) type Sections = (Option<Map<String, Value>>, Option<Map<String, Value>>);

/// Whether a change is merged into what there is, or takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Merge,
    Replace,
}

impl Twin {
    /// The twin that an enrolment gives a new device (`initialTwin`: `tags` and
    /// `properties.desired`): an empty one where that cannot be a twin.
    pub(super) fn initial(now: Timestamp, given: Option<&Value>) -> Self {
        let object = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
        let tags = object(given.and_then(|twin| twin.get("tags")));
        let desired = object(given.and_then(|twin| twin.pointer("/properties/desired")));
        let mut twin = Self::default();
        if (&tags, &desired) == (&None, &None)
            || twin.change(now, Mode::Merge, (tags, desired)).is_err()
        {
            return Self::default();
        }
        // It begins so.
        twin.version = 1;
        twin.desired.version = 1;
        restamp(&mut twin.desired.metadata, 1);
        twin
    }

    /// Both halves as the device sees them.
    pub fn to_json(&self) -> Value {
        json!({"desired": self.desired.to_json(), "reported": self.reported.to_json()})
    }

    /// The etag of the twin, as the registry has it: base64 of the version.
    pub(crate) fn etag(&self) -> String {
        STANDARD.encode(self.version.to_be_bytes())
    }

    /// The back end changes tags or desired properties or both. Returns what the device hears, if
    /// desired properties are among it.
    pub(crate) fn change(
        &mut self,
        now: Timestamp,
        mode: Mode,
        (tags, desired): Sections,
    ) -> Result<Option<Value>, TwinError> {
        let mut changed = self.clone();
        if let Some(tags) = tags {
            changed.tags = changed_section(&self.tags, tags, mode, TAGS)?;
        }
        let mut notice = None;
        if let Some(mut desired) = desired {
            // What was read may be written back: the service's own members say nothing.
            desired.retain(|key, _| !["$version", "$metadata"].contains(&key.as_str()));
            let values = changed_section(&self.desired.values, desired.clone(), mode, PROPERTIES)?;
            if mode == Mode::Replace {
                for key in self.desired.values.keys() {
                    desired.entry(key.clone()).or_insert(Value::Null);
                }
            }
            changed.desired.values = values;
            changed.desired.version += 1;
            if mode == Mode::Replace {
                changed.desired.metadata.clear();
            }
            let stamp = Stamp {
                last_updated: now.round_trip(),
                version: Some(changed.desired.version),
            };
            stamp.note(&mut changed.desired.metadata, &desired);
            desired.insert("$version".into(), changed.desired.version.into());
            notice = Some(Value::Object(desired));
        }
        changed.version += 1;
        *self = changed;
        Ok(notice)
    }

    /// The device changes its reported properties. Returns their new version.
    pub(super) fn report(&mut self, now: Timestamp, bytes: &[u8]) -> Result<u64, TwinError> {
        let patch: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|_| TwinError::NotAnObject)?;
        let reported = &mut self.reported;
        let values = changed_section(&reported.values, patch.clone(), Mode::Merge, PROPERTIES)?;
        reported.values = values;
        let stamp = Stamp {
            last_updated: now.round_trip(),
            version: None,
        };
        stamp.note(&mut reported.metadata, &patch);
        reported.version += 1;
        self.version += 1;
        Ok(self.reported.version)
    }
}

impl Properties {
    /// The properties with their version.
    pub(crate) fn to_json(&self) -> Value {
        let mut values = self.values.clone();
        values.insert("$version".to_owned(), self.version.into());
        Value::Object(values)
    }

    /// The same with `$metadata`, which devices do not see; what never changed is as old as the
    /// device.
    pub(crate) fn to_json_with_metadata(&self, created: Timestamp) -> Value {
        let mut metadata = self.metadata.clone();
        if metadata.is_empty() {
            let last_updated = created.round_trip();
            metadata.insert(LAST_UPDATED.to_owned(), last_updated.into());
        }
        let mut json = self.to_json();
        json["$metadata"] = Value::Object(metadata);
        json
    }
}

const LAST_UPDATED: &str = "$lastUpdated";
const LAST_UPDATED_VERSION: &str = "$lastUpdatedVersion";

impl Stamp {
    /// Notes that the members of `patch` changed, and so what they are in.
    fn note(&self, metadata: &mut Map<String, Value>, patch: &Map<String, Value>) {
        self.put(metadata);
        for (key, value) in patch {
            match value {
                Value::Null => {
                    metadata.remove(key);
                }
                Value::Object(members) => {
                    let own = metadata.entry(key.clone());
                    if let Value::Object(own) = own.or_insert_with(|| Map::new().into()) {
                        self.note(own, members);
                    }
                }
                _ => {
                    let mut own = Map::new();
                    self.put(&mut own);
                    metadata.insert(key.clone(), own.into());
                }
            }
        }
    }

    fn put(&self, metadata: &mut Map<String, Value>) {
        let last_updated = self.last_updated.clone().into();
        metadata.insert(LAST_UPDATED.to_owned(), last_updated);
        if let Some(version) = self.version {
            metadata.insert(LAST_UPDATED_VERSION.to_owned(), version.into());
        }
    }
}

/// Says `version` wherever a version stands.
fn restamp(metadata: &mut Map<String, Value>, version: u64) {
    for (key, value) in metadata {
        match value {
            Value::Object(members) => restamp(members, version),
            own if key == LAST_UPDATED_VERSION => *own = version.into(),
            _ => {}
        }
    }
}

fn changed_section(
    old: &Map<String, Value>,
    change: Map<String, Value>,
    mode: Mode,
    limit: usize,
) -> Result<Map<String, Value>, TwinError> {
    check(&change, 1)?;
    let mut new = match mode {
        Mode::Merge => old.clone(),
        Mode::Replace => Map::new(),
    };
    merge(&mut new, change);
    let size = serde_json::to_vec(&new).map_or(usize::MAX, |text| text.len());
    match size <= limit {
        true => Ok(new),
        false => Err(TwinError::TooLarge { limit }),
    }
}

fn check(object: &Map<String, Value>, depth: usize) -> Result<(), TwinError> {
    if depth > DEPTH {
        return Err(TwinError::Depth);
    }
    let bad = |c: char| c.is_control() || ['.', '$', ' '].contains(&c);
    for (key, value) in object {
        if key.len() > KEY || key.contains(bad) {
            let shown = key.chars().take(40).collect();
            return Err(TwinError::Key(shown));
        }
        check_value(value, depth)?;
    }
    Ok(())
}

fn check_value(value: &Value, depth: usize) -> Result<(), TwinError> {
    match value {
        Value::Object(object) => check(object, depth + 1),
        Value::Array(values) if depth < DEPTH => values
            .iter()
            .try_for_each(|value| check_value(value, depth + 1)),
        Value::Array(_) => Err(TwinError::Depth),
        Value::String(text) if text.len() > TEXT => Err(TwinError::Text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Merges a patch: `null` removes, objects merge, everything else replaces.
fn merge(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match (into.get_mut(&key), value) {
            (_, Value::Null) => {
                into.remove(&key);
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, Value::Object(new)) => {
                let mut object = Map::new();
                merge(&mut object, new);
                into.insert(key, Value::Object(object));
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::new(Duration::from_secs(1_767_225_600));
    const LATER: Timestamp = Timestamp::new(Duration::from_secs(1_767_225_660));

    #[test]
    fn metadata_says_when_and_by_which_change() {
        let mut twin = Twin::default();
        let object = |text: &str| serde_json::from_str(text).unwrap();
        let mut change = |at, mode, text| twin.change(at, mode, (None, Some(object(text))));
        change(
            NOW,
            Mode::Merge,
            r#"{"a": {"b": 1, "c": [1]}, "d": 2, "e": 3}"#,
        )
        .unwrap();
        change(
            LATER,
            Mode::Merge,
            r#"{"a": {"b": 4}, "d": {"f": 5}, "e": null}"#,
        )
        .unwrap();
        let (first, second) = (
            "2026-01-01T00:00:00.0000000Z",
            "2026-01-01T00:01:00.0000000Z",
        );
        let at =
            |time: &str, version: u64| json!({LAST_UPDATED: time, LAST_UPDATED_VERSION: version});
        let with = |mut outer: Value, members: Value| {
            let members = members.as_object().unwrap().clone();
            outer.as_object_mut().unwrap().extend(members);
            outer
        };
        let expected = with(
            at(second, 3),
            json!({
                "a": with(at(second, 3), json!({"b": at(second, 3), "c": at(first, 2)})),
                "d": with(at(second, 3), json!({"f": at(second, 3)})),
            }),
        );
        let shown = twin.desired.to_json_with_metadata(NOW);
        assert_eq!(shown["$metadata"], expected);
        assert_eq!(shown["a"], json!({"b": 4, "c": [1]}));
        // A replacement is new as a whole.
        twin.change(LATER, Mode::Replace, (None, Some(object(r#"{"d": 1}"#))))
            .unwrap();
        let expected = with(at(second, 4), json!({"d": at(second, 4)}));
        let shown = twin.desired.to_json_with_metadata(NOW);
        assert_eq!(shown["$metadata"], expected);

        twin.report(LATER, br#"{"x": {"y": true}}"#).unwrap();
        let own = json!({LAST_UPDATED: second});
        let expected = with(
            own.clone(),
            json!({"x": with(own.clone(), json!({"y": own}))}),
        );
        let shown = twin.reported.to_json_with_metadata(NOW);
        assert_eq!(shown["$metadata"], expected);
        let fresh = Properties::default().to_json_with_metadata(NOW);
        assert_eq!(
            fresh,
            json!({"$metadata": {LAST_UPDATED: first}, "$version": 1})
        );
    }

    #[test]
    fn a_device_begins_with_its_initial_twin() {
        let given = json!({"tags": {"site": "x"}, "properties": {"desired": {"interval": 5}}});
        let twin = Twin::initial(NOW, Some(&given));
        assert_eq!(twin.tags, *given["tags"].as_object().unwrap());
        assert_eq!(
            twin.desired.to_json(),
            json!({"interval": 5, "$version": 1})
        );
        assert_eq!((twin.version, twin.reported.version), (1, 1));
        let stamped = &twin.desired.metadata["interval"][LAST_UPDATED_VERSION];
        assert_eq!(*stamped, json!(1));
        for bad in [json!(7), json!({"tags": {"a.b": 1}}), json!({})] {
            assert_eq!(Twin::initial(NOW, Some(&bad)), Twin::default(), "{bad}");
        }
    }

    #[test]
    fn patches_merge_remove_and_count() {
        let mut twin = Twin::default();
        let patches = [
            r#"{"a": 1, "b": {"c": 2, "d": null}}"#,
            r#"{"a": null, "b": {"e": 3}}"#,
        ];
        for patch in patches {
            twin.report(NOW, patch.as_bytes()).unwrap();
        }
        let expected = json!({"b": {"c": 2, "e": 3}, "$version": 3});
        assert_eq!(twin.reported.to_json(), expected);
        let deep = format!("{}1{}", r#"{"a":"#.repeat(11), "}".repeat(11));
        let long = json!({"a": "x".repeat(TEXT + 1)}).to_string();
        let many: Map<_, _> = (0..10)
            .map(|n| (n.to_string(), "x".repeat(TEXT).into()))
            .collect();
        let large = Value::Object(many).to_string();
        for bad in [
            "",
            "1",
            "[]",
            r#"{"$version": 9}"#,
            r#"{"a.b": 9}"#,
            &deep,
            &long,
            &large,
        ] {
            assert!(twin.report(NOW, bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(twin.reported.to_json(), expected);
    }

    #[test]
    fn the_device_hears_what_is_gone() {
        let mut twin = Twin::default();
        let object = |text: &str| serde_json::from_str(text).unwrap();
        let mut change = |mode, text| twin.change(NOW, mode, (None, Some(object(text)))).unwrap();
        assert_eq!(
            change(Mode::Merge, r#"{"a": 1, "b": 2, "$version": 7}"#),
            Some(json!({"a": 1, "b": 2, "$version": 2}))
        );
        assert_eq!(
            change(Mode::Replace, r#"{"a": 3}"#),
            Some(json!({"a": 3, "b": null, "$version": 3}))
        );
        assert_eq!(twin.desired.to_json(), json!({"a": 3, "$version": 3}));
        let tags = twin.change(NOW, Mode::Merge, (Some(object(r#"{"x": 1}"#)), None));
        assert_eq!(tags, Ok(None));
        assert_eq!((twin.version, twin.desired.version), (4, 3));
    }
}
