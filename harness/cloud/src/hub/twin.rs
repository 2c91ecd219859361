//! Device twins (IoT Hub documentation, "Understand and use device twins").

use serde_json::{Map, Value, json};

/// A device's desired and reported properties, each with its version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Twin {
    /// What the back end wants.
    pub desired: Properties,
    /// What the device says.
    pub reported: Properties,
}

/// One half of a twin.
#[derive(Clone, Debug, PartialEq)]
pub struct Properties {
    /// The properties, without `$version`.
    pub values: Map<String, Value>,
    /// Counts the changes, from 1.
    pub version: u64,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            values: Map::new(),
            version: 1,
        }
    }
}

impl Twin {
    /// Both halves as the device sees them.
    pub fn to_json(&self) -> Value {
        json!({"desired": self.desired.to_json(), "reported": self.reported.to_json()})
    }
}

impl Properties {
    fn to_json(&self) -> Value {
        let mut values = self.values.clone();
        values.insert("$version".to_owned(), self.version.into());
        Value::Object(values)
    }

    /// Merges a patch: `null` removes, objects merge, everything else replaces. Returns the new
    /// version, or `None` for bytes that are no patch.
    pub(super) fn patch(&mut self, bytes: &[u8]) -> Option<u64> {
        let patch: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
        if patch.keys().any(|key| key.starts_with('$')) {
            return None;
        }
        merge(&mut self.values, patch);
        self.version += 1;
        Some(self.version)
    }
}

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
        let mut properties = Properties::default();
        let patches = [
            r#"{"a": 1, "b": {"c": 2, "d": null}}"#,
            r#"{"a": null, "b": {"e": 3}}"#,
        ];
        for patch in patches {
            properties.patch(patch.as_bytes()).unwrap();
        }
        let expected = json!({"b": {"c": 2, "e": 3}, "$version": 3});
        assert_eq!(properties.to_json(), expected);
        for bad in ["", "1", "[]", r#"{"$version": 9}"#] {
            assert_eq!(properties.patch(bad.as_bytes()), None);
        }
        assert_eq!(properties.to_json(), expected);
    }
}
