//! Monitor commands that the backend, the scripts and the Robot tests send: each names a part that
//! is there and something public of its class.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::folder::{classes, platform, renode};

/// What is used of Renode's own parts, as Renode 1.16.1 has it.
const RENODE: &[(&str, &[&str])] = &[
    (
        "cpu",
        &[
            "ExecutedInstructions",
            "IsHalted",
            "PC",
            "VectorTableOffset",
        ],
    ),
    ("flash", &["SetRange", "Size", "ZeroAll"]),
    ("sram", &["InitWithRandomData"]),
    ("usart6", &["CreateFileBackend", "WriteChar", "WriteLine"]),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Each command as part's path and member, with the file that sends it.
fn commands() -> Vec<(String, String, PathBuf)> {
    let mut senders = Vec::new();
    files(&renode(), &mut senders);
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut senders,
    );
    let command = Regex::new(r"sysbus\.([a-zA-Z0-9.]+) ([A-Z]\w+)").unwrap();
    let mut commands = Vec::new();
    for path in senders {
        let text = fs::read_to_string(&path).unwrap();
        for found in command.captures_iter(&text) {
            commands.push((found[1].to_owned(), found[2].to_owned(), path.clone()));
        }
    }
    assert!(!commands.is_empty());
    commands
}

#[test]
fn commands_name_what_is_there() {
    let (parts, sources) = (platform(), classes());
    let renode: BTreeMap<_, _> = RENODE.iter().copied().collect();
    for (path, member, file) in commands() {
        let at = format!("{}: sysbus.{path} {member}", file.display());
        let (parent, name) = path.rsplit_once('.').unwrap_or(("sysbus", &path));
        let class = parts.get(name).and_then(|part| part.class.as_ref());
        let Some(class) = class else {
            let known = renode
                .get(name)
                .unwrap_or_else(|| panic!("{at}: no such part"));
            assert!(
                known.contains(&member.as_str()),
                "{at}: not known of Renode"
            );
            continue;
        };
        assert_eq!(parts[name].place.as_ref().unwrap().0, parent, "{at}");
        let public = Regex::new(&format!(r"public (?:static )?\w+ {member}\b")).unwrap();
        assert!(
            public.is_match(&sources[class]),
            "{at}: not public in {class}.cs"
        );
    }
}
