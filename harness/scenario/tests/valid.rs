//! Files that are right, and what they mean.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use az3166_scenario::{ScenarioFile, Source, Verb, parse};
use az3166_target::Capability;

fn read(name: &str) -> ScenarioFile {
    read_with(name, &BTreeMap::new())
}

fn read_with(name: &str, overrides: &BTreeMap<String, String>) -> ScenarioFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/valid")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap();
    match parse(&Source::new(name, &text), overrides) {
        Ok(file) => file,
        Err(diagnostics) => panic!("{}", diagnostics[0]),
    }
}

#[test]
fn the_tutorial_says_what_it_says() {
    let file = read("tutorial.yaml");
    let [scenario] = file.scenarios.as_slice() else {
        panic!("one scenario");
    };
    let verbs: Vec<&str> = scenario.steps.iter().map(|step| step.verb.name()).collect();
    assert_eq!(
        verbs,
        [
            "reset",
            "display",
            "console",
            "reset",
            "expect_registration",
            "expect_certificate",
            "expect_hub"
        ]
    );
    let needs = [
        Capability::Console,
        Capability::Network,
        Capability::Display,
        Capability::Buttons,
    ];
    assert_eq!(scenario.needs, BTreeSet::from(needs));
    let step = &scenario.steps[2];
    assert_eq!(step.location().to_string(), "tutorial.yaml:10:5");
    assert_eq!(step.location_of("expect").column, 43);
    assert_eq!(scenario.secrets().len(), 1);
    assert_eq!(
        Some(scenario.secrets()[0].uds.clone()),
        scenario.identity.uds
    );
    insta::assert_debug_snapshot!(scenario);
}

#[test]
fn every_verb_is_read() {
    let file = read("every-verb.yaml");
    let seen: BTreeSet<&str> = file.scenarios[0]
        .steps
        .iter()
        .map(|step| step.verb.name())
        .collect();
    let known: BTreeSet<String> = verbs_of_the_schema();
    assert_eq!(seen, known.iter().map(String::as_str).collect());
}

fn verbs_of_the_schema() -> BTreeSet<String> {
    let schema = az3166_scenario::schema();
    let verbs = schema["definitions"]["Verb"]["oneOf"].as_array().unwrap();
    verbs
        .iter()
        .map(|verb| verb["required"][0].as_str().unwrap().to_owned())
        .collect()
}

fn names(file: &ScenarioFile) -> Vec<&str> {
    file.scenarios
        .iter()
        .map(|scenario| scenario.name.as_str())
        .collect()
}

fn typed(file: &ScenarioFile) -> Vec<&str> {
    file.scenarios
        .iter()
        .map(|scenario| match &scenario.steps[0].verb {
            Verb::Console(console) => match &console.input {
                Some(az3166_scenario::Input::Line(text)) => text.expose(),
                _ => panic!("a line"),
            },
            _ => panic!("a console step"),
        })
        .collect()
}

#[test]
fn rows_replace_variables() {
    let file = read("matrix-rows.yaml");
    assert_eq!(names(&file), ["rows [1]", "rows [the second]", "rows [3]"]);
    assert_eq!(typed(&file), ["a!", "b!", "default!"]);
    assert_eq!(
        file.scenarios[1].tags,
        BTreeSet::from(["nightly".to_owned()])
    );
}

#[test]
fn the_command_line_replaces_variables_everywhere() {
    let overrides = BTreeMap::from([
        ("id".to_owned(), "${x}".to_owned()),
        ("unknown".to_owned(), "x".to_owned()),
    ]);
    let file = read_with("matrix-rows.yaml", &overrides);
    assert_eq!(typed(&file), ["${x}!"; 3]);
}

#[test]
fn products_take_every_combination() {
    let file = read("matrix-product.yaml");
    assert_eq!(
        names(&file)[..3],
        [
            "product [digit 0, case #1]",
            "product [digit 0, case #2]",
            "product [digit 21, case #1]"
        ]
    );
    assert_eq!(file.scenarios.len(), 8);
    let expected = "set_dps_uds 19e25a259d0c2be03a02d516c05c48ccd0cc7d1743458aae1cb488b074993eae";
    assert_eq!(typed(&file)[2], expected);
}

#[test]
fn debug_output_holds_no_secret() {
    for name in ["tutorial.yaml", "every-verb.yaml", "matrix-product.yaml"] {
        let file = read(name);
        let shown = format!("{file:?}");
        for scenario in &file.scenarios {
            for secret in scenario.secrets() {
                let hex: String = secret
                    .uds
                    .secret()
                    .expose()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                assert!(!shown.contains(&hex), "{name}");
            }
        }
    }
}
