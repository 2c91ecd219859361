use std::collections::BTreeMap;
use std::fmt;
use std::io::{IsTerminal, Stdout, stderr, stdout};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use az3166_event::{Progress, ScenarioResult, Verdict};
use az3166_report::{
    JsonLines, RunInfo, Screen, Style, Terminal, name_of_run, write_folder, write_junit,
    write_overview,
};
use az3166_runner::bench::Cancel;
use az3166_runner::firmware::default_mac;
use az3166_runner::outside::CloudChoice;
use az3166_runner::project::variants_of;
use az3166_runner::retry::Retries;
use az3166_runner::suite::{Suite, TargetFactory};
use az3166_runner::targets::{EmulatorOptions, Paced};
use az3166_scenario::Scenario;
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::selection::{Selection, list};
use super::target::{Opened, Opener, TargetChoice};
use crate::exit::{Exit, Failure};
use crate::{firmware, signals, terminal, workspace};

/// Run scenario files on a target.
///
/// Builds the firmware where none is given, runs every scenario, prints progress and verdicts and
/// writes the reports.
#[derive(Args)]
#[command(after_help = "\
Files in DIR: summary.json, junit.xml, and for each scenario a folder with trace.jsonl,
console.log, certificate.pem, display.png and network.pcapng.

Examples:
  hil run                                    every file of scenarios/
  hil run scenarios/tutorial.yaml            one file
  hil run --filter '*UDS*' --tag nightly     by name and tag
  hil run --firmware ../my-firmware          a firmware of your own, built from its crate
  hil run --set device_id=lab-7 --seed 5     other values, another seed
  hil run --repeat 20 --filter '*loss*'       which scenarios do not always end alike
  hil run --cloud azure scenarios/outside    with a real provisioning service and hub
  hil run --list --json                      what would run, for programs

--cloud azure reads HIL_DPS_ENDPOINT, HIL_DPS_ID_SCOPE, HIL_DPS_CONNECTION_STRING and
HIL_HUB_CONNECTION_STRING. What it makes is called hil-... and removed at the end; what a killed
run left is removed by `hil cloud sweep`.")]
pub struct Arguments {
    /// Scenario files, or folders that hold some [default: scenarios/ of the workspace]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What the firmware runs on: emulator, renode, board:<id> or board:<tag>
    #[arg(long, value_name = "TARGET", default_value_t = TargetChoice::Emulator)]
    pub target: TargetChoice,
    /// The services that the device registers with: local, or azure
    #[arg(long, value_name = "CLOUD", default_value = "local")]
    pub cloud: Cloud,
    /// With --cloud azure: the folder of the journals [default: hil/cloud in the state folder]
    #[arg(long, value_name = "DIR")]
    pub journal: Option<PathBuf>,
    /// The firmware: an ELF file, or the folder of a crate to build [default: this project's]
    #[arg(long, value_name = "ELF|CRATE_DIR")]
    pub firmware: Option<PathBuf>,
    /// Set a variable of the scenarios' `vars`; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<Setting>,
    /// Only scenarios whose name matches the glob; can be repeated
    #[arg(long, value_name = "GLOB")]
    pub filter: Vec<String>,
    /// Only scenarios with the tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// The seed of everything random; the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How many scenarios run side by side [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Run each scenario N times and say which do not end alike
    #[arg(long, value_name = "N", default_value = "1")]
    pub repeat: NonZeroU32,
    /// Try a scenario that failed again, at most N times (0 to 2); if it passes then, it is flaky
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub retries: u8,
    /// The folder for the reports [default: target/hil of the workspace]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the JUnit report to this file too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// List the scenarios that would run, and run none
    #[arg(long)]
    pub list: bool,
    /// Print the result, or the list, as JSON
    #[arg(long)]
    pub json: bool,
    #[cfg(feature = "board")]
    #[command(flatten)]
    pub boards: super::board::BoardOptions,
}

/// The services that the device registers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Cloud {
    /// In this process, on the target's time
    Local,
    /// A Device Provisioning Service and an IoT Hub elsewhere, on the wall clock
    #[cfg(feature = "azure")]
    Azure,
}

