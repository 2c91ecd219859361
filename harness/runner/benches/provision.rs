//! How long a scenario takes, and what the harness adds: `cargo bench --package az3166-runner`.
//!
//! Prints the best of several runs; ratios between lines of one run say more than the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use az3166_event::Verdict;
use az3166_runner::bench::Cancel;
use az3166_runner::outside::CloudChoice;
use az3166_runner::project::of_checkout;
use az3166_runner::retry::Retries;
use az3166_runner::suite::Suite;
use az3166_runner::targets::{EmulatorOptions, EmulatorTarget};
use az3166_scenario::{FirmwareVariant, Scenario, Source, parse};
use az3166_target::{PowerState, Target as _};

const RUNS: usize = 7;

/// From the typed UDS to telemetry at the hub.
const PROVISION: &str = include_str!("../../../scenarios/basics/tutorial.yaml");

/// Nothing but the harness: the board gets no power.
const EMPTY: &str = "name: nothing\nsteps:\n  - power: off\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let firmware = of_checkout(&BTreeSet::from([FirmwareVariant::Strict]))?;
    let suite = Suite {
        target: &|seed| {
            Ok(Box::new(EmulatorTarget::new(&EmulatorOptions::seeded(
                seed,
            ))))
        },
        target_name: "emulator",
        cloud: CloudChoice::Local,
        firmware: &firmware,
        seed: 0,
        jobs: 1,
        retries: Retries::default(),
        cancel: Cancel::default(),
    };
    let start = best(|| {
        let mut target = EmulatorTarget::new(&EmulatorOptions::seeded(0));
        target.power(PowerState::On).map(|()| drop(target))
    })?;
    let (empty, _) = run(&suite, EMPTY)?;
    let (provision, instructions) = run(&suite, PROVISION)?;
    let mips = instructions as f64 / provision.as_secs_f64() / 1e6;
    println!(
        "start of an emulator        {:9.3} ms",
        start.as_secs_f64() * 1e3
    );
    println!(
        "a scenario without power    {:9.3} ms",
        empty.as_secs_f64() * 1e3
    );
    println!(
        "a provisioning scenario     {:9.3} ms",
        provision.as_secs_f64() * 1e3
    );
    println!(
        "  its instructions          {:9.1} M, {mips:.0} MIPS with everything around it",
        instructions as f64 / 1e6
    );
    Ok(())
}

fn run(suite: &Suite<'_>, text: &str) -> Result<(Duration, u64), Box<dyn std::error::Error>> {
    let scenario = scenario(text)?;
    let mut instructions = 0;
    let time = best(|| {
        let result = suite.run_one(&scenario, &|_| {});
        instructions = result.instructions.unwrap_or_default();
        match result.verdict {
            Verdict::Passed => Ok(()),
            other => Err(format!("`{}`: {other:?}", scenario.name)),
        }
    })?;
    Ok((time, instructions))
}

fn scenario(text: &str) -> Result<Scenario, String> {
    let file = parse(&Source::new("bench.yaml", text), &BTreeMap::new()).map_err(|mistakes| {
        mistakes
            .iter()
            .map(|mistake| mistake.message())
            .collect::<Vec<_>>()
            .join("; ")
    })?;
    file.scenarios
        .into_iter()
        .next()
        .ok_or_else(|| "no scenario".into())
}

fn best<E>(mut task: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let started = Instant::now();
        task()?;
        best = best.min(started.elapsed());
    }
    Ok(best)
}
