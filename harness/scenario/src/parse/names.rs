//! Scenario names are unique over all files of a run.

use std::collections::BTreeMap;

use az3166_event::folder_name;

use crate::Diagnostic;
use crate::model::ScenarioFile;

/// An error for every file with a scenario whose report folder another scenario has already: names
/// that are equal, or equal but for case and punctuation.
pub fn check_names<'a>(files: impl IntoIterator<Item = &'a ScenarioFile>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for file in files {
        let here = file.source.path();
        let first = file.scenarios.iter().find_map(|scenario| {
            let name = scenario.name.as_str();
            let earlier = seen.insert(folder_name(name), (here, name));
            earlier.map(|earlier| (name, earlier))
        });
        if let Some((name, (elsewhere, earlier))) = first {
            let what = match name == earlier {
                true => format!("the scenario name `{name}` is taken"),
                false => format!("the scenario name `{name}` is too like `{earlier}`"),
            };
            let diagnostic = Diagnostic::new(&file.source, file.name_span, &what);
            diagnostics.push(diagnostic.label(&format!("see {elsewhere}")));
        }
    }
    diagnostics
}
