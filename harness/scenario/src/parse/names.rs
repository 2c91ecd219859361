//! Scenario names are unique over all files of a run.

use std::collections::BTreeMap;

use az3166_event::folder_name;

use crate::Diagnostic;
use crate::model::ScenarioFile;

/// An error for every scenario whose name, or the name of its report folder, another file has already.
pub fn check_names<'a>(files: impl IntoIterator<Item = &'a ScenarioFile>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for file in files {
        let here = file.source.path();
        let first = file.scenarios.iter().find_map(|scenario| {
            let key = folder_name(&scenario.name);
            let earlier = seen.insert(key, (here, file.name.as_str()));
            earlier.map(|earlier| (scenario, earlier))
        });
        if let Some((scenario, (elsewhere, name))) = first {
            let what = match name == file.name {
                true => format!("the name `{name}` is taken"),
                false => format!("the name `{}` is too like `{name}`", scenario.name),
            };
            let diagnostic = Diagnostic::new(&file.source, file.name_span, &what);
            diagnostics.push(diagnostic.label(&format!("see {elsewhere}")));
        }
    }
    diagnostics
}
