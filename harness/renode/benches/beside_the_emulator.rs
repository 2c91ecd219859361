//! Renode beside the embedded emulator, in one run: `cargo bench --package az3166-renode`.
//!
//! Times are of the wall clock unless they say otherwise. This program is its own guard.

#[cfg(unix)]
mod figures {
    use std::collections::{BTreeMap, BTreeSet};
    use std::env;
    use std::error::Error;
    use std::path::Path;
    use std::process::ExitCode;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use az3166_event::{ScenarioResult, Verdict};
    use az3166_renode::guard::{GuardProgram, Isolation};
    use az3166_renode::{Deadlines, Options, Program, RenodeTarget, Setup, Spares};
    use az3166_runner::bench::Cancel;
    use az3166_runner::firmware::{FirmwareSet, FirmwareSource};
    use az3166_runner::project::of_checkout;
    use az3166_runner::retry::Retries;
    use az3166_runner::suite::{Suite, TargetFactory};
    use az3166_runner::targets::{EmulatorOptions, EmulatorTarget};
    use az3166_scenario::{FirmwareVariant, Scenario, Source, parse};
    use az3166_target::{PowerState, Target, TargetError};

    /// From the typed UDS to telemetry at the hub.
    const PROVISION: &str = include_str!("../../../scenarios/basics/tutorial.yaml");

    /// The longest wait for the first byte of the console, in virtual time.
    const FIRST_BYTE: Duration = Duration::from_secs(5);

    pub fn main() -> ExitCode {
        let mut arguments = env::args_os().skip(1);
        if arguments.next().is_some_and(|first| first == "guard") {
            return az3166_renode::guard::run(arguments);
        }
        match measure() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn measure() -> Result<(), Box<dyn Error>> {
        let program = match Program::find() {
            Ok(program) => program,
            Err(missing) => {
                println!("skipped: {missing}");
                return Ok(());
            }
        };
        let isolation = Isolation::best();
        println!("Renode {program}, {isolation}");
        let firmware = of_checkout(&BTreeSet::from([FirmwareVariant::Strict]))?;
        let setup = Setup {
            renode: program,
            guard: GuardProgram {
                path: env::current_exe()?,
                arguments: vec!["guard".into()],
            },
            isolation,
            cancel: Arc::new(AtomicBool::new(false)),
            deadlines: Deadlines::default(),
            spares: Spares::default(),
        };
        let platform = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../renode");
        let renode = |seed| -> Result<Box<dyn Target>, TargetError> {
            Ok(Box::new(RenodeTarget::new(Options {
                setup: setup.clone(),
                platform: platform.clone(),
                uid: EmulatorOptions::seeded(seed).uid,
                seed,
            })))
        };
        let emulator = |seed| -> Result<Box<dyn Target>, TargetError> {
            Ok(Box::new(EmulatorTarget::new(&EmulatorOptions::seeded(
                seed,
            ))))
        };
        println!("{:34} {:>12} {:>12}", "", "emulator", "Renode");
        let scenario = provision()?;
        let targets: [(&str, &TargetFactory<'_>); 2] =
            [("emulator", &emulator), ("renode", &renode)];
        let [here, there] =
            targets.map(|(name, target)| figures(name, target, &firmware, &scenario));
        let (here, there) = (here?, there?);
        for ((what, unit, emulated), (_, _, renode)) in here.iter().zip(&there) {
            println!("{what:34} {emulated:>9.2} {unit:2} {renode:>9.2} {unit:2}");
        }
        Ok(())
    }

    type Figures = Vec<(&'static str, &'static str, f64)>;

    fn figures(
        name: &str,
        target: &TargetFactory<'_>,
        firmware: &FirmwareSet,
        scenario: &Scenario,
    ) -> Result<Figures, Box<dyn Error>> {
        let first_byte = first_byte(target, firmware)?;
        let suite = Suite {
            target,
            target_name: name,
            cloud: az3166_runner::outside::CloudChoice::Local,
            firmware,
            seed: 0,
            jobs: 1,
            retries: Retries::default(),
            cancel: Cancel::default(),
        };
        let result = suite.run_one(scenario, &|_| {});
        let ScenarioResult {
            verdict,
            wall,
            virtual_time,
            instructions,
            ..
        } = &result;
        if *verdict != Verdict::Passed {
            eprintln!("{name}: {verdict:#?}");
            eprintln!("{}", String::from_utf8_lossy(&result.console));
            for attachment in &result.attachments {
                eprintln!("{}", String::from_utf8_lossy(&attachment.bytes));
            }
        }
        let wall = wall.as_secs_f64();
        let millions = instructions.unwrap_or_default() as f64 / 1e6;
        Ok(vec![
            (
                "start to the console's first byte",
                "s",
                first_byte.as_secs_f64(),
            ),
            ("a provisioning scenario", "s", wall),
            ("  its virtual time", "s", virtual_time.as_secs_f64()),
            ("  its instructions", "M", millions),
            ("  instructions a second", "M", millions / wall),
        ])
    }

    fn first_byte(
        target: &TargetFactory<'_>,
        firmware: &FirmwareSet,
    ) -> Result<Duration, Box<dyn Error>> {
        let started = Instant::now();
        let mut target = target(0)?;
        target.load(&firmware.get(FirmwareVariant::Strict)?.images())?;
        target.power(PowerState::On)?;
        let deadline = target.now() + FIRST_BYTE;
        while target.console_take()?.is_empty() {
            if target.now() >= deadline {
                return Err("the console stays silent".into());
            }
            target.run_until(deadline)?;
        }
        Ok(started.elapsed())
    }

    fn provision() -> Result<Scenario, String> {
        let source = Source::new("bench.yaml", PROVISION);
        let file = parse(&source, &BTreeMap::new()).map_err(|mistakes| {
            let texts: Vec<_> = mistakes.iter().map(|it| it.message().to_owned()).collect();
            texts.join("; ")
        })?;
        let mut scenarios = file.scenarios.into_iter();
        scenarios.next().ok_or_else(|| "no scenario".into())
    }
}

#[cfg(unix)]
use figures::main;

#[cfg(not(unix))]
fn main() {}
