//! What a run tells while it runs, for the terminal and for `--json`.

use crate::{ScenarioResult, VirtualTime};

/// One piece of news about a run of many scenarios.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// The scenarios are chosen and begin now.
    RunStarted {
        /// How many will be run or skipped.
        scenarios: usize,
        /// The target's name.
        target: &'a str,
        /// The seed of the run.
        seed: u64,
    },
    /// Something is being prepared: the firmware is compiled, Renode is started.
    Preparing {
        /// What, in a few words.
        what: &'a str,
    },
    /// A scenario began.
    ScenarioStarted {
        /// Its name.
        name: &'a str,
        /// Its file.
        file: &'a str,
    },
    /// A scenario's step began.
    StepStarted {
        /// The scenario's name.
        name: &'a str,
        /// The step's number in the file, from 1.
        step: u32,
        /// The step's verb.
        verb: &'a str,
        /// The target's clock.
        at: VirtualTime,
    },
    /// A scenario ended, in whatever way.
    ScenarioFinished {
        /// What came out.
        result: &'a ScenarioResult,
    },
    /// The user asked the run to stop; running scenarios are given up.
    Interrupted,
}
