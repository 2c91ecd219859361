//! What the device has printed, as a terminal with an endless page would hold it.

use std::collections::VecDeque;

use az3166_report::printable;

/// How many lines are kept.
const KEPT: usize = 10_000;
/// A line that is longer goes on in the next one.
const LONGEST: usize = 1_000;

/// Lines of raw bytes and a cursor in the last of them.
///
/// CR, LF and BS move the cursor; every other byte is written over what is there. Nothing that the
/// device prints reaches the user's terminal unescaped.
#[derive(Debug)]
pub struct Transcript {
    lines: VecDeque<Vec<u8>>,
    column: usize,
}

impl Default for Transcript {
    fn default() -> Self {
        Self {
            lines: VecDeque::from([Vec::new()]),
            column: 0,
        }
    }
}

impl Transcript {
    /// Prints `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\r' => self.column = 0,
                b'\n' => self.new_line(),
                0x08 => self.column = self.column.saturating_sub(1),
                _ => self.put(byte),
            }
        }
    }

    fn put(&mut self, byte: u8) {
        if self.column >= LONGEST {
            self.new_line();
        }
        let column = self.column;
        if let Some(line) = self.lines.back_mut() {
            match line.get_mut(column) {
                Some(place) => *place = byte,
                None => line.push(byte),
            }
            self.column += 1;
        }
    }

    fn new_line(&mut self) {
        self.column = 0;
        self.lines.push_back(Vec::new());
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    /// Starts a line of its own for a device that starts afresh.
    pub fn break_line(&mut self) {
        if self.lines.back().is_some_and(|line| !line.is_empty()) {
            self.new_line();
        }
    }

    /// How many lines there are.
    pub fn length(&self) -> usize {
        self.lines.len()
    }

    /// The last rows of a page that is `width` wide and `height` high and ends `above` rows before
    /// the end, and the cursor's place on it as row and column, where it is in sight.
    pub fn page(
        &self,
        width: usize,
        height: usize,
        above: usize,
    ) -> (Vec<String>, Option<(usize, usize)>) {
        let width = width.max(1);
        let wanted = height.saturating_add(above);
        let mut rows: VecDeque<String> = VecDeque::new();
        for line in self.lines.iter().rev() {
            let text: Vec<char> = printable(line).chars().collect();
            let chunks = text.chunks(width).map(|chunk| chunk.iter().collect());
            let wrapped: Vec<String> = match text.is_empty() {
                true => vec![String::new()],
                false => chunks.collect(),
            };
            for row in wrapped.into_iter().rev() {
                rows.push_front(row);
            }
            if rows.len() >= wanted {
                break;
            }
        }
        let cursor = self.cursor_from_last_line(width, &mut rows);
        let end = rows.len().saturating_sub(above).max(height.min(rows.len()));
        let start = end.saturating_sub(height);
        let shown: Vec<String> = rows.range(start..end).cloned().collect();
        let in_sight = (start..end).contains(&cursor.0);
        (shown, in_sight.then(|| (cursor.0 - start, cursor.1)))
    }

    /// The cursor's row among `rows` and its column; a row of its own where it has wrapped.
    fn cursor_from_last_line(&self, width: usize, rows: &mut VecDeque<String>) -> (usize, usize) {
        let Some(last) = self.lines.back() else {
            return (0, 0);
        };
        let before = &last[..self.column.min(last.len())];
        let column = printable(before).chars().count();
        let of_last = printable(last).chars().count().div_ceil(width).max(1);
        let row = rows.len() - of_last.min(rows.len()) + column / width;
        if row == rows.len() {
            rows.push_back(String::new());
        }
        (row, column % width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn check(input: &[u8], width: usize, height: usize, rows: &[&str], cursor: (usize, usize)) {
        let mut transcript = Transcript::default();
        transcript.push(input);
        let (shown, at) = transcript.page(width, height, 0);
        assert_eq!(shown, rows);
        assert_eq!(at, Some(cursor));
    }

    #[rstest]
    #[case(b"", &[""], (0, 0))]
    #[case(b"ab\r\n# x", &["ab", "# x"], (1, 3))]
    #[case(b"ab\rc", &["cb"], (0, 1))]
    #[case(b"abc\x08 \x08", &["ab "], (0, 2))]
    #[case(b"\x08\x08a", &["a"], (0, 1))]
    #[case(b"\x1b[2J\x00", &["\\x1b[2J\\x00"], (0, 11))]
    #[case("µ\r\n".as_bytes(), &["µ", ""], (1, 0))]
    #[case(b"0123456789abcdef", &["0123456789ab", "cdef"], (1, 4))]
    #[case(b"0123456789ab", &["0123456789ab", ""], (1, 0))]
    #[case(b"1\n2\n3\n4\n5", &["2", "3", "4", "5"], (3, 1))]
    fn is_shown_as_by_a_terminal(
        #[case] input: &[u8],
        #[case] rows: &[&str],
        #[case] cursor: (usize, usize),
    ) {
        check(input, 12, 4, rows, cursor);
    }

    #[test]
    fn scrolling_stops_at_the_top() {
        let mut transcript = Transcript::default();
        transcript.push(b"1\n2\n3\n4");
        assert_eq!(
            transcript.page(9, 2, 1),
            (vec!["2".into(), "3".into()], None)
        );
        assert_eq!(transcript.page(9, 2, 99).0, ["1", "2"]);
        assert_eq!(transcript.page(9, 9, 99).0, ["1", "2", "3", "4"]);
    }

    #[test]
    fn an_endless_line_is_cut_and_old_lines_go() {
        let mut transcript = Transcript::default();
        transcript.push(&vec![b'x'; LONGEST * (KEPT + 5)]);
        assert_eq!(transcript.lines.len(), KEPT);
        assert!(transcript.lines.iter().all(|line| line.len() <= LONGEST));
    }
}
