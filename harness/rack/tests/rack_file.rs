//! Rack files, right and wrong: what is read, and what is said about each mistake.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use std::path::Path;

use az3166_rack::{Buttons, Console, QuarantinedBoards, Rack, Selector, draft, parse};
use az3166_yaml::{Diagnostic, Source};
use proptest::prelude::*;
use time::macros::date;

const WHOLE: &str = r#"
boards:
  - id: lab-1
    probe_serial: 066eff505056805087254532
    chip: STM32F412RG
    speed_khz: 1800
    console: /dev/serial/by-id/lab-1
    power: {hub: 1-1.4, port: 2}
    buttons: {relay: {command: [usbrelay, "LAB1_{pin}={state}"]}}
    chip_uid: 31002F000D51373239363832
    tags: [lab, fast]
    quarantine: {until: 2026-12-31, ticket: "https://example.org/4711"}
  - id: lab-2
    probe_serial: 066F
    tags: [lab]
"#;

fn read(text: &str) -> Result<Rack, Vec<Diagnostic>> {
    parse(&Source::new("rack.yaml", text))
}

#[test]
fn every_member_is_read() {
    let rack = read(WHOLE).unwrap();
    let [first, second] = rack.boards.as_slice() else {
        panic!("two boards")
    };
    assert_eq!(first.probe_serial.as_str(), "066EFF505056805087254532");
    assert_eq!(first.speed_khz.get(), 1800);
    assert!(matches!(&first.console, Console::Path(path) if path.ends_with("lab-1")));
    let power = first.power.as_ref().unwrap();
    assert_eq!((power.hub.as_str(), u8::from(power.port)), ("1-1.4", 2));
    assert!(matches!(first.buttons, Buttons::Relay { .. }));
    assert_eq!(second.chip, "STM32F412ZG");
    assert_eq!(second.speed_khz.get(), 4600);
    assert_eq!(
        (&second.console, &second.buttons),
        (&Console::Auto, &Buttons::Debugger)
    );

    assert!(first.is_quarantined(date!(2026 - 12 - 31)));
    assert!(!first.is_quarantined(date!(2027 - 01 - 01)));
    assert!(first.has_expired_quarantine(date!(2027 - 01 - 01)));
    assert!(!second.has_expired_quarantine(date!(2027 - 01 - 01)));
}

#[test]
fn boards_are_selected_by_id_and_by_tag() {
    let rack = read(WHOLE).unwrap();
    let ids = |word: &str| -> Vec<&str> {
        let boards = Selector::new(word).boards(&rack).unwrap();
        boards.iter().map(|board| board.id.as_str()).collect()
    };
    assert_eq!(ids("lab-2"), ["lab-2"]);
    assert_eq!(ids("lab"), ["lab-1", "lab-2"]);
    assert_eq!(ids("fast"), ["lab-1"]);
    let quarantined = |word: &str| Selector::new(word).quarantined(&rack);
    assert_eq!(quarantined("lab"), QuarantinedBoards::Avoid);
    assert_eq!(quarantined("lab-1"), QuarantinedBoards::Use);
    let unknown = Selector::new("lab-3").boards(&rack).unwrap_err();
    insta::assert_snapshot!(unknown, @"unknown board `lab-3`; did you mean `lab-2`?");
    let unknown = Selector::new("xyzzy").board(&rack).unwrap_err();
    insta::assert_snapshot!(unknown, @"unknown board `xyzzy`; known are `fast`, `lab`, `lab-1` and `lab-2`");
}

#[test]
fn a_draft_says_the_same() {
    let rack = read(WHOLE).unwrap();
    let text = draft(&rack.boards, "rack.schema.json");
    assert_eq!(read(&text).unwrap(), rack);
    insta::assert_snapshot!(text);
}

#[test]
fn every_error_has_its_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 18, "only {} cases", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in files {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let wrong = parse(&Source::new(format!("{name}.yaml"), &text))
                .err()
                .unwrap_or_else(|| panic!("{name} is read without a complaint"));
            let shown: Vec<String> = wrong.iter().map(Diagnostic::to_string).collect();
            insta::assert_snapshot!(name, shown.join("\n\n"));
        }
    });
}

#[test]
fn the_schema_file_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/rack/rack.schema.json");
    let mut current = serde_json::to_string_pretty(&az3166_rack::schema()).unwrap();
    current.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == current,
        "ci/rack/rack.schema.json is not current; run UPDATE_SCHEMA=1 cargo test -p az3166-rack --test rack_file"
    );
}

#[test]
fn the_shipped_example_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/rack/rack.yaml");
    let rack = Rack::read(&path).unwrap();
    assert!(rack.boards.len() >= 2);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(boards:\n  - )?([a-z_]{1,12}: [ -~]{0,20}\n    ){0,4}|(.|\n){0,200}") {
        az3166_rack::fuzzing::parse(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_holder_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200), user in ".{0,20}") {
        az3166_rack::fuzzing::holder(&bytes);
        let line = format!(r#"{{"user":{},"pid":1,"host":"h","job":"j","since":"2026-01-01T00:00:00Z"}}"#, serde_json::Value::from(user));
        assert!(az3166_rack::Holder::from_line(&line).is_some());
        az3166_rack::fuzzing::holder(line.as_bytes());
    }
}
