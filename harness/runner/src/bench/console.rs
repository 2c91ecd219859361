//! What the console said, and how far the steps have read it.

use az3166_event::{ConsoleEvent, VirtualTime};
use az3166_target::{ConsoleItem, ConsoleLines};

/// One line or prompt with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When its last byte came.
    pub at: VirtualTime,
    /// The line's text; none for a prompt.
    pub line: Option<String>,
}

/// The console's history and the reading position of the steps.
#[derive(Debug, Default)]
pub struct Console {
    lines: ConsoleLines,
    heard: Vec<Heard>,
    cursor: usize,
    raw: Vec<u8>,
}

impl Console {
    /// Takes bytes; returns what they complete.
    pub(super) fn push(&mut self, now: VirtualTime, bytes: &[u8]) -> Vec<ConsoleEvent> {
        self.raw.extend_from_slice(bytes);
        let mut events = Vec::new();
        for item in self.lines.push(bytes) {
            let line = match item {
                ConsoleItem::Line(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                ConsoleItem::Prompt => None,
            };
            events.push(match &line {
                Some(text) => ConsoleEvent::Line { text: text.clone() },
                None => ConsoleEvent::Prompt,
            });
            self.heard.push(Heard { at: now, line });
        }
        events
    }

    /// Drops an unfinished line: the device starts afresh.
    pub(super) fn restart(&mut self) {
        self.lines = ConsoleLines::default();
    }

    /// Everything as it came, unmasked; for the leak detector and the masked log.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// What was heard and not yet read by a step.
    pub fn unread(&self) -> &[Heard] {
        &self.heard[self.cursor..]
    }

    /// All that was heard.
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// Reads up to and including the first unread item that `wanted` accepts.
    pub fn read_to(&mut self, wanted: impl Fn(&Heard) -> bool) -> Option<Heard> {
        let offset = self.unread().iter().position(wanted)?;
        self.cursor += offset + 1;
        Some(self.heard[self.cursor - 1].clone())
    }

    /// How much of what was heard is read.
    pub fn position(&self) -> usize {
        self.cursor
    }

    /// Whether the device waits for a command: nothing came after its last prompt.
    pub fn is_at_prompt(&self) -> bool {
        self.lines.partial() == b"# "
    }

    /// Marks everything as read.
    pub fn read_all(&mut self) {
        self.cursor = self.heard.len();
    }

    /// The unfinished line.
    pub fn partial(&self) -> String {
        String::from_utf8_lossy(self.lines.partial()).into_owned()
    }
}
