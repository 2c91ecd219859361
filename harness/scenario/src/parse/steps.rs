//! Steps, each read on its own so that each can have its own error.

use super::{MAX_STEPS, Reader, verb};
use az3166_yaml::{Fault, Key, Node, Value};

use crate::Span;
use crate::model::Step;
use crate::vars::Variables;

impl Reader<'_> {
    /// The steps that can be read; what is wrong with the others goes to `faults`.
    pub(super) fn steps(&self, variables: &Variables, faults: &mut Vec<Fault>) -> Vec<Step> {
        // A missing or wrongly typed list is an error of the document as a whole.
        let Some(steps) = self.parts.steps else {
            return Vec::new();
        };
        let Value::Sequence(nodes) = &steps.value else {
            return Vec::new();
        };
        if nodes.is_empty() || nodes.len() > MAX_STEPS {
            let message = match nodes.is_empty() {
                true => "a scenario without steps judges nothing".into(),
                false => format!("a scenario may have {MAX_STEPS} steps"),
            };
            faults.push(Fault::new(message).at(steps.span));
            return Vec::new();
        }
        let mut read = Vec::new();
        for (number, node) in (1..).zip(nodes) {
            let verb = self
                .substituted(node, variables)
                .and_then(|node| verb(&node).map_err(|fault| fault.at(node.span)));
            match verb {
                Ok(verb) => read.push(Step {
                    number,
                    verb,
                    source: self.source.clone(),
                    span: word(node),
                    members: members(node),
                }),
                Err(fault) => faults.push(fault),
            }
        }
        read
    }
}

fn only_member(node: &Node) -> Option<&(Key, Node)> {
    match &node.value {
        Value::Mapping(members) => members.first(),
        _ => None,
    }
}

/// Where the step's verb stands.
fn word(node: &Node) -> Span {
    only_member(node).map_or(node.span, |(key, _)| key.span)
}

/// The step's members, each from its key to the end of its value.
fn members(node: &Node) -> Vec<(String, Span)> {
    let Some((_, content)) = only_member(node) else {
        return Vec::new();
    };
    let Value::Mapping(members) = &content.value else {
        return Vec::new();
    };
    members
        .iter()
        .map(|(key, value)| {
            let end = value.span.end.max(key.span.end);
            (key.name.clone(), Span::new(key.span.start, end))
        })
        .collect()
}
