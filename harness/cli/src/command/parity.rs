use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use az3166_event::{Progress, ScenarioResult, Verdict};
use az3166_renode::{INSTALL, NoRenode, Program};
use az3166_report::{Parity, parity, write_folder};
use az3166_runner::bench::Cancel;
use az3166_runner::firmware::default_mac;
use az3166_runner::project::variants_of;
use az3166_runner::suite::Suite;
use az3166_runner::targets::EmulatorOptions;
use clap::Args;
use serde_json::json;

use super::selection::Selection;
use super::target::{Opener, TargetChoice};
use crate::exit::{Exit, Failure};
use crate::terminal::{ERROR, GOOD, LABEL, WARNING};
use crate::{firmware, signals, terminal, workspace};

/// Run scenarios on several targets and tell where they differ.
///
/// Compares verdicts, certificates, what is asked of the services, and the console, without times.
/// Without --targets, these are the emulator and Renode, if Renode is there. What is compared with
/// one board whose `chip_uid` the rack file has is given the same.
#[derive(Args)]
#[command(after_help = "\
Exit code 0 if no difference is left unexplained, 1 if one is, 3 if a target could not run.

Examples:
  hil parity                                      every scenario, on all that is there
  hil parity --targets emulator,renode scenarios/basics
  hil parity --json                               for programs")]
pub struct Arguments {
    /// Scenario files, or folders that hold some [default: scenarios/ of the workspace]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The targets, the first of which the others are compared with
    #[arg(long, value_name = "TARGET", value_delimiter = ',')]
    pub targets: Vec<TargetChoice>,
    /// The firmware: an ELF file, or the folder of a crate to build [default: this project's]
    #[arg(long, value_name = "ELF|CRATE_DIR")]
    pub firmware: Option<PathBuf>,
    /// Only scenarios whose name matches the glob; can be repeated
    #[arg(long, value_name = "GLOB")]
    pub filter: Vec<String>,
    /// Only scenarios with the tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// The seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How many scenarios run side by side
    #[arg(long, value_name = "N", default_value = "1")]
    pub jobs: NonZeroUsize,
    /// The folder for the evidence [default: target/hil-parity of the workspace]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    #[cfg(feature = "board")]
    #[command(flatten)]
    pub boards: super::board::BoardOptions,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let scenarios = Selection {
        paths: &arguments.paths,
        set: &BTreeMap::new(),
        offered: &BTreeMap::new(),
        filter: &arguments.filter,
        tags: &arguments.tag,
    }
    .scenarios()?;
    if scenarios.is_empty() {
        return Err(Failure::usage(
            "no scenario matches; `hil run --list` shows all",
        ));
    }
    let cancel = signals::stop_flag()?;
    let given = !arguments.targets.is_empty();
    let choices = match given {
        true => arguments.targets.clone(),
        false => vec![TargetChoice::Emulator, TargetChoice::Renode],
    };
    let (mut targets, mut absent) = (Vec::new(), Vec::new());
    let names: Vec<String> = choices.iter().map(ToString::to_string).collect();
    let uid = EmulatorOptions::seeded(arguments.seed).uid;
    // Another chip is another device, with other names and another certificate.
    #[cfg(feature = "board")]
    let uid = super::board::only_chip(&choices, &arguments.boards)?.unwrap_or(uid);
    let opener = Opener {
        usage: &format!("parity --targets {}", names.join(",")),
        uid,
        #[cfg(feature = "board")]
        boards: &arguments.boards,
        cancel: &cancel,
    };
    for (choice, name) in choices.iter().zip(names.iter().cloned()) {
        // Nobody asked for it: a machine without it has nothing to compare. One that has it, or
        // should have, must not pass in silence where it does not work.
        match choice {
            TargetChoice::Renode if !given && Program::locate() == Err(NoRenode::NotFound) => {
                absent.push((name, format!("{}; {INSTALL}", NoRenode::NotFound)));
            }
            _ => targets.push((name, choice.retries(), opener.open(choice)?.factory)),
        }
    }
    if let [_] = &*targets {
        // A target agrees with itself; its own verdicts are what `hil run` is for.
        alone(&absent, scenarios.len(), arguments.json);
        return match given {
            true => Err(Failure::usage("give at least two targets")),
            false => Ok(Exit::Passed),
        };
    }
    let firmware = firmware::load(
        arguments.firmware.as_deref(),
        &variants_of(&scenarios),
        &default_mac(&uid),
        &cancel,
    )?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => workspace::root()
            .unwrap_or_default()
            .join("target/hil-parity"),
    };
    let mut all: Vec<(String, Vec<ScenarioResult>)> = Vec::new();
    for (name, retries, target) in &targets {
        let suite = Suite {
            target: &**target,
            target_name: name,
            cloud: az3166_runner::outside::CloudChoice::Local,
            firmware: &firmware,
            seed: arguments.seed,
            jobs: arguments.jobs.get(),
            retries: *retries,
            cancel: Cancel::from_flag(Arc::clone(&cancel)),
        };
        let folder = out.join(name.replace(':', "-"));
        let unwritten = Mutex::new(None);
        let results = suite.run(&scenarios, &|progress| {
            if let Progress::ScenarioFinished { result } = progress {
                terminal::note(format_args!("{name}: {}: {}", result.name, word(result)));
                // At once: a run on several targets takes long, and may be interrupted.
                if let Err(error) = write_folder(&folder, result) {
                    suite.cancel.cancel();
                    let mut first = unwritten.lock().unwrap_or_else(PoisonError::into_inner);
                    first.get_or_insert(error);
                }
            }
        });
        let unwritten = unwritten.into_inner();
        if let Some(error) = unwritten.unwrap_or_else(PoisonError::into_inner) {
            return Err(Failure::infrastructure(error));
        }
        if suite.cancel.is_cancelled() {
            return Err(Failure::infrastructure(format!(
                "interrupted; the evidence so far: {}",
                out.display()
            )));
        }
        all.push((name.clone(), results));
    }
    let mut results = all.iter();
    let Some((first, reference)) = results.next() else {
        return Err(Failure::usage("give at least one target"));
    };
    let pairs: Vec<(String, Parity)> = results
        .map(|(name, others)| (format!("{first} and {name}"), parity(reference, others)))
        .collect();
    match arguments.json {
        true => print_json(&pairs, &absent),
        false => print(&pairs),
    }
    Ok(exit_of(&pairs, &all))
}

