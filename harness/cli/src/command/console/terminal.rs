//! The user's terminal: taken over, drawn on, and always given back.

use std::io::{self, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::Style;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};

use super::layout::{Kind, Row};

/// Whether the terminal is taken over and must be given back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode, on its second screen. Dropping it gives it back; so does a panic,
/// before its message is printed.
pub struct Terminal {
    drawn: Vec<Row>,
}

impl Terminal {
    /// Takes the terminal over.
    pub fn take() -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        TAKEN.store(true, Ordering::SeqCst);
        // From here on the guard gives back whatever was done.
        let terminal = Self { drawn: Vec::new() };
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
        Ok(terminal)
    }

    /// Draws the rows that changed.
    pub fn draw(&mut self, rows: Vec<Row>, cursor: Option<(usize, usize)>) -> io::Result<()> {
        let mut out = stdout().lock();
        queue!(out, BeginSynchronizedUpdate, Hide)?;
        for (line, row) in rows.iter().enumerate() {
            if self.drawn.get(line) == Some(row) {
                continue;
            }
            let style = match row.kind {
                Kind::Board => Style::new().bold(),
                Kind::Console => Style::new(),
            };
            let text = format!("{style}{}{style:#}", row.text);
            queue!(
                out,
                MoveTo(0, coordinate(line)),
                Print(text),
                Clear(ClearType::UntilNewLine)
            )?;
        }
        if let Some((row, column)) = cursor {
            queue!(out, MoveTo(coordinate(column), coordinate(row)), Show)?;
        }
        queue!(out, EndSynchronizedUpdate)?;
        self.drawn = rows;
        out.flush()
    }

    /// Draws everything anew, for a terminal of another size.
    pub fn redraw(&mut self) -> io::Result<()> {
        self.drawn.clear();
        execute!(stdout(), Clear(ClearType::All))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone cannot be restored, and nobody looks at it.
        let _ = execute!(stdout(), EndSynchronizedUpdate, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

fn coordinate(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
