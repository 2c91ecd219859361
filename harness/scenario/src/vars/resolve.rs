//! From definitions, which may refer to each other, to values.

use std::collections::BTreeMap;

use az3166_yaml::{Fault, Node, Value, suggest};
use serde::Deserialize;

use super::{Budget, Derivation, substitute};
use crate::{Source, Text};

/// A variable's definition.
#[derive(Clone, Copy)]
pub enum Definition<'a> {
    /// In the file.
    Written(&'a Node),
    /// By `--set`; it is taken as it is.
    Given(&'a str),
}

/// The values of all variables.
pub type Variables = BTreeMap<String, Text>;

/// A value longer than this is a mistake: definitions that double each other grow fast.
const LONGEST: usize = 64 * 1024;

/// Whether `name` can name a variable: a letter or `_`, then letters, digits and `_`.
pub fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The values of all `definitions`.
pub fn resolve(
    definitions: &BTreeMap<String, Definition<'_>>,
    source: &Source,
    budget: &Budget,
) -> Result<Variables, Fault> {
    let mut resolver = Resolver {
        definitions,
        source,
        budget,
        values: Variables::new(),
        open: Vec::new(),
    };
    for name in definitions.keys() {
        resolver.value(name)?;
    }
    Ok(resolver.values)
}

struct Resolver<'a> {
    definitions: &'a BTreeMap<String, Definition<'a>>,
    source: &'a Source,
    budget: &'a Budget,
    values: Variables,
    open: Vec<String>,
}

impl Resolver<'_> {
    fn value(&mut self, name: &str) -> Result<Text, Fault> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let Some(definition) = self.definitions.get(name).copied() else {
            return Err(unknown(name, self.definitions.keys()));
        };
        if self.open.iter().any(|open| open == name) || self.open.len() > 32 {
            return Err(Fault::new(format!(
                "the variable `{name}` is made from itself"
            )));
        }
        self.open.push(name.to_owned());
        let value = match definition {
            Definition::Given(text) => text.into(),
            Definition::Written(node) => self.written(node).map_err(|fault| fault.at(node.span))?,
        };
        self.open.pop();
        if value.expose().len() > LONGEST {
            let message = format!("the variable `{name}` is longer than {LONGEST} bytes");
            return Err(Fault::new(message));
        }
        self.values.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn written(&mut self, node: &Node) -> Result<Text, Fault> {
        let source = self.source;
        let node = substitute(node, source, self.budget, &mut |name| self.value(name))?;
        match &node.value {
            _ if node.is_null() => Err(Fault::new(
                "a variable needs a value; write `''` for an empty text",
            )),
            Value::Scalar(text, _) => Ok(text.clone()),
            Value::Mapping(_) => Derivation::deserialize(&node)
                .map_err(|fault| fault.about("way to make a variable"))?
                .value()
                .map_err(Fault::new),
            Value::Sequence(_) => Err(Fault::new(
                "a variable is one value; several values make a `matrix`",
            )),
        }
    }
}

/// The error for a variable that nobody defines.
pub fn unknown<'a>(name: &str, known: impl IntoIterator<Item = &'a String>) -> Fault {
    if !is_name(name) {
        return Fault::new(format!(
            "`{name}` is no variable's name; names have letters, digits and `_`"
        ));
    }
    let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
    match known.is_empty() {
        true => Fault::new(format!("unknown variable `{name}`; define it under `vars`")),
        false => Fault::new(suggest::unknown("variable", name, &known)),
    }
}
