//! The files as text.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The project's `renode/` folder.
pub fn renode() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../renode")
}

/// A file of it.
pub fn text(name: &str) -> String {
    let path = renode().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The C# sources by class name.
pub fn classes() -> BTreeMap<String, String> {
    let files = fs::read_dir(renode()).unwrap();
    let sources: BTreeMap<_, _> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cs"))
        .map(|path| {
            let class = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (class, fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(!sources.is_empty());
    sources
}

/// A C# source without its comments.
pub fn code(source: &str) -> String {
    Regex::new("//.*")
        .unwrap()
        .replace_all(source, "")
        .into_owned()
}

/// An entry of the platform description.
#[derive(Debug)]
pub struct Part {
    /// The class without its namespace; none where the entry changes a part of Renode's own.
    pub class: Option<String>,
    /// What it is registered on, and where.
    pub place: Option<(String, u32)>,
    /// The indented lines below it.
    pub lines: Vec<String>,
}

impl Part {
    /// The value of a property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then_some(value.trim())
        })
    }

    /// The interrupts of the processor that it raises.
    pub fn interrupts(&self) -> Vec<u32> {
        let line = Regex::new(r"-> nvic@(\d+)$").unwrap();
        let number = |text: &String| Some(line.captures(text)?[1].parse().unwrap());
        self.lines.iter().filter_map(number).collect()
    }
}

/// The platform description: its entries by name.
pub fn platform() -> BTreeMap<String, Part> {
    let head = Regex::new(r"^(\w+):(?: ([\w.]+) @ (\w+) <?(\w+)| @.*)?").unwrap();
    let mut parts = BTreeMap::new();
    let mut last = String::new();
    for line in text("az3166.repl").lines() {
        if line.starts_with("//") || line.starts_with("using") || line.trim().is_empty() {
            continue;
        }
        if line.starts_with(' ') {
            let part: &mut Part = parts.get_mut(&last).unwrap();
            part.lines.push(line.to_owned());
            continue;
        }
        let fields = head
            .captures(line)
            .unwrap_or_else(|| panic!("not understood: {line}"));
        last = fields[1].to_owned();
        let class = fields.get(2).map(|class| {
            let class = class.as_str();
            class
                .rsplit_once('.')
                .map_or(class, |(_, name)| name)
                .to_owned()
        });
        let place = fields
            .get(3)
            .map(|parent| (parent.as_str().to_owned(), number(&fields[4])));
        let lines = Vec::new();
        let part = Part {
            class,
            place,
            lines,
        };
        assert!(parts.insert(last.clone(), part).is_none(), "twice: {last}");
    }
    parts
}

/// A number as C# and platform files write it.
pub fn number(text: &str) -> u32 {
    text.strip_prefix("0x")
        .map_or_else(|| text.parse(), |digits| u32::from_str_radix(digits, 16))
        .unwrap_or_else(|_| panic!("no number: {text}"))
}
