//! The JSON schema of scenario files, for editors.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

use crate::model::Document;

/// The JSON schema (draft-07) of scenario files.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(AllowVariables);
    let schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.to_value()
}

/// Lets `${name}` stand where a number, a word of a list or a text of a certain form is expected.
#[derive(Clone)]
struct AllowVariables;

impl Transform for AllowVariables {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        let of_type = |name: &str| match object.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
            Some(kind) => kind == name,
            None => false,
        };
        let is_number = of_type("integer") || of_type("number") || of_type("boolean");
        let is_word = of_type("string")
            && ["enum", "const", "pattern", "format"]
                .iter()
                .any(|key| object.contains_key(*key));
        if !is_number && !is_word {
            return;
        }
        let mut inner = std::mem::take(object);
        for key in ["description", "default", "title"] {
            if let Some(value) = inner.remove(key) {
                object.insert(key.into(), value);
            }
        }
        let variable = json!({"type": "string", "pattern": "\\$\\{"});
        object.insert("anyOf".into(), json!([inner, variable]));
    }
}
