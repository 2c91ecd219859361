//! The JSON schema of rack files, for editors.

use schemars::generate::SchemaSettings;

use super::Rack;

/// The JSON schema (draft-07) of rack files.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<Rack>().to_value()
}