fn word(result: &ScenarioResult) -> &'static str {
    match result.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::Skipped { .. } => "skipped",
        Verdict::Error { .. } => "error",
    }
}

fn exit_of(pairs: &[(String, Parity)], all: &[(String, Vec<ScenarioResult>)]) -> Exit {
    let mut results = all.iter().flat_map(|(_, results)| results);
    if results.any(|result| matches!(result.verdict, Verdict::Error { .. })) {
        return Exit::Infrastructure;
    }
    match pairs.iter().all(|(_, parity)| parity.holds()) {
        true => Exit::Passed,
        false => Exit::Failed,
    }
}

fn print_json(pairs: &[(String, Parity)], absent: &[(String, String)]) {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(targets, parity)| {
            json!({"targets": targets, "holds": parity.holds(), "parity": parity})
        })
        .collect();
    let absent: Vec<_> = absent
        .iter()
        .map(|(target, reason)| json!({"target": target, "reason": reason}))
        .collect();
    let value = json!({"pairs": pairs, "skipped_targets": absent});
    terminal::print(format_args!("{value}\n"));
}

/// Tells that there is nothing to compare, and why.
fn alone(absent: &[(String, String)], scenarios: usize, json: bool) {
    if json {
        return print_json(&[], absent);
    }
    for (target, reason) in absent {
        terminal::print(format_args!(
            "{WARNING}skipped: {scenarios} scenarios on {target}{WARNING:#}: {reason}\n"
        ));
    }
}

fn print(pairs: &[(String, Parity)]) {
    for (targets, parity) in pairs {
        terminal::print(format_args!("{LABEL}{targets}{LABEL:#}\n"));
        for difference in &parity.differences {
            let (style, word) = match difference.explained {
                Some(_) => (WARNING, "explained"),
                None => (ERROR, "differs"),
            };
            let line = |text: &str| az3166_report::printable(text.as_bytes());
            terminal::print(format_args!(
                "  {style}{word:<10}{style:#} {}: {}\n    first:  {}\n    second: {}\n",
                difference.scenario,
                difference.aspect.name(),
                line(&difference.left),
                line(&difference.right),
            ));
            if let Some(reason) = difference.explained {
                terminal::print(format_args!("    {reason}\n"));
            }
        }
        for (scenario, reason) in &parity.not_compared {
            terminal::print(format_args!(
                "  {WARNING}{:<10}{WARNING:#} {scenario}: {reason}\n",
                "skipped"
            ));
        }
        let explained = parity
            .differences
            .iter()
            .filter(|it| it.explained.is_some());
        let explained = explained.count();
        let style = match parity.holds() {
            true => GOOD,
            false => ERROR,
        };
        terminal::print(format_args!(
            "  {style}{} compared, {} differ, {explained} differences explained, {} not compared{style:#}\n",
            parity.compared,
            parity.differences.len() - explained,
            parity.not_compared.len(),
        ));
    }
}
