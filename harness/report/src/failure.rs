//! A failed step as people read it: the place in the file, what was expected, what was seen.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use az3166_event::{Failure, Location};

use crate::text::printable;

/// Whether a text for people may hold colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    Plain,
    /// ANSI colours, for a terminal.
    Coloured,
}

/// `failure` with a caret under its step; `console` are lines that are shown below it.
pub fn render_failure(failure: &Failure, console: &[String], style: Style) -> String {
    let title = title(failure);
    let line = Shown::of(&failure.location);
    let snippet = Snippet::source(line.text.as_str())
        .line_start(failure.location.line as usize)
        .path(failure.location.file.as_str())
        .annotation(AnnotationKind::Primary.span(line.start..line.end));
    let expected = printable(failure.expected.as_bytes());
    let seen = printable(failure.seen.as_bytes());
    let console = console.join("\n");
    let mut group: Group<'_> = Level::ERROR
        .primary_title(title.as_str())
        .element(snippet)
        .element(Level::NOTE.with_name("expected").message(expected.as_str()))
        .element(Level::NOTE.with_name("seen").message(seen.as_str()));
    if !console.is_empty() {
        group = group.element(Level::NOTE.with_name("console").message(console.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.render(&[group])
}

/// The failure in one line: `step 5, expect_registration, at 12.345678s`.
pub fn title(failure: &Failure) -> String {
    let verb = printable(failure.verb.as_bytes());
    match failure.step {
        Some(step) => format!(
            "step {step}, `{verb}`, failed at {} virtual time",
            failure.at
        ),
        None => format!("`{verb}` failed at {} virtual time", failure.at),
    }
}

/// The line of a location, printable, and the bytes of it that are meant.
struct Shown {
    text: String,
    start: usize,
    end: usize,
}

impl Shown {
    fn of(location: &Location) -> Self {
        // One character for one character, so that columns stay.
        let chars: Vec<char> = location
            .text
            .chars()
            .map(|c| {
                match printable(c.encode_utf8(&mut [0; 4]).as_bytes())
                    .chars()
                    .next()
                {
                    Some(first) if first == c => c,
                    _ => ' ',
                }
            })
            .collect();
        let first = (location.column as usize)
            .saturating_sub(1)
            .min(chars.len());
        let last = first
            .saturating_add(location.width as usize)
            .min(chars.len());
        let bytes = |chars: &[char]| chars.iter().map(|c| c.len_utf8()).sum::<usize>();
        Self {
            start: bytes(&chars[..first]),
            end: bytes(&chars[..last]),
            text: chars.into_iter().collect(),
        }
    }
}
