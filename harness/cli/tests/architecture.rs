//! The invariants of ARCHITECTURE.md that types cannot hold.

#![allow(clippy::unwrap_used, reason = "a test helper may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// No source file is larger.
const LARGEST: usize = 40 * 1024;

/// What a crate without I/O does not name.
const IMPURE: [&str; 7] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "Instant::now",
    "SystemTime",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below `folder` with that ending, but those that a build wrote.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|it| it == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The crates of the code map, lowest first.
fn code_map() -> Vec<String> {
    let page = read(&root().join("ARCHITECTURE.md"));
    let (_, table) = page.split_once("| crate (`harness/…`)").unwrap();
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned())
        .collect()
}

/// The source of a file without its `#[cfg(test)]` items, comments and strings' line ends kept.
fn shipped(source: &str) -> String {
    let mut kept = String::new();
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" && !line.trim().starts_with("#[cfg(all(test") {
            if !line.trim_start().starts_with("//") {
                kept.push_str(line);
                kept.push('\n');
            }
            continue;
        }
        // The item ends at a brace, or a semicolon, in the column of the attribute.
        let indent = line.len() - line.trim_start().len();
        for item in lines.by_ref() {
            let own = item.len() - item.trim_start().len() == indent;
            if own && (item.trim() == "}" || item.trim_end().ends_with(';')) {
                break;
            }
        }
    }
    kept
}

#[test]
fn every_crate_is_on_the_map() {
    let folders: BTreeSet<String> = fs::read_dir(root().join("harness"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let map: BTreeSet<String> = code_map().into_iter().collect();
    assert_eq!(map, folders);
}

/// `cargo test` compiles no probe-rs.
#[test]
fn every_crate_but_board_is_a_default_member() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let listed = manifest["workspace"]["default-members"].as_array().unwrap();
    let listed: BTreeSet<&str> = listed.iter().map(|it| it.as_str().unwrap()).collect();
    let map = code_map();
    let all = map.iter().map(|name| format!("harness/{name}"));
    let all: Vec<String> = all.filter(|it| it != "harness/board").collect();
    assert_eq!(listed, all.iter().map(String::as_str).collect());
}

#[test]
fn lower_crates_do_not_depend_on_higher_ones() {
    let map = code_map();
    for (place, name) in map.iter().enumerate() {
        let manifest = read(&root().join("harness").join(name).join("Cargo.toml"));
        let manifest: toml::Table = manifest.parse().unwrap();
        for section in ["dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(|it| it.as_table()) else {
                continue;
            };
            let ours = dependencies
                .keys()
                .filter_map(|key| key.strip_prefix("az3166-"));
            for lower in ours.filter(|it| map.iter().any(|known| known == it)) {
                let at = map.iter().position(|known| known == lower).unwrap();
                assert!(at < place, "{name} depends on {lower}, which is above it");
            }
        }
    }
}

#[test]
fn crates_below_build_do_no_input_or_output() {
    let map = code_map();
    let build = map.iter().position(|name| name == "build").unwrap();
    assert!(build >= 8, "the table lost its order: {map:?}");
    let mut wrong = Vec::new();
    for name in &map[..build] {
        let sources = files(&root().join("harness").join(name).join("src"), "rs");
        assert!(!sources.is_empty());
        for path in sources {
            // A module of tests in a file of its own.
            if path.ends_with("tests.rs") || path.components().any(|it| it.as_os_str() == "tests") {
                continue;
            }
            let source = shipped(&read(&path));
            wrong.extend(names_of(&source).map(|name| format!("{}: {name}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What of [`IMPURE`] stands in `source`, also inside of `use std::{...}`.
fn names_of(source: &str) -> impl Iterator<Item = &'static str> {
    let grouped: Vec<&str> = source
        .split("use std::{")
        .skip(1)
        .filter_map(|rest| rest.split("};").next())
        .flat_map(|group| group.split([',', '{', '}', ' ', '\n']))
        .collect();
    IMPURE.into_iter().filter(move |name| {
        let module = name.strip_prefix("std::");
        let is_grouped = |module: &str| {
            let begins = |word: &&str| *word == module || word.starts_with(&format!("{module}::"));
            grouped.iter().any(begins)
        };
        source.contains(name) || module.is_some_and(is_grouped)
    })
}

#[test]
fn the_search_for_input_and_output_finds_it() {
    let finds = |source: &str| names_of(&shipped(source)).collect::<Vec<_>>();
    assert_eq!(finds("use std::fs::File;\n"), ["std::fs"]);
    assert_eq!(
        finds("use std::{\n    collections::BTreeMap,\n    fs::File,\n};\n"),
        ["std::fs"]
    );
    assert_eq!(finds("    let now = Instant::now();\n"), ["Instant::now"]);
    assert_eq!(finds("// std::fs\n"), [""; 0]);
    let tests = "fn a() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    assert_eq!(finds(tests), [""; 0]);
    assert_eq!(finds(&format!("{tests}use std::net;\n")), ["std::net"]);
    let declared = "#[cfg(test)]\nmod tests;\nuse std::net;\n";
    assert_eq!(finds(declared), ["std::net"]);
}

#[test]
fn source_files_are_small() {
    let mut large = Vec::new();
    for folder in ["harness", "firmware", "fuzz"] {
        for path in files(&root().join(folder), "rs") {
            let size = fs::metadata(&path).unwrap().len() as usize;
            if size > LARGEST {
                large.push(format!("{}: {size} bytes", path.display()));
            }
        }
    }
    assert!(large.is_empty(), "{}", large.join("\n"));
}

#[test]
fn scenario_files_name_their_schema() {
    let scenarios = root().join("scenarios");
    for path in files(&scenarios, "yaml") {
        let depth = path.strip_prefix(&scenarios).unwrap().components().count() - 1;
        let schema = format!("{}schema.json", "../".repeat(depth));
        let wanted = format!("# yaml-language-server: $schema={schema}");
        let text = read(&path);
        assert_eq!(
            text.lines().next(),
            Some(wanted.as_str()),
            "{}",
            path.display()
        );
    }
}
