//! From text to a rack.

use std::collections::BTreeMap;

use az3166_yaml::{Diagnostic, Fault, Format, Node, Source, Span, Value, load};
use serde::Deserialize;

use super::model::{Board, Rack};

/// How messages speak of rack files.
const FORMAT: Format = Format {
    noun: "rack",
    needs: "`boards`",
};

/// More errors than these at a time help nobody.
const MAX_DIAGNOSTICS: usize = 20;

/// Reads a rack file.
///
/// # Errors
/// Everything that is wrong with the file, as far as it can be told at once; never empty.
pub fn parse(source: &Source) -> Result<Rack, Vec<Diagnostic>> {
    let show = |fault: Fault| fault.in_source(source);
    let fail = |fault: Fault| vec![show(fault)];
    let root = load(source.text(), FORMAT).map_err(fail)?;
    let nodes = match root.member("boards") {
        Some(Node {
            value: Value::Sequence(nodes),
            ..
        }) if !nodes.is_empty() => nodes,
        Some(Node {
            value: Value::Sequence(_),
            span,
        }) => return Err(fail(Fault::new("a rack has at least one board").at(*span))),
        // Whatever else it is, reading it whole says what is wrong.
        _ => {
            return Rack::deserialize(&root).map_err(|fault| fail(fault.at(root.span)));
        }
    };
    // Board by board, so that each can have its own error.
    let mut faults: Vec<Fault> = Vec::new();
    let mut boards: Vec<(Board, &Node)> = Vec::new();
    for node in nodes {
        match Board::deserialize(node) {
            Ok(board) => boards.push((board, node)),
            Err(fault) => faults.push(fault.at(node.span)),
        }
    }
    faults.extend(duplicates(&boards));
    if faults.is_empty() {
        // All members are good, so this is about the top level alone.
        return Rack::deserialize(&root).map_err(|fault| fail(fault.at(root.span)));
    }
    Err(faults.into_iter().take(MAX_DIAGNOSTICS).map(show).collect())
}

/// An error for every id, probe and chip that stands twice, and for a tag that is an id.
fn duplicates(boards: &[(Board, &Node)]) -> Vec<Fault> {
    let mut seen: BTreeMap<(&str, String), Span> = BTreeMap::new();
    let mut faults = Vec::new();
    for (board, node) in boards {
        let members = [
            ("id", Some(board.id.to_string())),
            ("probe_serial", Some(board.probe_serial.to_string())),
            ("chip_uid", board.chip_uid.as_ref().map(ToString::to_string)),
        ];
        for (key, value) in members {
            let Some(value) = value else { continue };
            let span = node.member(key).map_or(node.span, |node| node.span);
            if let Some(first) = seen.get(&(key, value.clone())) {
                let what = match key {
                    "id" => "two boards have the id",
                    "probe_serial" => "two boards have the probe",
                    _ => "two boards have the chip",
                };
                let fault = Fault::new(format!("{what} `{value}`")).at(span);
                faults.push(fault.other(*first, "first here"));
            } else {
                seen.insert((key, value), span);
            }
        }
    }
    for (board, node) in boards {
        let ids = |tag: &str| seen.get(&("id", tag.to_owned())).copied();
        for tag in &board.tags {
            if let Some(id) = ids(tag.as_str()) {
                let fault = Fault::new(format!(
                    "the tag `{tag}` is also a board's id; `board:{tag}` would mean both"
                ));
                let span = node.member("tags").map_or(node.span, |node| node.span);
                faults.push(fault.at(span).other(id, "the board"));
            }
        }
    }
    faults
}
