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
use super::pace::{Pace, TICK};
use super::probe::Probe;
use super::terminal::Terminal;
use super::transcript::Transcript;
use crate::exit::{Exit, Failure};

/// How many rows Page Up goes.
const PAGE: usize = 10;
/// How many notices are remembered.
const NOTICES: usize = 100;

/// Runs until the user quits.
pub fn run(
    session: &mut Session,
    hold: Option<Button>,
    probe: Option<&Probe>,
) -> Result<Exit, Failure> {
    let mut terminal = Terminal::take().map_err(lost)?;
    let mut live = Live {
        session,
        probe,
        keys: Keys::default(),
        transcript: Transcript::default(),
        notices: Vec::new(),
        above: 0,
        help: Help::Hidden,
        pace: Pace::new(VirtualTime::ZERO),
    };
    live.notices.extend(probe.map(Probe::instructions));
    live.session.start(hold)?;
    loop {
        live.draw(&mut terminal)?;
        let late = live.pass_a_tick()?;
        let wait = if late { Duration::ZERO } else { TICK };
        if live.take_events(&mut terminal, wait)? == Then::Quit {
            return Ok(Exit::Passed);
        }
    }
}

struct Live<'a> {
    session: &'a mut Session,
    probe: Option<&'a Probe>,
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
    /// Lets time pass until keys should be read and the picture be drawn; says whether the board is
    /// behind the wall clock.
    fn pass_a_tick(&mut self) -> Result<bool, Failure> {
        let Some(probe) = self.probe else {
            return self.pass_time();
        };
        // A debugger asks far more often than a picture is drawn, and waits for each answer.
        let started = Instant::now();
        while started.elapsed() < TICK {
            if !self.pass_time()? {
                probe.wait_for_question();
            }
        }
        let news = probe.take_news();
        self.notices.extend(news.iter().map(ToString::to_string));
        Ok(true)
    }

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

fn lost(error: io::Error) -> Failure {
    Failure::infrastructure(format!("the terminal cannot be used: {error}"))
}
