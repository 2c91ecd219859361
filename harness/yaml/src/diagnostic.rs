//! What is wrong with a file, and where.

use core::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use az3166_event::Location;

use crate::{Source, Span, text};

/// Whether a text for people may hold colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    Plain,
    /// ANSI colours, for a terminal.
    Coloured,
}

/// One error in a file.
///
/// `Display` renders it without colours. Long runs of hex digits are masked everywhere.
#[derive(Clone, Debug)]
pub struct Diagnostic(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    source: Source,
    span: Span,
    message: String,
    label: String,
    other: Option<(Span, String)>,
    help: Option<String>,
    note: Option<String>,
}

impl Diagnostic {
    /// An error with this message, at the first line of `span`.
    pub fn new(source: &Source, span: Span, message: &str) -> Self {
        Self(Box::new(Inner {
            source: source.clone(),
            span: source.first_line(span),
            message: text::mask(message),
            label: String::new(),
            other: None,
            help: None,
            note: None,
        }))
    }

    /// The error with words at its caret: what to do.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.0.label = text::mask(label);
        self
    }

    /// The error with a second place that explains it.
    #[must_use]
    pub fn other(mut self, span: Span, label: &str) -> Self {
        self.0.other = Some((self.0.source.first_line(span), text::mask(label)));
        self
    }

    /// The error with a line on what to do.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        self.0.help = Some(text::mask(help));
        self
    }

    /// The error with a line on its circumstances.
    #[must_use]
    pub fn note(mut self, note: &str) -> Self {
        self.0.note = Some(text::mask(note));
        self
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, where something is known.
    pub fn suggestion(&self) -> Option<&str> {
        match self.0.label.is_empty() {
            true => self.0.help.as_deref(),
            false => Some(&self.0.label),
        }
    }

    /// Where it is wrong.
    pub fn location(&self) -> Location {
        self.0.source.location(self.0.span)
    }

    /// The message with the lines it is about and a caret.
    pub fn render(&self, style: Style) -> String {
        let mut caret = AnnotationKind::Primary.span(self.0.span.start..self.0.span.end);
        if !self.0.label.is_empty() {
            caret = caret.label(self.0.label.as_str());
        }
        let shown = visible(self.0.source.shown());
        let mut snippet = Snippet::source(shown.as_str())
            .path(self.0.source.path())
            .annotation(caret);
        if let Some((span, label)) = &self.0.other {
            let place = AnnotationKind::Context.span(span.start..span.end);
            snippet = snippet.annotation(place.label(label.as_str()));
        }
        let mut group: Group<'_> = Level::ERROR
            .primary_title(self.0.message.as_str())
            .element(snippet);
        if let Some(help) = &self.0.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        if let Some(note) = &self.0.note {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        renderer.render(&[group])
    }
}

/// `text` with control characters but tab and line feed replaced, each by as many bytes.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' => c,
            // One byte for one byte: spans stay.
            '\0'..='\u{1f}' | '\u{7f}' => ' ',
            // Two bytes for two bytes.
            '\u{80}'..='\u{9f}' => '\u{a0}',
            _ => c,
        })
        .collect()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl core::error::Error for Diagnostic {}
