//! Shows a firmware build: one line that changes on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, stderr};

use az3166_build::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal;

/// The line at the bottom of the terminal while cargo builds.
pub struct BuildProgress {
    bar: Option<ProgressBar>,
}

impl BuildProgress {
    /// Shows nothing until the first step is heard of.
    pub fn new() -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = "compiling the firmware [{bar:24}] {pos}/{len} {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Self { bar }
    }

    /// Takes one step.
    pub fn show(&mut self, progress: Progress<'_>) {
        match (&self.bar, progress) {
            (
                Some(bar),
                Progress::Units {
                    done,
                    total,
                    current,
                },
            ) => {
                bar.set_length(total.into());
                bar.set_position(done.into());
                bar.set_message(current.to_owned());
            }
            (Some(bar), Progress::Line(line)) if !is_routine(line) => {
                bar.suspend(|| terminal::note(line))
            }
            (None, Progress::Line(line)) if !is_summary(line) => terminal::note(line),
            _ => {}
        }
    }
}

impl Drop for BuildProgress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Lines that the bar says already.
fn is_routine(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    is_summary(line) || matches!(word, "Compiling" | "Downloaded" | "Downloading" | "Fresh")
}

/// Cargo's last line, which a warm build prints too.
fn is_summary(line: &str) -> bool {
    line.trim_start().starts_with("Finished ")
}
