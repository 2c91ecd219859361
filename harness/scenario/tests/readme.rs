//! The README's files are read, and name every verb.

use std::collections::{BTreeMap, BTreeSet};

use az3166_scenario::{Source, parse};

#[test]
fn the_examples_are_right_and_name_every_verb() {
    let readme = include_str!("../README.md");
    let examples: Vec<&str> = readme
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 2);
    let mut seen = BTreeSet::new();
    for example in examples {
        match parse(&Source::new("README.md", example), &BTreeMap::new()) {
            Ok(file) => seen.extend(file.scenarios.into_iter().flat_map(|scenario| {
                scenario
                    .steps
                    .into_iter()
                    .map(|step| step.verb.name().to_owned())
            })),
            Err(diagnostics) => panic!("{}", diagnostics[0]),
        }
    }
    let schema = az3166_scenario::schema();
    let verbs = schema["definitions"]["Verb"]["oneOf"].as_array();
    let missing: Vec<&str> = verbs
        .into_iter()
        .flatten()
        .filter_map(|verb| verb["required"][0].as_str())
        .filter(|verb| !seen.contains(*verb))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
