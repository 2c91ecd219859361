//! Bodies for fuzzing; each must return without a panic for any input.

use std::collections::BTreeMap;

/// A scenario file of any bytes; errors must render too.
pub fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let source = crate::Source::new("fuzz.yaml", &text);
    match crate::parse(&source, &BTreeMap::new()) {
        Ok(file) => {
            for scenario in &file.scenarios {
                let _ = format!("{scenario:?}");
                let _ = scenario.secrets();
                for step in &scenario.steps {
                    let _ = (step.location(), step.location_of("expect"));
                }
            }
        }
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "an error without a message");
            for diagnostic in diagnostics {
                let _ = diagnostic.to_string();
            }
        }
    }
}
