//! Which scenarios a command is about.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

use az3166_scenario::{Diagnostic, Scenario, Style, all_variables, check_names, parse};
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde_json::json;

use super::check::sources;
use crate::exit::Failure;
use crate::terminal;

/// The tag of scenarios that run only when it is asked for.
const NIGHTLY: &str = "nightly";

/// What the command line says about it.
pub struct Selection<'a> {
    /// Files and folders.
    pub paths: &'a [PathBuf],
    /// Values of variables.
    pub set: &'a BTreeMap<String, String>,
    /// Values of variables that scenarios need not have.
    pub offered: &'a BTreeMap<String, String>,
    /// Globs over names; any where there is none.
    pub filter: &'a [String],
    /// Tags; any but `nightly` where there is none.
    pub tags: &'a [String],
}

impl Selection<'_> {
    /// The scenarios, in the order of their files.
    pub fn scenarios(&self) -> Result<Vec<Scenario>, Failure> {
        let filter = self.globs()?;
        let sources = sources(self.paths)?;
        let mut values = self.offered.clone();
        values.extend(self.set.clone());
        let (mut files, mut wrong) = (Vec::new(), Vec::new());
        for source in &sources {
            match parse(source, &values) {
                Ok(file) => files.push(file),
                Err(diagnostics) => wrong.extend(diagnostics),
            }
        }
        wrong.extend(check_names(&files));
        if !wrong.is_empty() {
            return Err(mistakes(&wrong));
        }
        self.check_variables(&all_variables(&files))?;
        let scenarios = files.into_iter().flat_map(|file| file.scenarios);
        Ok(scenarios
            .filter(|scenario| self.filter.is_empty() || filter.is_match(&scenario.name))
            .filter(|scenario| self.has_tag(scenario))
            .collect())
    }

    fn has_tag(&self, scenario: &Scenario) -> bool {
        match self.tags {
            [] => !scenario.tags.contains(NIGHTLY),
            tags => tags.iter().any(|tag| scenario.tags.contains(tag)),
        }
    }

    fn globs(&self) -> Result<GlobSet, Failure> {
        let mut globs = GlobSetBuilder::new();
        for text in self.filter {
            let glob =
                Glob::new(text).map_err(|error| Failure::usage(format!("--filter: {error}")))?;
            globs.add(glob);
        }
        globs
            .build()
            .map_err(|error| Failure::usage(format!("--filter: {error}")))
    }

    /// A variable that no file has is a slip of the pen.
    fn check_variables(&self, known: &BTreeSet<&str>) -> Result<(), Failure> {
        match self.set.keys().find(|name| !known.contains(name.as_str())) {
            None => Ok(()),
            Some(unknown) => {
                let names: Vec<&str> = known.iter().copied().collect();
                Err(Failure::usage(format!(
                    "--set {unknown}: no scenario has this variable; there are {}",
                    names.join(", ")
                )))
            }
        }
    }
}

/// Shows what is wrong in scenario files.
fn mistakes(wrong: &[Diagnostic]) -> Failure {
    let style = match stderr().is_terminal() {
        true => Style::Coloured,
        false => Style::Plain,
    };
    for diagnostic in wrong {
        terminal::note(format_args!("{}\n", diagnostic.render(style)));
    }
    Failure::usage(format!("{} mistakes in scenario files", wrong.len()))
}

/// Prints the scenarios that would run.
pub fn list(scenarios: &[Scenario], json: bool) {
    if json {
        let entries: Vec<_> = scenarios
            .iter()
            .map(|scenario| {
                json!({
                    "name": scenario.name,
                    "file": scenario.source.path(),
                    "tags": scenario.tags,
                    "needs": scenario.needs.iter().map(|need| need.name()).collect::<Vec<_>>(),
                })
            })
            .collect();
        terminal::print(format_args!("{}\n", json!({ "scenarios": entries })));
        return;
    }
    for scenario in scenarios {
        terminal::line(&scenario.name, scenario.source.path());
    }
}
