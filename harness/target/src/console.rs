//! Turns the console's bytes into lines and prompts.

/// The prompt that ends the device's output when it waits for a command, after CR LF.
const PROMPT: &[u8] = b"# ";

/// The longest line that is kept, in bytes; more is cut off so that a runaway device costs no memory.
const LONGEST: usize = 4096;

/// One thing that the console said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleItem {
    /// A whole line, its line end removed.
    Line(Vec<u8>),
    /// The prompt.
    Prompt,
}

/// Collects lines from console bytes that come in pieces of any size.
///
/// A line ends at LF; a CR before it is dropped. The prompt is seen as soon as `# ` stands at
/// the start of a line; the line that goes on after it holds the echo of what is typed.
#[derive(Clone, Debug, Default)]
pub struct ConsoleLines {
    line: Vec<u8>,
}

impl ConsoleLines {
    /// What `bytes` complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<ConsoleItem> {
        let mut items = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let mut line = core::mem::take(&mut self.line);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                items.push(ConsoleItem::Line(line));
                continue;
            }
            if self.line.len() < LONGEST {
                self.line.push(byte);
            }
            if self.line == PROMPT {
                items.push(ConsoleItem::Prompt);
            }
        }
        items
    }

    /// The unfinished line.
    pub fn partial(&self) -> &[u8] {
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> ConsoleItem {
        ConsoleItem::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_and_prompts() {
        let mut lines = ConsoleLines::default();
        let items = lines.push(b"hello\r\n\r\n# help\r\nworld");
        assert_eq!(
            items,
            [line("hello"), line(""), ConsoleItem::Prompt, line("# help")]
        );
        assert_eq!(lines.partial(), b"world");
    }

    #[test]
    fn a_runaway_line_is_cut() {
        let mut lines = ConsoleLines::default();
        lines.push(&vec![b'x'; 3 * LONGEST]);
        assert_eq!(lines.push(b"\n"), [ConsoleItem::Line(vec![b'x'; LONGEST])]);
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(text in "[a#\r\n ]{0,60}", piece in 1usize..9) {
            let whole = ConsoleLines::default().push(text.as_bytes());
            let mut lines = ConsoleLines::default();
            let pieces: Vec<_> =
                text.as_bytes().chunks(piece).flat_map(|piece| lines.push(piece)).collect();
            prop_assert_eq!(pieces, whole);
        }
    }
}
