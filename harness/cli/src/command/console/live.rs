//! The console on a terminal: the board's time passes as the user's does.

use std::io;
use std::time::{Duration, Instant};

use az3166_event::VirtualTime;
use az3166_runner::interactive::{Notice, Session};
use az3166_target::{Button, PowerState};
use crossterm::event::{self, Event};
use crossterm::terminal::size;

use super::keys::{Action, Keys};
use super::layout::{Help, View, rows};
use super::terminal::Terminal;
use super::transcript::Transcript;
use crate::exit::{Exit, Failure};

/// How often keys are read and the picture is drawn.
const TICK: Duration = Duration::from_millis(20);
/// How far the board may fall behind before its clock is let go slower than the user's.
const LAG: Duration = Duration::from_millis(200);
/// How many rows Page Up goes.
const PAGE: usize = 10;
/// How many notices are remembered.
const NOTICES: usize = 100;

/// Runs until the user quits.
pub fn run(session: &mut Session, hold: Option<Button>) -> Result<Exit, Failure> {
    let mut terminal = Terminal::take().map_err(lost)?;
    let mut live = Live {
        session,
        keys: Keys::default(),
        transcript: Transcript::default(),
        notices: Vec::new(),
        above: 0,
        help: Help::Hidden,
        pace: Pace::new(VirtualTime::ZERO),
    };
    live.session.start(hold)?;
    loop {
        live.draw(&mut terminal)?;
        let late = live.pass_time()?;
        let wait = if late { Duration::ZERO } else { TICK };
        if live.take_events(&mut terminal, wait)? == Then::Quit {
            return Ok(Exit::Passed);
        }
    }
}

struct Live<'a> {
    session: &'a mut Session,
    keys: Keys,
    transcript: Transcript,
    notices: Vec<String>,
    above: usize,
    help: Help,
    pace: Pace,
}

#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Quit,
}

impl Live<'_> {
    /// Lets the board catch up with the wall clock; says whether it is still behind.
    fn pass_time(&mut self) -> Result<bool, Failure> {
        let now = self.session.now();
        let (until, late) = self.pace.next(now, Instant::now());
        self.session.run_until(until)?;
        self.transcript.push(&self.session.take_console());
        for notice in self.session.take_notices() {
            if !matches!(notice, Notice::Display { .. }) {
                self.notices.push(notice.to_string());
            }
        }
        let surplus = self.notices.len().saturating_sub(NOTICES);
        self.notices.drain(..surplus);
        Ok(late)
    }

    /// Takes all keys that are there, and waits for the first for up to `wait`.
    fn take_events(&mut self, terminal: &mut Terminal, wait: Duration) -> Result<Then, Failure> {
        let mut wait = wait;
        while event::poll(wait).map_err(lost)? {
            wait = Duration::ZERO;
            match event::read().map_err(lost)? {
                Event::Resize(..) => terminal.redraw().map_err(lost)?,
                Event::Key(key) => {
                    if let Some(action) = self.keys.action(key)
                        && self.act(action)? == Then::Quit
                    {
                        return Ok(Then::Quit);
                    }
                }
                _ => {}
            }
        }
        Ok(Then::GoOn)
    }

    fn act(&mut self, action: Action) -> Result<Then, Failure> {
        match action {
            Action::Type(bytes) => {
                (self.above, self.help) = (0, Help::Hidden);
                self.session.type_bytes(&bytes)?;
            }
            Action::Reset => {
                self.above = 0;
                self.transcript.break_line();
                self.session.start(None)?;
            }
            Action::TogglePower => {
                self.transcript.break_line();
                match self.session.power_state() {
                    PowerState::On => self.session.power_off()?,
                    PowerState::Off => self.session.start(None)?,
                }
            }
            Action::Toggle(button) => match self.session.is_held(button) {
                true => self.session.release(button)?,
                false => self.session.press(button)?,
            },
            Action::Help => {
                self.help = match self.help {
                    Help::Hidden => Help::Shown,
                    Help::Shown => Help::Hidden,
                }
            }
            Action::Up => self.above = (self.above + PAGE).min(self.transcript.length()),
            Action::Down => self.above = self.above.saturating_sub(PAGE),
            Action::Quit => return Ok(Then::Quit),
        }
        Ok(Then::GoOn)
    }

    fn draw(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        let picture = self.session.picture();
        let board = self.board();
        let (width, height) = size().map_err(lost)?;
        let size = (usize::from(width), usize::from(height));
        let view = View {
            picture: picture.as_ref(),
            board: &board,
            notices: &self.notices,
            transcript: &self.transcript,
            above: self.above,
            help: self.help,
        };
        let (rows, cursor) = rows(&view, size);
        terminal.draw(rows, cursor).map_err(lost)
    }

    fn board(&self) -> [String; 3] {
        let session = &self.session;
        let power = match (session.power_state(), session.halted()) {
            (PowerState::Off, _) => "off",
            (PowerState::On, None) => "on",
            (PowerState::On, Some(_)) => "on, halted",
        };
        let button = |button: Button| match session.is_held(button) {
            true => format!("{} HELD", button.name()),
            false => format!("{} up", button.name()),
        };
        let leds: Vec<&str> = session.lit_leds().collect();
        let leds = if leds.is_empty() {
            "none"
        } else {
            &leds.join(" ")
        };
        [
            format!(
                "AZ3166 (emulated)  power {power}  {:.1} s",
                session.now().as_secs_f64()
            ),
            format!("buttons: {}, {}", button(Button::A), button(Button::B)),
            format!("LEDs lit: {leds}"),
        ]
    }
}

/// Keeps the board's clock beside the wall clock.
struct Pace {
    board: VirtualTime,
    wall: Instant,
}

impl Pace {
    fn new(board: VirtualTime) -> Self {
        Self {
            board,
            wall: Instant::now(),
        }
    }

    /// Until when the board should run next, and whether it will be behind even then.
    fn next(&mut self, board: VirtualTime, wall: Instant) -> (VirtualTime, bool) {
        let due = self.board + wall.saturating_duration_since(self.wall);
        if due.saturating_since(board) > LAG {
            // A slow host, or one that slept: what was missed is not caught up.
            *self = Self { board, wall };
            return (board + TICK, true);
        }
        let until = due.min(board + TICK);
        (until, until < due)
    }
}

fn lost(error: io::Error) -> Failure {
    Failure::infrastructure(format!("the terminal cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_follows_the_wall_clock_but_never_chases_it() {
        let at = VirtualTime::from_millis;
        let mut pace = Pace::new(VirtualTime::ZERO);
        let start = pace.wall;
        let wall = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.next(at(0), wall(10)), (at(10), false));
        assert_eq!(pace.next(at(10), wall(100)), (at(30), true));
        assert_eq!(pace.next(at(30), wall(5_000)), (at(50), true));
        assert_eq!(pace.next(at(50), wall(5_010)), (at(40), false));
        assert_eq!(pace.next(at(50), wall(5_030)), (at(60), false));
    }
}
