//! Labels are given before they are used.

use std::collections::BTreeSet;

use az3166_yaml::Fault;
use az3166_yaml::suggest;

use crate::model::{Label, Step};
use crate::verb::{ExpectNvm, Verb};

/// What a label stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Nvm,
    Identity,
}

impl Kind {
    const fn given_by(self) -> &'static str {
        match self {
            Self::Nvm => "snapshot_nvm",
            Self::Identity => "save_identity",
        }
    }
}

enum Use<'a> {
    Gives(Kind, &'a Label),
    Uses(Kind, &'a Label),
}

fn label_of(verb: &Verb) -> Option<Use<'_>> {
    match verb {
        Verb::SnapshotNvm(label) => Some(Use::Gives(Kind::Nvm, label)),
        Verb::SaveIdentity(label) => Some(Use::Gives(Kind::Identity, label)),
        Verb::RestoreNvm(label) | Verb::ExpectNvm(ExpectNvm::UnchangedSince { label, .. }) => {
            Some(Use::Uses(Kind::Nvm, label))
        }
        Verb::ExpectIdentity(expected) => Some(Use::Uses(Kind::Identity, &expected.compared_to)),
        _ => None,
    }
}

/// Adds an error for every label that no earlier step gives.
pub fn check(steps: &[Step], faults: &mut Vec<Fault>) {
    let mut given: BTreeSet<(Kind, &str)> = BTreeSet::new();
    for step in steps {
        match label_of(&step.verb) {
            Some(Use::Gives(kind, label)) => {
                given.insert((kind, label.as_str()));
            }
            Some(Use::Uses(kind, label)) if !given.contains(&(kind, label.as_str())) => {
                let known = given.iter().filter(|(known, _)| *known == kind);
                let known: Vec<&str> = known.map(|(_, label)| *label).collect();
                let what = format!("no earlier `{}` gives the label `{label}`", kind.given_by());
                let message = match suggest::nearest(label.as_str(), known) {
                    Some(candidate) => format!("{what}; did you mean `{candidate}`?"),
                    None => what,
                };
                faults.push(Fault::new(message).at(step.span));
            }
            _ => {}
        }
    }
}