impl Cloud {
    fn variables(self) -> BTreeMap<String, String> {
        match self {
            Self::Local => BTreeMap::new(),
            #[cfg(feature = "azure")]
            Self::Azure => super::cloud::variables(),
        }
    }
}

/// A variable and its value, which may be a secret.
#[derive(Clone)]
pub struct Setting {
    pub key: String,
    pub value: Zeroizing<String>,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({}=...)", self.key)
    }
}

impl FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self {
                key: key.into(),
                value: Zeroizing::new(value.into()),
            }),
            _ => Err("give KEY=VALUE"),
        }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let chosen = Selection {
        paths: &arguments.paths,
        set: &settings(&arguments.set),
        offered: &arguments.cloud.variables(),
        filter: &arguments.filter,
        tags: &arguments.tag,
    }
    .scenarios()?;
    if arguments.list {
        list(&chosen, arguments.json);
        return Ok(Exit::Passed);
    }
    let scenarios = repeated(chosen, arguments.repeat);
    if scenarios.is_empty() {
        return Err(Failure::usage(
            "no scenario matches; `hil run --list` shows all",
        ));
    }
    let cancel = signals::stop_flag()?;
    let opener = Opener {
        usage: &format!("run --target {}", arguments.target),
        uid: EmulatorOptions::seeded(arguments.seed).uid,
        #[cfg(feature = "board")]
        boards: &arguments.boards,
        cancel: &cancel,
    };
    let Opened { factory, count } = opener.open(&arguments.target)?;
    #[cfg(feature = "azure")]
    let azure = match arguments.cloud {
        Cloud::Azure => Some(super::cloud::start(arguments.journal.as_ref())?),
        Cloud::Local => None,
    };
    #[cfg(feature = "azure")]
    let sessions = azure.as_ref().map(|azure| || Ok(azure.session()));
    #[cfg(feature = "azure")]
    let cloud = match &sessions {
        Some(sessions) => CloudChoice::Outside(sessions),
        None => CloudChoice::Local,
    };
    #[cfg(not(feature = "azure"))]
    let cloud = CloudChoice::Local;
    let targets = in_step(factory, &arguments, cloud);
    let target_name = arguments.target.to_string();
    let options = EmulatorOptions::seeded(arguments.seed);
    let firmware = firmware::load(
        arguments.firmware.as_deref(),
        &variants_of(&scenarios),
        &default_mac(&options.uid),
        &cancel,
    )?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => workspace::root().unwrap_or_default().join("target/hil"),
    };
    let suite = Suite {
        target: &*targets,
        target_name: &target_name,
        cloud,
        firmware: &firmware,
        seed: arguments.seed,
        jobs: jobs(
            arguments
                .jobs
                .or(count)
                .or(one_at_a_time(&arguments, cloud)),
        ),
        retries: arguments.retries(),
        cancel: Cancel::from_flag(Arc::clone(&cancel)),
    };
    let view = View::new(arguments.json);
    view.take(Progress::RunStarted {
        scenarios: scenarios.len(),
        target: suite.target_name,
        seed: suite.seed,
    });
    let started = Instant::now();
    let unwritten = Mutex::new(None);
    let results = suite.run(&scenarios, &|progress| {
        // At once, so that it is there whatever becomes of the rest of the run.
        if let Progress::ScenarioFinished { result } = progress
            && let Err(error) = write_folder(&out, result)
        {
            suite.cancel.cancel();
            let mut first = unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(error);
        }
        view.take(progress);
    });
    if let Some(error) = unwritten
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        return Err(Failure::infrastructure(error));
    }
    let run = RunInfo {
        target: suite.target_name,
        seed: suite.seed,
        wall: started.elapsed(),
    };
    if suite.cancel.is_cancelled() {
        view.take(Progress::Interrupted);
    }
    view.finish(&run, &results);
    write_overview(&out, &run, &results).map_err(Failure::infrastructure)?;
    if let Some(junit) = &arguments.junit {
        write_junit(junit, &out, &run, &results).map_err(Failure::infrastructure)?;
    }
    if suite.cancel.is_cancelled() {
        let is_judged = |result: &&ScenarioResult| !matches!(result.verdict, Verdict::Error { .. });
        let (judged, chosen) = (results.iter().filter(is_judged).count(), scenarios.len());
        return Err(Failure::infrastructure(format!(
            "interrupted: {judged} of {chosen} scenarios were judged; reports: {}",
            out.join("index.html").display()
        )));
    }
    if !arguments.json {
        terminal::note(format_args!(
            "reports: {}",
            out.join("index.html").display()
        ));
    }
    Ok(exit_of(&results))
}

