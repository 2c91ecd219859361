//! Device twins (IoT Hub documentation, "Understand and use device twins in IoT Hub").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

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
        mode: Mode,
        tags: Option<Map<String, Value>>,
        desired: Option<Map<String, Value>>,
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
            desired.insert("$version".into(), changed.desired.version.into());
            notice = Some(Value::Object(desired));
        }
        changed.version += 1;
        *self = changed;
        Ok(notice)
    }

    /// The device changes its reported properties. Returns their new version.
    pub(super) fn report(&mut self, bytes: &[u8]) -> Result<u64, TwinError> {
        let patch = serde_json::from_slice(bytes).map_err(|_| TwinError::NotAnObject)?;
        let reported = &mut self.reported;
        reported.values = changed_section(&reported.values, patch, Mode::Merge, PROPERTIES)?;
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
    use super::*;

    #[test]
    fn patches_merge_remove_and_count() {
        let mut twin = Twin::default();
        let patches = [
            r#"{"a": 1, "b": {"c": 2, "d": null}}"#,
            r#"{"a": null, "b": {"e": 3}}"#,
        ];
        for patch in patches {
            twin.report(patch.as_bytes()).unwrap();
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
            assert!(twin.report(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(twin.reported.to_json(), expected);
    }

    #[test]
    fn the_device_hears_what_is_gone() {
        let mut twin = Twin::default();
        let object = |text: &str| serde_json::from_str(text).unwrap();
        let mut change = |mode, text| twin.change(mode, None, Some(object(text))).unwrap();
        assert_eq!(
            change(Mode::Merge, r#"{"a": 1, "b": 2, "$version": 7}"#),
            Some(json!({"a": 1, "b": 2, "$version": 2}))
        );
        assert_eq!(
            change(Mode::Replace, r#"{"a": 3}"#),
            Some(json!({"a": 3, "b": null, "$version": 3}))
        );
        assert_eq!(twin.desired.to_json(), json!({"a": 3, "$version": 3}));
        let tags = twin.change(Mode::Merge, Some(object(r#"{"x": 1}"#)), None);
        assert_eq!(tags, Ok(None));
        assert_eq!((twin.version, twin.desired.version), (4, 3));
    }
}
