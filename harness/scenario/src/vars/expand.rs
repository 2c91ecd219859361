//! `${name}` in texts.

use core::cell::Cell;

use az3166_yaml::{Fault, Key, Node, Value, Writing};

use crate::{Source, Span, Text};

/// A piece of a text.
enum Piece<'a> {
    Literal(&'a str),
    Variable(&'a str),
}

/// The pieces of `text`: `${name}` is a variable, `$$` one `$`, any other `$` itself.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        let after = &after[1..];
        if let Some(after) = after.strip_prefix('$') {
            pieces.push(Piece::Literal(&rest[..at + 1]));
            rest = after;
        } else if let Some(after) = after.strip_prefix('{') {
            let end = after.find('}').ok_or_else(|| {
                Fault::new("`${` without `}`; write `$${` for these two characters themselves")
            })?;
            pieces.push(Piece::Literal(before));
            pieces.push(Piece::Variable(&after[..end]));
            rest = &after[end + 1..];
        } else {
            pieces.push(Piece::Literal(&rest[..at + 1]));
            rest = after;
        }
    }
    pieces.push(Piece::Literal(rest));
    Ok(pieces)
}

/// Where `${name}` stands in `source`, if the scalar at `span` was written without escapes.
fn place_of(name: &str, source: &Source, span: Span) -> Span {
    let written = source.text().get(span.start..span.end).unwrap_or_default();
    let variable = format!("${{{name}}}");
    match written.find(&variable) {
        Some(at) => Span::new(span.start + at, span.start + at + variable.len()),
        None => span,
    }
}

/// How much more the variables and rows of a file may make of it: definitions that repeat each
/// other grow fast.
pub struct Budget(Cell<usize>);

impl Budget {
    /// All rows of a file together may hold this many bytes.
    const BYTES: usize = 8 << 20;
    /// What a value takes beside its text.
    const VALUE: usize = 64;

    /// The budget of one file.
    pub const fn new() -> Self {
        Self(Cell::new(Self::BYTES))
    }

    fn take(&self, bytes: usize) -> Result<(), Fault> {
        let left =
            self.0.get().checked_sub(bytes).ok_or_else(|| {
                Fault::new("variables and rows make more than 8 MiB of this file")
            })?;
        self.0.set(left);
        Ok(())
    }
}

/// `node` with each `${name}` replaced by what `lookup` says.
pub fn substitute(
    node: &Node,
    source: &Source,
    budget: &Budget,
    lookup: &mut dyn FnMut(&str) -> Result<Text, Fault>,
) -> Result<Node, Fault> {
    let value = match &node.value {
        Value::Scalar(text, writing) => {
            let (text, writing) = expand(text, *writing, node.span, source, budget, lookup)?;
            Value::Scalar(text, writing)
        }
        Value::Sequence(items) => {
            let items = items
                .iter()
                .map(|item| substitute(item, source, budget, lookup));
            Value::Sequence(items.collect::<Result<_, _>>()?)
        }
        Value::Mapping(members) => {
            let members = members.iter().map(|(key, value)| {
                let key = Key {
                    name: key.name.clone(),
                    span: key.span,
                };
                Ok((key, substitute(value, source, budget, lookup)?))
            });
            Value::Mapping(members.collect::<Result<_, Fault>>()?)
        }
    };
    Ok(Node {
        value,
        span: node.span,
    })
}

fn expand(
    text: &Text,
    writing: Writing,
    span: Span,
    source: &Source,
    budget: &Budget,
    lookup: &mut dyn FnMut(&str) -> Result<Text, Fault>,
) -> Result<(Text, Writing), Fault> {
    budget
        .take(Budget::VALUE + text.expose().len())
        .map_err(|fault| fault.at(span))?;
    if !text.expose().contains('$') {
        return Ok((text.clone(), writing));
    }
    let mut expanded = zeroize::Zeroizing::new(String::new());
    let mut writing = writing;
    for piece in pieces(text.expose()).map_err(|fault| fault.at(span))? {
        match piece {
            Piece::Literal(literal) => expanded.push_str(literal),
            Piece::Variable(name) => {
                let value = lookup(name).map_err(|fault| fault.at(place_of(name, source, span)))?;
                budget
                    .take(value.expose().len())
                    .map_err(|fault| fault.at(span))?;
                expanded.push_str(value.expose());
                writing = Writing::Substituted;
            }
        }
    }
    Ok((expanded.as_str().into(), writing))
}
