//! The schema that editors read is the one that the code says.

use std::path::Path;

#[test]
fn the_schema_file_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/schema.json");
    let mut current = serde_json::to_string_pretty(&az3166_scenario::schema()).unwrap();
    current.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == current,
        "scenarios/schema.json is not current; run UPDATE_SCHEMA=1 cargo test -p az3166-scenario --test schema"
    );
}
