//! From text to scenarios.

mod labels;
mod names;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use az3166_target::Capability;
use az3166_yaml::{Fault, Format, Key, Node, Value};
use serde::Deserialize;

pub use names::check_names;

use crate::model::{Document, Scenario, ScenarioFile, SecretUds};
use crate::vars::{self, Budget, Definition, Row, Variables};
use crate::{Diagnostic, Source, Span, Text, Verb};

/// How messages speak of scenario files.
const FORMAT: Format = Format {
    noun: "scenario",
    needs: "`name` and `steps`",
};
/// More errors than these at a time help nobody.
const MAX_DIAGNOSTICS: usize = 20;
/// A file has at most this many steps.
const MAX_STEPS: usize = 2000;

/// Reads a scenario file. `overrides` are the values of `--set`; those of variables that the
/// file does not have are passed over, since one command line serves many files.
///
/// # Errors
/// Everything that is wrong with the file, as far as it can be told at once; never empty.
pub fn parse(
    source: &Source,
    overrides: &BTreeMap<String, String>,
) -> Result<ScenarioFile, Vec<Diagnostic>> {
    let fail = |fault: Fault| vec![fault.in_source(source)];
    let root = az3166_yaml::load(source.text(), FORMAT).map_err(fail)?;
    let parts = Parts::of(&root).map_err(fail)?;
    let rows = match parts.matrix {
        Some(matrix) => vars::rows(matrix).map_err(|fault| fail(fault.at(matrix.span)))?,
        None => Vec::new(),
    };
    let definitions = definitions(parts.vars).map_err(fail)?;
    let variables = definitions
        .keys()
        .cloned()
        .chain(
            rows.iter()
                .flat_map(|row| row.values.iter().map(|(name, _)| name.clone())),
        )
        .collect();
    let mut scenarios = Vec::new();
    let budget = Budget::new();
    let all: Vec<Option<&Row>> = match rows.is_empty() {
        true => vec![None],
        false => rows.iter().map(Some).collect(),
    };
    for row in all {
        let reader = Reader {
            source,
            parts: &parts,
            budget: &budget,
            row,
        };
        scenarios.push(reader.scenario(&definitions, overrides)?);
    }
    Ok(ScenarioFile {
        source: source.clone(),
        scenarios,
        variables,
        name_span: parts.name.map_or(root.span, |node| node.span),
    })
}

/// The document, taken apart: what is read by itself, and the rest.
struct Parts<'a> {
    name: Option<&'a Node>,
    vars: Option<&'a Node>,
    matrix: Option<&'a Node>,
    steps: Option<&'a Node>,
    rest: Vec<&'a (Key, Node)>,
    span: Span,
}

/// Members in which `${name}` is no variable.
const WITHOUT_VARIABLES: [&str; 4] = ["name", "description", "tags", "needs"];

impl<'a> Parts<'a> {
    fn of(root: &'a Node) -> Result<Self, Fault> {
        let Value::Mapping(members) = &root.value else {
            let found = root.describe();
            return Err(Fault::new(format!(
                "expected a scenario with `name` and `steps`, found {found}"
            ))
            .at(root.span));
        };
        Ok(Self {
            name: root.member("name"),
            vars: root.member("vars").filter(|node| !node.is_null()),
            matrix: root.member("matrix"),
            steps: root.member("steps"),
            rest: members
                .iter()
                .filter(|(key, _)| key.name != "vars" && key.name != "matrix")
                .collect(),
            span: root.span,
        })
    }
}

fn definitions(vars: Option<&Node>) -> Result<BTreeMap<String, Definition<'_>>, Fault> {
    let Some(vars) = vars else {
        return Ok(BTreeMap::new());
    };
    let Value::Mapping(members) = &vars.value else {
        let found = vars.describe();
        return Err(
            Fault::new(format!("expected a mapping of variables, found {found}")).at(vars.span),
        );
    };
    for (key, _) in members {
        if !vars::is_name(&key.name) {
            return Err(Fault::new(format!(
                "`{}` is no variable's name; names have letters, digits and `_`",
                key.name
            ))
            .at(key.span));
        }
    }
    Ok(members
        .iter()
        .map(|(key, node)| (key.name.clone(), Definition::Written(node)))
        .collect())
}

/// Reads the scenario of one row.
struct Reader<'a> {
    source: &'a Source,
    parts: &'a Parts<'a>,
    budget: &'a Budget,
    row: Option<&'a Row>,
}

