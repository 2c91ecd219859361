//! Names over many files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use az3166_scenario::{ScenarioFile, Source, all_variables, check_names, parse};
use rstest::rstest;

fn file(path: &str, text: &str) -> ScenarioFile {
    let text = format!("{text}\nsteps:\n  - reset: {{}}\n");
    parse(&Source::new(path, &text), &BTreeMap::new()).unwrap()
}

#[rstest]
#[case::different("name: a", "name: b", None)]
#[case::equal("name: a", "name: a", Some("the scenario name `a` is taken"))]
#[case::alike(
    "name: a b",
    "name: A-b",
    Some("the scenario name `A-b` is too like `a b`")
)]
#[case::rows_differ(
    "name: a\nmatrix: [{x: 1}]",
    "name: a\nmatrix: [{x: 1, name: z}]",
    None
)]
#[case::rows_alike(
    "name: z",
    "name: a\nmatrix: [{name: b}, {name: B}]",
    Some("the scenario name `a [B]` is too like `a [b]`")
)]
fn names_are_unique(#[case] first: &str, #[case] second: &str, #[case] expected: Option<&str>) {
    let files = [file("one.yaml", first), file("two.yaml", second)];
    let found = check_names(&files);
    assert_eq!(
        found.first().map(|diagnostic| diagnostic.message()),
        expected
    );
    if let Some(diagnostic) = found.first() {
        assert_eq!(diagnostic.location().file, "two.yaml");
    }
}

#[test]
fn variables_of_all_files_are_known() {
    let files = [
        file("one.yaml", "name: a\nvars: {x: 1}"),
        file("two.yaml", "name: b\nmatrix: {y: [1, 2]}"),
    ];
    assert_eq!(
        all_variables(&files).into_iter().collect::<Vec<_>>(),
        ["x", "y"]
    );
}
