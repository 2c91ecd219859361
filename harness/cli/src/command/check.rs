use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};

use az3166_scenario::{Source, Style, check_names, parse};
use clap::Args;

use crate::exit::{Exit, Failure};
use crate::{file, terminal, workspace};

/// Validate scenario files without running them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hil check                           every file of scenarios/
  hil check scenarios/tutorial.yaml   one file")]
pub struct Arguments {
    /// Scenario files, or folders that hold some [default: scenarios/ of the workspace]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let sources = sources(&arguments.paths)?;
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    for source in &sources {
        match parse(source, &BTreeMap::new()) {
            Ok(file) => files.push(file),
            Err(diagnostics) => wrong.extend(diagnostics),
        }
    }
    wrong.extend(check_names(&files));
    let style = match stderr().is_terminal() {
        true => Style::Coloured,
        false => Style::Plain,
    };
    for diagnostic in &wrong {
        terminal::note(format_args!("{}\n", diagnostic.render(style)));
    }
    if wrong.is_empty() {
        let scenarios: usize = files.iter().map(|file| file.scenarios.len()).sum();
        terminal::print(format_args!(
            "{} files with {scenarios} scenarios are valid\n",
            sources.len()
        ));
        Ok(Exit::Passed)
    } else {
        terminal::error(&format!("{} mistakes in scenario files", wrong.len()));
        Ok(Exit::Usage)
    }
}

/// The scenario files that `paths` name, sorted; those of the workspace where none are named.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let default = match paths {
        [] => vec![scenario_folder()?],
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for path in paths.iter().chain(&default) {
        let before = found.len();
        gather(path, &mut found)?;
        if found.len() == before {
            let place = path.display();
            return Err(Failure::usage(format!(
                "{place} holds no scenario files (*.yaml)"
            )));
        }
    }
    found.sort();
    found.dedup();
    found.iter().map(|path| read(path)).collect()
}

fn scenario_folder() -> Result<PathBuf, Failure> {
    let missing = "no checkout of the harness lies above this folder; name the scenario files";
    let root = workspace::root().ok_or_else(|| Failure::usage(missing))?;
    Ok(root.join("scenarios"))
}

/// Files are taken as they are named; of folders only the YAML files.
fn gather(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        found.push(path.into());
        return Ok(());
    }
    let failed = |error| Failure::usage(format!("reading {} failed: {error}", path.display()));
    for entry in fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let yaml = path
            .extension()
            .is_some_and(|it| it == "yaml" || it == "yml");
        if yaml || path.is_dir() {
            gather(&path, found)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Source, Failure> {
    let text = String::from_utf8(file::read(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!("{} is not UTF-8: see byte {at}", path.display()))
    })?;
    Ok(Source::new(shown(path).display().to_string(), &text))
}

/// The path as reports show it: relative to the checkout where it lies inside.
fn shown(path: &Path) -> &Path {
    match workspace::root() {
        Some(root) => path.strip_prefix(root).unwrap_or(path),
        None => path,
    }
}
