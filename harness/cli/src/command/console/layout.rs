//! Where everything stands on the terminal: display and board above, console below.

use az3166_event::Picture;

use super::keys;
use super::picture::{self, BRAILLE, TEXT};
use super::transcript::Transcript;

/// The least room for what stands beside the display.
const BESIDE: usize = 36;
/// The least rows for the console where the display's pixels are drawn.
const CONSOLE_ROWS: usize = 8;
/// How many of the last notices are kept.
const NOTICES: usize = 8;

/// Everything that is shown.
pub struct View<'a> {
    /// The display; none without power.
    pub picture: Option<&'a Picture>,
    /// The board's state, a line each.
    pub board: &'a [String],
    /// What happened beside the console, oldest first.
    pub notices: &'a [String],
    /// What the device printed.
    pub transcript: &'a Transcript,
    /// How many rows the user has scrolled up.
    pub above: usize,
    /// Whether the list of keys covers the console.
    pub help: Help,
}

/// Whether the list of keys is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Help {
    /// It is not.
    #[default]
    Hidden,
    /// It covers the console.
    Shown,
}

/// What a row is, and so how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The display, the board, the line with keys.
    Board,
    /// What the device printed.
    Console,
}

/// One row of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its text, not wider than the terminal.
    pub text: String,
    /// What it is.
    pub kind: Kind,
}

/// The rows of a terminal that is `width` wide and `height` high, and where its cursor stands.
pub fn rows(
    view: &View<'_>,
    (width, height): (usize, usize),
) -> (Vec<Row>, Option<(usize, usize)>) {
    let mut above = panel(view, width, height);
    // The console keeps its last line even on the smallest terminal.
    above.truncate(height.saturating_sub(2));
    let console_height = height.saturating_sub(above.len() + 1);
    let (console, cursor) = match view.help {
        Help::Shown => (keys::HELP.map(str::to_owned).to_vec(), None),
        Help::Hidden => view.transcript.page(width, console_height, view.above),
    };
    let cursor = cursor.map(|(row, column)| (row + above.len(), column));
    let row = |kind| {
        move |text: String| Row {
            text: cut(&text, width),
            kind,
        }
    };
    let mut rows: Vec<Row> = above.into_iter().map(row(Kind::Board)).collect();
    let console = console.into_iter().chain(core::iter::repeat(String::new()));
    rows.extend(console.take(console_height).map(row(Kind::Console)));
    let last = match view.above {
        0 => keys::SHORT.to_owned(),
        above => format!("{above} rows up; Page Down comes back"),
    };
    rows.push(row(Kind::Board)(last));
    rows.truncate(height);
    (rows, cursor)
}

/// Display and board: side by side where there is room, else one above the other.
fn panel(view: &View<'_>, width: usize, height: usize) -> Vec<String> {
    let stacked = width < BRAILLE.0 + 2 + BESIDE;
    let needed = BRAILLE.1 + 2 + if stacked { 3 } else { 0 };
    let pixels = width >= BRAILLE.0 + 2 && height > needed + CONSOLE_ROWS;
    let (size, picture) = match pixels {
        true => (BRAILLE, view.picture.map(picture::braille)),
        false => (TEXT, view.picture.map(picture::text)),
    };
    let display = picture::framed(&picture.unwrap_or_default(), size);
    if pixels && stacked {
        let notice = view.notices.last().cloned().unwrap_or_default();
        return display
            .into_iter()
            .chain([view.board.join("  "), notice, String::new()])
            .collect();
    }
    let room = width.saturating_sub(size.0 + 4).max(1);
    let beside = beside(view, room, display.len());
    let beside = beside.into_iter().chain(core::iter::repeat(String::new()));
    display
        .into_iter()
        .zip(beside)
        .map(|(left, right)| format!("{left}  {right}"))
        .collect()
}

/// The board's state and as many of the last notices as there is room for.
fn beside(view: &View<'_>, width: usize, height: usize) -> Vec<String> {
    let mut lines = view.board.to_vec();
    let room = height.saturating_sub(lines.len() + 1);
    let mut notices: Vec<String> = Vec::new();
    for notice in view.notices.iter().rev().take(NOTICES) {
        let wrapped = wrap(notice, width);
        if notices.len() + wrapped.len() > room && !notices.is_empty() {
            break;
        }
        notices.splice(0..0, wrapped);
    }
    notices.truncate(room);
    if height > lines.len() {
        lines.push(String::new());
    }
    lines.extend(notices);
    lines
}

/// `text` in lines of at most `width` characters, broken at blanks where there are some.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let pieces: Vec<char> = word.chars().collect();
        for (index, piece) in pieces.chunks(width.max(1)).enumerate() {
            let piece: String = piece.iter().collect();
            match lines.last_mut() {
                Some(line)
                    if index == 0 && line.chars().count() + 1 + piece.chars().count() <= width =>
                {
                    line.push(' ');
                    line.push_str(&piece);
                }
                _ => lines.push(piece),
            }
        }
    }
    lines
}

fn cut(text: &str, width: usize) -> String {
    text.chars()
        .take(width)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn draw(width: usize, height: usize, help: Help) -> String {
        let picture = Picture::from_fn(|x, y| x == y || y == 0);
        let mut transcript = Transcript::default();
        transcript.push(b"AZ3166 DevKit open firmware\r\nMAC: 0200deadbeef\r\n\r\n# he");
        let view = View {
            picture: Some(&picture),
            board: &[
                "power on   12.3 s".into(),
                "A up   B held".into(),
                "LEDs wifi".into(),
            ],
            notices: &[
                "an old notice".into(),
                "enrolled az-1 as AZ3166, certificate SHA-1 0123456789ABCDEF".into(),
            ],
            transcript: &transcript,
            above: 0,
            help,
        };
        let (rows, cursor) = rows(&view, (width, height));
        assert_eq!(rows.len(), height);
        assert!(rows.iter().all(|row| row.text.chars().count() <= width));
        let text: Vec<String> = rows.into_iter().map(|row| row.text).collect();
        format!("{}\n{cursor:?}", text.join("\n"))
    }

    #[test]
    fn a_small_terminal_shows_the_displays_text() {
        insta::assert_snapshot!(draw(80, 12, Help::Hidden));
    }

    #[test]
    fn a_wide_terminal_shows_pixels_and_board_side_by_side() {
        insta::assert_snapshot!(draw(110, 30, Help::Hidden));
    }

    #[test]
    fn a_high_terminal_stacks_them() {
        insta::assert_snapshot!(draw(80, 40, Help::Hidden));
    }

    #[test]
    fn help_covers_the_console() {
        insta::assert_snapshot!(draw(80, 20, Help::Shown));
    }

    #[rstest]
    fn no_terminal_is_too_small(
        #[values(0, 1, 5, 20, 66, 102)] width: usize,
        #[values(0, 1, 2, 3, 7, 19, 27)] height: usize,
    ) {
        draw(width, height, Help::Hidden);
        draw(width, height, Help::Shown);
    }

    #[rstest]
    #[case("a bc def", 4, &["a bc", "def"])]
    #[case("abcdef gh", 4, &["abcd", "ef", "gh"])]
    #[case("", 4, &[])]
    fn words_are_kept_together(#[case] text: &str, #[case] width: usize, #[case] lines: &[&str]) {
        assert_eq!(wrap(text, width), lines);
    }
}
