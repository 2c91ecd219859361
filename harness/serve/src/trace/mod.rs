//! What happened, as lines for people and programs, and the latest of it for the web page.

mod human;
mod queue;
mod record;

use std::collections::VecDeque;

pub(crate) use human::{Parts, Tone};
pub use queue::Lines;
use queue::Printer;
pub use record::{Happening, Incident, Ready, Record};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineFormat {
    /// For people, with ANSI colours.
    #[default]
    Human,
    /// JSON objects.
    Json,
}

/// How many records the web page shows.
const RECENT: usize = 500;

/// No text of a record that is kept is longer, in bytes.
const LONGEST_TEXT: usize = 2048;

/// Takes records: prints them and keeps the latest.
pub(crate) struct Trace {
    format: LineFormat,
    printer: Printer,
    recent: VecDeque<Record>,
}

impl Trace {
    /// A trace whose lines come out of `Lines`.
    pub(crate) fn new(format: LineFormat) -> (Self, Lines) {
        let (printer, lines) = queue::queue();
        let trace = Self {
            format,
            printer,
            recent: VecDeque::with_capacity(RECENT),
        };
        (trace, lines)
    }

    /// Takes what happened.
    pub(crate) fn record(&mut self, record: Record) {
        if let Some(lines) = self.printer.take_dropped() {
            let text = format!("{lines} lines were dropped: their reader was too slow");
            let time = record.time;
            let happening = Happening::Serve(Incident::Warning { text });
            self.take(Record { time, happening });
        }
        self.take(record);
    }

    fn take(&mut self, record: Record) {
        self.printer.print(match self.format {
            LineFormat::Human => human::line(&record),
            LineFormat::Json => record.to_json(),
        });
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(record.shortened(LONGEST_TEXT));
    }

    /// The latest records, the oldest first.
    pub(crate) fn recent(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.recent.iter()
    }
}