/// Targets that keep step with the wall clock where the services do.
fn in_step<'a>(
    targets: Box<TargetFactory<'a>>,
    arguments: &Arguments,
    cloud: CloudChoice<'_>,
) -> Box<TargetFactory<'a>> {
    match (cloud, &arguments.target) {
        (CloudChoice::Local, _) | (_, TargetChoice::Board(_)) => targets,
        (CloudChoice::Outside(_), _) => {
            Box::new(move |seed| Ok(Box::new(Paced::new(targets(seed)?))))
        }
    }
}

/// Emulated boards are all the same chip, and so one device to a provisioning service.
fn one_at_a_time(arguments: &Arguments, cloud: CloudChoice<'_>) -> Option<NonZeroUsize> {
    match (cloud, &arguments.target) {
        (CloudChoice::Local, _) | (_, TargetChoice::Board(_)) => None,
        (CloudChoice::Outside(_), _) => Some(NonZeroUsize::MIN),
    }
}

/// Each scenario `times` times in a row, the later ones under names of their own.
fn repeated(scenarios: Vec<Scenario>, times: NonZeroU32) -> Vec<Scenario> {
    let run = |scenario: &Scenario, number| {
        let mut again = scenario.clone();
        again.name = name_of_run(&scenario.name, number);
        again
    };
    let runs = |scenario: &Scenario| -> Vec<Scenario> {
        (1..=times.get())
            .map(|number| run(scenario, number))
            .collect()
    };
    scenarios.iter().flat_map(runs).collect()
}

impl Arguments {
    fn retries(&self) -> Retries {
        Retries {
            failures: self.retries,
            ..self.target.retries()
        }
    }
}

fn exit_of(results: &[ScenarioResult]) -> Exit {
    let exits = results.iter().map(|result| match result.verdict {
        Verdict::Passed | Verdict::Skipped { .. } => Exit::Passed,
        Verdict::Failed(_) => Exit::Failed,
        Verdict::Error { .. } => Exit::Infrastructure,
    });
    exits.max().unwrap_or(Exit::Passed)
}

/// Who hears of the run: people or a program.
enum View {
    People(Terminal<anstream::AutoStream<Stdout>>),
    Program(JsonLines<Stdout>),
}

impl View {
    fn new(json: bool) -> Self {
        if json {
            return Self::Program(JsonLines::new(stdout()));
        }
        let (screen, style) = match (stderr().is_terminal(), stdout().is_terminal()) {
            (true, true) => (Screen::Live, Style::Coloured),
            (_, true) => (Screen::Lines, Style::Coloured),
            _ => (Screen::Lines, Style::Plain),
        };
        Self::People(Terminal::new(
            anstream::AutoStream::auto(stdout()),
            screen,
            style,
        ))
    }

    /// A reader that went away must not end the run: its reports are still to be written.
    fn take(&self, progress: Progress<'_>) {
        let _ = match self {
            Self::People(terminal) => terminal.take(progress),
            Self::Program(lines) => lines.take(progress),
        };
    }

    fn finish(&self, run: &RunInfo<'_>, results: &[ScenarioResult]) {
        let _ = match self {
            Self::People(terminal) => terminal.finish(run, results),
            Self::Program(lines) => lines.finish(run, results),
        };
    }
}

fn settings(set: &[Setting]) -> BTreeMap<String, String> {
    set.iter()
        .map(|setting| (setting.key.clone(), setting.value.to_string()))
        .collect()
}

fn jobs(wanted: Option<NonZeroUsize>) -> usize {
    let all = std::thread::available_parallelism();
    wanted.or(all.ok()).map_or(1, NonZeroUsize::get)
}
