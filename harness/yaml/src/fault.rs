//! What is wrong with a document, before it is known which file it is.

use core::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use crate::{Diagnostic, Source, Span, suggest};

/// An error while reading a document.
#[derive(Debug)]
pub struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    what: What,
    span: Option<Span>,
    other: Option<(Span, &'static str)>,
    help: Option<String>,
    note: Option<String>,
}

#[derive(Debug)]
enum What {
    Message(String),
    UnknownWord {
        noun: &'static str,
        word: String,
        known: &'static [&'static str],
    },
}

impl Fault {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(What::Message(message.into()))
    }

    fn of(what: What) -> Self {
        Self(Box::new(Inner {
            what,
            span: None,
            other: None,
            help: None,
            note: None,
        }))
    }

    /// The error at `span`, unless it has a place already.
    pub fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The error with a second place that explains it.
    pub fn other(mut self, span: Span, label: &'static str) -> Self {
        self.0.other = Some((span, label));
        self
    }

    /// The error with a line on what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The error with a line on its circumstances.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.note = Some(note.into());
        self
    }

    /// The error, an unknown word being called an unknown `noun`.
    pub fn about(mut self, new_noun: &'static str) -> Self {
        if let What::UnknownWord { noun, .. } = &mut self.0.what {
            *noun = new_noun;
        }
        self
    }

    /// The words that were expected, if this is about an unknown one.
    pub fn known_words(&self) -> &'static [&'static str] {
        match self.0.what {
            What::UnknownWord { known, .. } => known,
            What::Message(_) => &[],
        }
    }

    /// The error in `source`, ready to be shown.
    pub fn in_source(self, source: &Source) -> Diagnostic {
        let inner = *self.0;
        let span = inner.span.unwrap_or_default();
        let diagnostic = match inner.what {
            // A second sentence after a semicolon says what to do: it goes to the caret.
            What::Message(message) => match message.split_once("; ") {
                Some((what, todo)) => Diagnostic::new(source, span, what).label(todo),
                None => Diagnostic::new(source, span, &message),
            },
            What::UnknownWord { noun, word, known } => {
                let message = format!("unknown {noun} `{}`", word.escape_debug());
                let diagnostic = Diagnostic::new(source, span, &message);
                match suggest::nearest(&word, known.iter().copied()) {
                    Some(candidate) => diagnostic.label(&format!("did you mean `{candidate}`?")),
                    None if known.is_empty() => diagnostic,
                    None => diagnostic.help(&format!("known are {}", suggest::list(known))),
                }
            }
        };
        let diagnostic = match inner.other {
            Some((span, label)) => diagnostic.other(span, label),
            None => diagnostic,
        };
        let diagnostic = match inner.help {
            Some(help) => diagnostic.help(&help),
            None => diagnostic,
        };
        match inner.note {
            Some(note) => diagnostic.note(&note),
            None => diagnostic,
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.what {
            What::Message(message) => f.write_str(message),
            What::UnknownWord { noun, word, .. } => write!(f, "unknown {noun} `{word}`"),
        }
    }
}

impl core::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!(
            "expected {}, found {}",
            for_people(&expected.to_string()),
            found_for_people(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::of(What::UnknownWord {
            noun: "value",
            word: word.into(),
            known,
        })
    }

    fn unknown_field(word: &str, known: &'static [&'static str]) -> Self {
        Self::of(What::UnknownWord {
            noun: "key",
            word: word.into(),
            known,
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("missing key `{field}`"))
    }
}

/// serde names Rust types; people who write files know YAML's.
pub fn for_people(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, not negative",
        "a string" | "a borrowed string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        other if other.starts_with("struct") || other.starts_with("a map") => "a mapping",
        other if other.contains("variant") => "a mapping",
        other => other,
    }
}

fn found_for_people(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("`{number}`"),
        Unexpected::Signed(number) => format!("`{number}`"),
        Unexpected::Float(number) => format!("`{number}`"),
        Unexpected::Char(c) => format!("`{c}`"),
        Unexpected::Str(text) => format!("`{text}`"),
        Unexpected::Unit | Unexpected::Option => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a mapping".into(),
        other => other.to_string(),
    }
}