impl Reader<'_> {
    fn scenario(
        &self,
        definitions: &BTreeMap<String, Definition<'_>>,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Scenario, Vec<Diagnostic>> {
        let variables = self
            .variables(definitions, overrides)
            .map_err(|fault| vec![self.diagnostic(fault)])?;
        let mut faults = Vec::new();
        let document = self.document(&variables);
        let steps = self.steps(&variables, &mut faults);
        let document = match document {
            Ok(document) => document,
            Err(fault) => {
                faults.insert(0, fault);
                return Err(self.diagnostics(faults));
            }
        };
        labels::check(&steps, &mut faults);
        if !faults.is_empty() {
            return Err(self.diagnostics(faults));
        }
        let mut identity = document.identity;
        if identity.uds.is_none() {
            let uds = variables.get("uds").cloned();
            identity.uds = uds.and_then(|uds| SecretUds::try_from(uds).ok());
        }
        let implied = steps
            .iter()
            .flat_map(|step| step.verb.needs().iter().copied());
        let boot_needs: &[Capability] = match document.boot {
            crate::Boot::Stub => &[],
            crate::Boot::BootloaderLeftovers => &[Capability::BootloaderState],
        };
        let needs = implied
            .chain(boot_needs.iter().copied())
            .chain(document.needs.iter().copied());
        let mut tags = document.tags.into_set();
        tags.extend(self.row.iter().flat_map(|row| row.tags.iter().cloned()));
        let name = document.name.0;
        Ok(Scenario {
            name: match self.row {
                Some(row) => format!("{name} [{}]", row.name),
                None => name,
            },
            row: self.row.map(|row| row.name.clone()),
            source: self.source.clone(),
            description: document.description,
            tags,
            needs: needs.collect(),
            firmware: document.firmware,
            boot: document.boot,
            seed: document.seed,
            deadline: document.deadline,
            identity,
            cloud: document.cloud,
            steps,
            variables,
        })
    }

    fn variables(
        &self,
        definitions: &BTreeMap<String, Definition<'_>>,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Variables, Fault> {
        let mut all = definitions.clone();
        for (name, node) in self.row.iter().flat_map(|row| &row.values) {
            all.insert(name.clone(), Definition::Written(node));
        }
        for (name, value) in overrides {
            if let Some(definition) = all.get_mut(name) {
                *definition = Definition::Given(value);
            }
        }
        vars::resolve(&all, self.source, self.budget)
    }

    fn substituted(&self, node: &Node, variables: &Variables) -> Result<Node, Fault> {
        let mut lookup = |name: &str| -> Result<Text, Fault> {
            let unknown = || vars::unknown(name, variables.keys());
            variables.get(name).cloned().ok_or_else(unknown)
        };
        vars::substitute(node, self.source, self.budget, &mut lookup)
    }

    /// Everything but variables, rows and steps.
    fn document(&self, variables: &Variables) -> Result<Document, Fault> {
        let mut members = Vec::new();
        for (key, node) in self.parts.rest.iter().copied() {
            let node = match key.name.as_str() {
                // Steps are read one by one, so that each can have its own errors.
                "steps" if matches!(node.value, Value::Sequence(_)) => Node {
                    value: Value::Sequence(Vec::new()),
                    span: node.span,
                },
                name if WITHOUT_VARIABLES.contains(&name) => node.clone(),
                _ => self.substituted(node, variables)?,
            };
            members.push((key.clone(), node));
        }
        let node = Node {
            value: Value::Mapping(members),
            span: self.parts.span,
        };
        Document::deserialize(&node)
    }

    fn diagnostic(&self, fault: Fault) -> Diagnostic {
        let fault = match self.row {
            Some(row) => fault.note(format!("in the matrix row `{}`", row.name)),
            None => fault,
        };
        fault.in_source(self.source)
    }

    fn diagnostics(&self, faults: Vec<Fault>) -> Vec<Diagnostic> {
        faults
            .into_iter()
            .take(MAX_DIAGNOSTICS)
            .map(|fault| self.diagnostic(fault))
            .collect()
    }
}

/// The names of the variables that the files have, for a check of `--set`.
pub fn all_variables<'a>(files: impl IntoIterator<Item = &'a ScenarioFile>) -> BTreeSet<&'a str> {
    let files = files.into_iter();
    files
        .flat_map(|file| file.variables.iter().map(String::as_str))
        .collect()
}

/// The verb of one step.
fn verb(node: &Node) -> Result<Verb, Fault> {
    Verb::deserialize(node)
}
