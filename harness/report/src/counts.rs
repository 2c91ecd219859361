use az3166_event::{ScenarioResult, VerdictKind};
use serde::Serialize;

/// How many scenarios ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Those that passed, flaky ones among them.
    pub passed: usize,
    /// Those that failed.
    pub failed: usize,
    /// Those that could not be judged.
    pub errors: usize,
    /// Those that were not run.
    pub skipped: usize,
    /// Those that passed after a failed attempt.
    pub flaky: usize,
}

impl Counts {
    /// The counts of `results`.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a ScenarioResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            match result.verdict.kind() {
                VerdictKind::Passed => counts.passed += 1,
                VerdictKind::Failed => counts.failed += 1,
                VerdictKind::Skipped => counts.skipped += 1,
                VerdictKind::Error => counts.errors += 1,
            }
            counts.flaky += usize::from(result.is_flaky());
        }
        counts
    }

    /// All of them.
    pub const fn all(&self) -> usize {
        self.passed + self.failed + self.errors + self.skipped
    }
}
