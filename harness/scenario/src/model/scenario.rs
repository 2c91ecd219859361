//! A scenario ready to run.

use std::collections::{BTreeMap, BTreeSet};

use az3166_event::Location;
use az3166_target::Capability;

use super::{Boot, CloudSetup, FirmwareVariant, IdentityInput, SecretUds};
use crate::verb::{Against, Input, PlantedContent, Verb, ZoneContent};
use crate::{Interval, Source, Span, Text};

/// What a scenario file holds: one scenario, or one for each row of its matrix.
#[derive(Clone, Debug)]
pub struct ScenarioFile {
    /// The file.
    pub source: Source,
    /// The file's scenarios, in the order of its rows; at least one.
    pub scenarios: Vec<Scenario>,
    /// The names of the variables that `--set` may replace.
    pub variables: BTreeSet<String>,
    pub(crate) name_span: Span,
}

/// One scenario: variables are put in, and defaults filled in.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name, with its matrix row in brackets.
    pub name: String,
    /// The matrix row's name.
    pub row: Option<String>,
    /// The file it comes from.
    pub source: Source,
    /// What it is for.
    pub description: Option<String>,
    /// Words to choose it by.
    pub tags: BTreeSet<String>,
    /// What a target must be able to do: what the file says and what its steps imply.
    pub needs: BTreeSet<Capability>,
    /// The build of the firmware.
    pub firmware: FirmwareVariant,
    /// Who starts the firmware.
    pub boot: Boot,
    /// The seed of everything random; that of the run where none.
    pub seed: Option<u64>,
    /// The time limit of the whole scenario.
    pub deadline: Interval,
    /// What the oracle computes the device's identity from.
    pub identity: IdentityInput,
    /// The local provisioning service and hub.
    pub cloud: CloudSetup,
    /// The steps, in order.
    pub steps: Vec<Step>,
    pub(crate) variables: BTreeMap<String, Text>,
}

/// One step, and where it stands.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its number in the file, from 1.
    pub number: u32,
    /// What it does.
    pub verb: Verb,
    pub(crate) source: Source,
    pub(crate) span: Span,
    pub(crate) members: Vec<(String, Span)>,
}

impl Step {
    /// Where the step's verb stands.
    pub fn location(&self) -> Location {
        self.source.location(self.span)
    }

    /// Where the step's member `name` stands, its value included; the verb where it has none.
    pub fn location_of(&self, name: &str) -> Location {
        let member = self.members.iter().find(|(member, _)| member == name);
        self.source
            .location(member.map_or(self.span, |(_, span)| *span))
    }
}

/// A secret that a scenario holds, for the leak detector.
#[derive(Clone, Debug)]
pub struct NamedSecret {
    /// What reports call it: `UDS`.
    pub name: &'static str,
    /// The secret.
    pub uds: SecretUds,
}

impl Scenario {
    /// Every UDS in the file: the identity's, those of variables named so, those that steps type,
    /// plant or compare. Each stands once.
    pub fn secrets(&self) -> Vec<NamedSecret> {
        let mut found: Vec<SecretUds> = Vec::new();
        let mut add = |uds: Option<SecretUds>| {
            if let Some(uds) = uds
                && !found.contains(&uds)
            {
                found.push(uds);
            }
        };
        add(self.identity.uds.clone());
        for (name, value) in &self.variables {
            if name.to_ascii_lowercase().contains("uds") {
                add(SecretUds::try_from(value.clone()).ok());
            }
        }
        for enrolment in &self.cloud.enrolments {
            add(enrolment.identity.uds.clone());
        }
        for step in &self.steps {
            add(uds_of(&step.verb));
        }
        let named = |uds| NamedSecret { name: "UDS", uds };
        found.into_iter().map(named).collect()
    }
}

/// The UDS that a step types, plants or compares.
fn uds_of(verb: &Verb) -> Option<SecretUds> {
    match verb {
        Verb::Console(console) => match &console.input {
            Some(Input::Line(text) | Input::Keys(text)) => typed_uds(text),
            None => None,
        },
        Verb::Plant(plant) => match &plant.content {
            PlantedContent::Uds(uds) => Some(uds.clone()),
            PlantedContent::Text(text) => SecretUds::try_from(text.clone()).ok(),
            _ => None,
        },
        Verb::ExpectNvm(crate::verb::ExpectNvm::Holds {
            content: ZoneContent::Uds(uds),
            ..
        }) => Some(uds.clone()),
        Verb::Enrol(enrolment) => enrolment.identity.uds.clone(),
        Verb::ExpectCertificate(expected) => match &expected.oracle {
            Some(Against::Equal(identity) | Against::Different(identity)) => identity.uds.clone(),
            None => None,
        },
        _ => None,
    }
}

fn typed_uds(text: &Text) -> Option<SecretUds> {
    let mut words = text.expose().split_whitespace();
    let word = words
        .find(|word| *word == "set_dps_uds")
        .and(words.next())?;
    SecretUds::try_from(Text::from(word.trim_matches('"'))).ok()
}
