//! A file's text and places in it.

use std::sync::Arc;

use az3166_event::Location;

use crate::{Diagnostic, text};

/// A range of bytes in a file's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// From `start` to before `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// A file: its name, its text, and the text as it may be shown.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    file: String,
    text: zeroize::Zeroizing<String>,
    shown: String,
}

impl core::fmt::Debug for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Source({})", self.0.file)
    }
}

impl Source {
    /// The file that messages call `file`, with this text. A byte order mark is taken off.
    pub fn new(file: impl Into<String>, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self(Arc::new(Inner {
            file: file.into(),
            text: text.to_owned().into(),
            shown: text::mask(text),
        }))
    }

    /// The same from a file's bytes.
    ///
    /// # Errors
    /// They are not UTF-8.
    pub fn from_bytes(file: impl Into<String>, bytes: &[u8]) -> Result<Self, Diagnostic> {
        match str::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(file, text)),
            Err(error) => {
                let at = error.valid_up_to();
                let source = Self::new(file, &String::from_utf8_lossy(bytes));
                let span = Span::new(at, at);
                Err(Diagnostic::new(&source, span, "the file is not UTF-8 here"))
            }
        }
    }

    /// What messages call the file: its path as the user gave it.
    pub fn path(&self) -> &str {
        &self.0.file
    }

    /// The text, secrets and all: for parsers alone.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text with long runs of hex digits masked in place, so that spans fit it too.
    pub fn shown(&self) -> &str {
        &self.0.shown
    }

    /// `span` cut to its first line, at least one character wide where the line has one.
    pub fn first_line(&self, span: Span) -> Span {
        let text = self.text();
        let start = floor(text, span.start);
        let end = floor(text, span.end.max(start));
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let kept = text[start..end.min(line_end)].trim_end();
        let width = match kept.is_empty() {
            true => text[start..line_end]
                .chars()
                .next()
                .map_or(0, char::len_utf8),
            false => kept.len(),
        };
        Span::new(start, start + width)
    }

    /// The place of `span`'s first line, for reports.
    pub fn location(&self, span: Span) -> Location {
        let span = self.first_line(span);
        let (before, _) = self.text().split_at(span.start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let shown = self.shown();
        let line = shown[line_start..].lines().next().unwrap_or_default();
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        Location {
            file: self.path().to_owned(),
            line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
            column: count(&shown[line_start..span.start]) + 1,
            width: count(&shown[span.start..span.end]).max(1),
            text: line.to_owned(),
        }
    }
}

/// The last character boundary of `text` that is not after `index`.
fn floor(text: &str, index: usize) -> usize {
    text.floor_char_boundary(index.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_count_characters_and_secrets_stay_hidden() {
        let secret = "ab".repeat(32);
        let source = Source::new("a.yaml", &format!("x: 1\nüü: {secret} # note\n"));
        let start = source.text().find("ab").unwrap();
        let location = source.location(Span::new(start, start + 64));
        assert_eq!((location.line, location.column, location.width), (2, 5, 64));
        assert_eq!(location.text, format!("üü: {} # note", "*".repeat(64)));
    }

    proptest! {
        #[test]
        fn any_span_has_a_location(text in "(.|\n){0,40}", start in 0usize..60, end in 0usize..60) {
            let source = Source::new("a", &text);
            let location = source.location(Span::new(start, end));
            prop_assert!(location.line >= 1 && location.column >= 1 && location.width >= 1);
        }
    }
}
