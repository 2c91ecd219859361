//! The tree of a YAML document.

use crate::{Span, Text};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
}

/// A YAML value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text, a number, a truth value or null, as it was written.
    Scalar(Text, Writing),
    /// A list.
    Sequence(Vec<Node>),
    /// Members in the file's order; no name stands twice.
    Mapping(Vec<(Key, Node)>),
}

/// How a scalar came to be, which decides what it may be taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Without quotes: a number or truth value where it looks like one.
    Plain,
    /// In quotes or as a block: a text.
    Quoted,
    /// By a variable: whatever is asked for.
    Substituted,
}

/// A member's name and where it stands.
#[derive(Clone, Debug)]
pub struct Key {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

impl Node {
    /// The mapping's member of that name.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Mapping(members) => members
                .iter()
                .find(|(key, _)| key.name == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether it is null: nothing, `~` or `null` without quotes.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar(text, Writing::Plain) => {
                matches!(text.expose(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// How messages name it: `a list`, `nothing`, the scalar itself.
    pub fn describe(&self) -> String {
        match &self.value {
            _ if self.is_null() => "nothing".into(),
            Value::Scalar(text, Writing::Quoted) => format!("the text `{}`", text.expose()),
            Value::Scalar(text, _) => format!("`{}`", text.expose()),
            Value::Sequence(_) => "a list".into(),
            Value::Mapping(_) => "a mapping".into(),
        }
    }
}
