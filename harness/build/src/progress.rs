use std::fmt;

/// What a build has to say while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A line for people: cargo's own status lines, and what this crate does beside them.
    Line(&'a str),
    /// How far cargo is.
    Units {
        /// Compilations that are done.
        done: u32,
        /// All compilations of this build.
        total: u32,
        /// What is being compiled, as cargo names it.
        current: &'a str,
    },
}

impl<'a> Progress<'a> {
    /// Reads one line of cargo's progress; its bar looks like `Building [==>   ] 12/58: p256, sha2`.
    pub(crate) fn of_line(line: &'a str) -> Self {
        Self::units(line.trim()).unwrap_or(Self::Line(line.trim_end()))
    }

    fn units(line: &'a str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("Building [")?.split_once("] ")?;
        let (counts, current) = counts.split_once(": ").unwrap_or((counts, ""));
        let (done, total) = counts.split_once('/')?;
        Some(Self::Units {
            done: done.trim().parse().ok()?,
            total: total.trim_end_matches(':').trim().parse().ok()?,
            current: current.trim(),
        })
    }
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => f.write_str(line),
            Self::Units {
                done,
                total,
                current,
            } => write!(f, "compiling {done}/{total}: {current}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "    Building [=======>         ] 12/58: p256, sha2   ",
        Progress::Units { done: 12, total: 58, current: "p256, sha2" }
    )]
    #[case(
        "    Building [               ] 0/5:",
        Progress::Units { done: 0, total: 5, current: "" }
    )]
    #[case(
        "   Compiling p256 v0.14.0",
        Progress::Line("   Compiling p256 v0.14.0")
    )]
    #[case("    Building [ nonsense", Progress::Line("    Building [ nonsense"))]
    fn lines(#[case] line: &str, #[case] expected: Progress<'_>) {
        assert_eq!(Progress::of_line(line), expected);
    }
}
