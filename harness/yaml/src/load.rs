//! From text to tree, within limits.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::{Fault, Key, Node, Span, Value, Writing};

/// A file may have this many bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// A document may have this many nodes, those that aliases repeat counted each time.
const MAX_NODES: usize = 20_000;
/// Lists and mappings may be nested this deep.
const MAX_DEPTH: usize = 32;

/// A kind of file, as messages speak of it.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What a file describes: `scenario`.
    pub noun: &'static str,
    /// What it cannot do without: "`name` and `steps`".
    pub needs: &'static str,
}

/// The tree of the one document in `text`.
///
/// # Errors
/// It is no YAML, or more than one document, or larger than any file of this kind need be.
pub fn load(text: &str, format: Format) -> Result<Node, Fault> {
    let noun = format.noun;
    if text.len() > MAX_BYTES {
        return Err(Fault::new(format!(
            "the file has {} bytes; a {noun} may have {MAX_BYTES}",
            text.len()
        )));
    }
    let offsets = Offsets::new(text);
    let mut builder = Builder::new(noun);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = offsets.byte(error.marker().index());
            Fault::new(format!("not YAML: {}", error.info())).at(Span::new(at, at))
        })?;
        let span = Span::new(
            offsets.byte(span.start.index()),
            offsets.byte(span.end.index()),
        );
        builder.take(event, span).map_err(|fault| fault.at(span))?;
    }
    builder.document.ok_or_else(|| {
        let needs = format.needs;
        Fault::new(format!("the file is empty; a {noun} needs {needs}"))
    })
}

/// Byte offsets of characters: the parser counts characters.
struct Offsets(Vec<usize>);

impl Offsets {
    fn new(text: &str) -> Self {
        let starts = text.char_indices().map(|(at, _)| at);
        Self(starts.chain([text.len()]).collect())
    }

    fn byte(&self, character: usize) -> usize {
        let last = self.0.last().copied().unwrap_or_default();
        self.0.get(character).copied().unwrap_or(last)
    }
}

/// A list or mapping that is not complete yet.
enum Open {
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>, Option<Key>),
}

struct Builder {
    noun: &'static str,
    open: Vec<(Open, usize, Span)>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    document: Option<Node>,
}

impl Builder {
    fn new(noun: &'static str) -> Self {
        Self {
            noun,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            document: None,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => match self.document {
                None => Ok(()),
                Some(_) => Err(Fault::new(format!(
                    "a {} file holds one document, not more",
                    self.noun
                ))),
            },
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(Fault::new("this alias stands inside what it repeats"));
                };
                let (node, size) = (node.clone(), *size);
                self.count(size)?;
                self.add(node, 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(tag.is_some())?;
                self.count(1)?;
                let writing = match style {
                    ScalarStyle::Plain => Writing::Plain,
                    _ => Writing::Quoted,
                };
                let value = Value::Scalar(text.into_owned().into(), writing);
                self.add(Node { value, span }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(tag.is_some())?;
                self.enter(Open::Sequence(Vec::new()), anchor, span)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(tag.is_some())?;
                self.enter(Open::Mapping(Vec::new(), None), anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((open, anchor, start)) = self.open.pop() else {
                    return Err(Fault::new("not YAML: an end without a beginning"));
                };
                let value = match open {
                    Open::Sequence(items) => Value::Sequence(items),
                    Open::Mapping(members, _) => Value::Mapping(members),
                };
                let span = Span::new(start.start, span.end.max(start.end));
                self.add(Node { value, span }, anchor)
            }
        }
    }

    fn refuse(&self, tagged: bool) -> Result<(), Fault> {
        match tagged {
            true => Err(Fault::new(format!(
                "tags such as `!x` mean nothing in a {}",
                self.noun
            ))),
            false => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), Fault> {
        self.nodes += nodes;
        match self.nodes > MAX_NODES {
            true => Err(Fault::new(format!(
                "the document has more than {MAX_NODES} values, aliases counted each time"
            ))),
            false => Ok(()),
        }
    }

    fn enter(&mut self, open: Open, anchor: usize, span: Span) -> Result<(), Fault> {
        self.count(1)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault::new(format!(
                "lists and mappings are nested deeper than {MAX_DEPTH}"
            )));
        }
        self.open.push((open, anchor, span));
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size(&node)));
        }
        match self.open.last_mut() {
            None => self.document = Some(node),
            Some((Open::Sequence(items), ..)) => items.push(node),
            Some((Open::Mapping(members, waiting), ..)) => match waiting.take() {
                Some(key) => members.push((key, node)),
                None => *waiting = Some(key(node, members)?),
            },
        }
        Ok(())
    }
}

fn key(node: Node, members: &[(Key, Node)]) -> Result<Key, Fault> {
    let Value::Scalar(name, _) = &node.value else {
        return Err(Fault::new("a key is a word, not a list or a mapping").at(node.span));
    };
    let name = name.expose().to_owned();
    if name == "<<" {
        return Err(Fault::new("merge keys (`<<`) are not read; repeat the members").at(node.span));
    }
    match members.iter().find(|(key, _)| key.name == name) {
        Some((first, _)) => Err(Fault::new(format!("the key `{name}` stands twice"))
            .at(node.span)
            .other(first.span, "first here")),
        None => Ok(Key {
            name,
            span: node.span,
        }),
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(..) => 0,
        Value::Sequence(items) => items.iter().map(size).sum(),
        Value::Mapping(members) => members.iter().map(|(_, node)| size(node)).sum(),
    }
}
