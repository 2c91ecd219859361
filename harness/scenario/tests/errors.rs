//! Files that are wrong, and what is said about each: `errors/*.yaml` beside its `*.snap`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use az3166_scenario::{Diagnostic, Source, parse};

fn complaints(file: &str, text: &str) -> Vec<Diagnostic> {
    match parse(&Source::new(file, text), &BTreeMap::new()) {
        Ok(_) => panic!("{file} is read without a complaint"),
        Err(diagnostics) => diagnostics,
    }
}

#[test]
fn every_error_has_its_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 40, "only {} cases", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in files {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let shown: Vec<String> = complaints(&format!("{name}.yaml"), &text)
                .iter()
                .map(Diagnostic::to_string)
                .collect();
            insta::assert_snapshot!(name, shown.join("\n\n"));
        }
    });
}

#[test]
fn a_large_file_is_refused() {
    let text = format!("name: x\n# {}\n", "x".repeat(256 * 1024));
    let diagnostics = complaints("large.yaml", &text);
    assert_eq!(diagnostics[0].message(), "the file has 262155 bytes");
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let diagnostics = complaints("a.yaml", "name: x\nsteps: [{consol: {}}]\n");
    let plain = diagnostics[0].render(az3166_scenario::Style::Plain);
    let coloured = diagnostics[0].render(az3166_scenario::Style::Coloured);
    assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}["));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = Source::from_bytes("a.yaml", b"name: x\nsteps: \xff\n").unwrap_err();
    assert_eq!(error.message(), "the file is not UTF-8 here");
    assert_eq!(error.location().to_string(), "a.yaml:2:8");
}
