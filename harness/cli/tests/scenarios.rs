//! Every scenario of `scenarios/` as a test of its own, found when the tests start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};
use std::{fs, io};

use az3166_event::{ScenarioResult, Verdict};
use az3166_report::{Style, last_lines, render_failure};
use az3166_runner::bench::Cancel;
use az3166_runner::firmware::FirmwareSet;
use az3166_runner::outside::CloudChoice;
use az3166_runner::project::{of_checkout, variants_of};
use az3166_runner::retry::Retries;
use az3166_runner::suite::Suite;
use az3166_runner::targets::{EmulatorOptions, EmulatorTarget};
use az3166_scenario::{Scenario, Source, check_names, parse};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// How many lines of the console a failure shows.
const SHOWN: usize = 8;

/// The firmware, built when the first scenario needs it.
type Firmware =
    LazyLock<Result<FirmwareSet, String>, Box<dyn FnOnce() -> Result<FirmwareSet, String> + Send>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = Vec::new();
    if let Err(error) = gather(&root.join("scenarios"), &mut paths) {
        eprintln!("scenarios/ cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    paths.sort();
    let (mut scenarios, mut files, mut trials) = (Vec::new(), Vec::new(), Vec::new());
    for path in &paths {
        let file = path
            .strip_prefix(&root)
            .unwrap_or(path)
            .display()
            .to_string();
        match read(path, &file) {
            Ok(read) => {
                scenarios.extend(read.scenarios.clone());
                files.push(read);
            }
            Err(complaint) => trials.push(Trial::test(file, move || Err(complaint.into()))),
        }
    }
    for wrong in check_names(&files) {
        let text = wrong.render(az3166_scenario::Style::Plain);
        trials.push(Trial::test("names", move || Err(text.into())));
    }
    assert!(!scenarios.is_empty(), "scenarios/ holds no scenario");

    let wanted = scenarios.iter().filter(|scenario| {
        let trial = trial(scenario, || Ok(Completion::Completed));
        !arguments.is_filtered_out(&trial) && !arguments.is_ignored(&trial)
    });
    let variants = variants_of(wanted);
    let build = move || of_checkout(&variants).map_err(|error| error.to_string());
    let firmware: Arc<Firmware> = Arc::new(LazyLock::new(Box::new(build)));
    for scenario in scenarios {
        let firmware = Arc::clone(&firmware);
        let run = scenario.clone();
        trials.push(trial(&scenario, move || match &**firmware {
            Ok(firmware) => judge(&run, firmware),
            Err(error) => Err(format!("there is no firmware: {error}").into()),
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(
    scenario: &Scenario,
    run: impl FnOnce() -> Result<Completion, Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(&scenario.name, run).with_ignored_flag(scenario.tags.contains("nightly"))
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|it| it == "yaml" || it == "yml")
        {
            found.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path, shown: &str) -> Result<az3166_scenario::ScenarioFile, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let source = Source::from_bytes(shown, &bytes).map_err(|wrong| text(&[wrong]))?;
    parse(&source, &BTreeMap::new()).map_err(|wrong| text(&wrong))
}

fn text(wrong: &[az3166_scenario::Diagnostic]) -> String {
    let rendered = wrong
        .iter()
        .map(|it| it.render(az3166_scenario::Style::Plain));
    rendered.collect::<Vec<_>>().join("\n\n")
}

fn judge(scenario: &Scenario, firmware: &FirmwareSet) -> Result<Completion, Failed> {
    let suite = Suite {
        target: &|seed| {
            Ok(Box::new(EmulatorTarget::new(&EmulatorOptions::seeded(
                seed,
            ))))
        },
        target_name: "emulator",
        cloud: CloudChoice::Local,
        firmware,
        seed: 0,
        jobs: 1,
        retries: Retries::default(),
        cancel: Cancel::default(),
    };
    let result = suite.run_one(scenario, &|_| {});
    match &result.verdict {
        Verdict::Passed => Ok(Completion::Completed),
        Verdict::Skipped { reason } => Ok(Completion::ignored_with(reason)),
        Verdict::Failed(failure) => {
            let console = last_lines(&result.console, SHOWN);
            Err(render_failure(failure, &console, Style::Plain).into())
        }
        Verdict::Error { what, todo } => Err(error(&result, what, todo).into()),
    }
}

fn error(result: &ScenarioResult, what: &str, todo: &str) -> String {
    format!("{}: this is no verdict: {what}\n{todo}", result.file)
}
