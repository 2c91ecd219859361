//! How a fault reads in a file: the effect's key stands among those of the rule.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{CloudFault, Effect, Rule};

const RULE: [&str; 7] = ["host", "device", "method", "path", "topic", "nth", "times"];

impl<'de> Deserialize<'de> for CloudFault {
    /// Unlike what serde derives for flattened members this takes no key that it does not know:
    /// a rule with a mistyped member would match everything.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Form)
    }
}

struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = CloudFault;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a fault: a rule's members and one effect")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CloudFault, A::Error> {
        let (mut rule, mut effect) = (Map::new(), Map::new());
        while let Some(key) = map.next_key::<String>()? {
            let value: Value = map.next_value()?;
            let members = match RULE.contains(&key.as_str()) {
                true => &mut rule,
                false => &mut effect,
            };
            if members.insert(key.clone(), value).is_some() {
                return Err(Error::custom(format_args!("`{key}` stands twice")));
            }
        }
        if effect.len() > 1 {
            let keys: Vec<&str> = effect.keys().map(String::as_str).collect();
            let keys = keys.join("`, `");
            return Err(Error::custom(format_args!(
                "a fault has one effect; `{keys}` are not all members of a rule: {}",
                RULE.join(", ")
            )));
        }
        if effect.is_empty() {
            return Err(Error::custom(
                "a fault needs an effect, such as `close: null`",
            ));
        }
        Ok(CloudFault {
            rule: Rule::deserialize(Value::Object(rule)).map_err(Error::custom)?,
            effect: Effect::deserialize(Value::Object(effect)).map_err(Error::custom)?,
        })
    }
}
