//! The console in a pipe: lines are typed as they are read, as fast as the device takes them.

use std::io::{self, BufRead, ErrorKind, Write, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use az3166_event::VirtualTime;
use az3166_report::printable;
use az3166_runner::interactive::Session;
use az3166_target::{Button, PowerState};
use zeroize::Zeroizing;

use super::directive::Directive;
use super::pace::Pace;
use super::probe::Probe;
use crate::exit::{Exit, Failure};
use crate::terminal;

/// How long the device may take, on its own clock, until it takes a line.
const PATIENCE: Duration = Duration::from_secs(120);
/// After this long without any event, on its own clock, the device is idle.
const IDLE: Duration = Duration::from_secs(5);
/// How often the flag that asks to stop is looked at while no line comes.
const TICK: Duration = Duration::from_millis(50);
/// How long the board stays without power in a power cycle.
const POWER_CYCLE: Duration = Duration::from_secs(1);

/// Runs until standard input ends and the device is idle; with a probe, until it is interrupted.
pub fn run(
    session: &mut Session,
    hold: Option<Button>,
    probe: Option<&Probe>,
    cancel: &AtomicBool,
) -> Result<Exit, Failure> {
    if let Some(probe) = probe {
        write(&format!("[hil] {}\n", probe.instructions()))?;
    }
    let mut plain = Plain {
        probe: probe.map(|probe| (probe, Pace::new(session.now()))),
        session,
        pending: Vec::new(),
        is_mid_line: false,
    };
    let worked = plain.work(hold, cancel);
    // A console with a probe has no other end.
    if probe.is_none() || !cancel.load(Ordering::Relaxed) {
        worked?;
    }
    plain.report()?;
    plain.print_rest()?;
    plain.end_line()?;
    Ok(Exit::Passed)
}

/// Lines of standard input, read in a thread so that a signal is heard while none comes.
fn read_lines() -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (lines, received) = channel();
    thread::spawn(move || {
        let mut input = stdin().lock();
        loop {
            let mut line = Zeroizing::new(Vec::with_capacity(256));
            let end = match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => {
                    let length = line.trim_ascii_end().len();
                    line.truncate(length);
                    lines.send(Ok(line))
                }
                Err(error) => lines.send(Err(error)),
            };
            if end.is_err() {
                return;
            }
        }
    });
    received
}

struct Plain<'a> {
    session: &'a mut Session,
    /// With a probe the board's time is the user's, also between two lines.
    probe: Option<(&'a Probe, Pace)>,
    /// What the device printed and is not yet on standard output.
    pending: Vec<u8>,
    /// Whether standard output ends with the start of a line.
    is_mid_line: bool,
}

impl Plain<'_> {
    fn work(&mut self, hold: Option<Button>, cancel: &AtomicBool) -> Result<(), Failure> {
        self.session.start(hold)?;
        let lines = read_lines();
        let mut number = 0;
        self.wait_for_prompt(0)?;
        self.wait_for_release(hold)?;
        while let Some(line) = self.next_line(&lines, cancel)? {
            number += 1;
            match Directive::parse(&line) {
                None => self.type_line(&line, number)?,
                Some(Ok(directive)) => self.obey(directive)?,
                Some(Err(error)) => {
                    return Err(Failure::usage(format!(
                        "line {number} of standard input: {error}"
                    )));
                }
            }
        }
        while self.probe.is_some() {
            self.pass(self.session.now() + TICK)?;
            self.print_rest()?;
        }
        self.wait_until_idle()
    }

    fn next_line(
        &mut self,
        lines: &Receiver<io::Result<Zeroizing<Vec<u8>>>>,
        cancel: &AtomicBool,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        loop {
            if cancel.load(Ordering::Relaxed) {
                return Err(Failure::infrastructure("the console was interrupted"));
            }
            let patience = match self.probe {
                Some(_) => Duration::ZERO,
                None => TICK,
            };
            match lines.recv_timeout(patience) {
                Ok(Ok(line)) => return Ok(Some(line)),
                Ok(Err(error)) => {
                    return Err(Failure::usage(format!(
                        "reading standard input failed: {error}"
                    )));
                }
                Err(RecvTimeoutError::Timeout) if self.probe.is_some() => {
                    self.pass(self.session.now() + TICK)?;
                    self.print_rest()?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn type_line(&mut self, line: &[u8], number: usize) -> Result<(), Failure> {
        if self.session.power_state() == PowerState::Off {
            terminal::warning(format_args!(
                "line {number} is typed on a board without power"
            ));
            return Ok(());
        }
        let prompts = self.session.prompts();
        let mut bytes = Zeroizing::new(line.to_vec());
        bytes.push(b'\r');
        self.session.type_bytes(&bytes)?;
        if !self.wait_for_prompt(prompts)? {
            terminal::warning(format_args!(
                "the device has not prompted within {} s after line {number}",
                PATIENCE.as_secs()
            ));
        }
        Ok(())
    }

    fn obey(&mut self, directive: Directive) -> Result<(), Failure> {
        self.print_rest()?;
        let prompts = self.session.prompts();
        match directive {
            Directive::Hold(button) => return Ok(self.session.press(button)?),
            Directive::Release(button) => return Ok(self.session.release(button)?),
            Directive::Wait(interval) => return self.pass(self.session.now() + interval),
            Directive::PowerOff => {
                self.end_line()?;
                self.session.power_off()?;
                return self.report();
            }
            Directive::PowerCycle => {
                self.end_line()?;
                self.session.power_off()?;
                self.pass(self.session.now() + POWER_CYCLE)?;
                self.session.start(None)?;
            }
            Directive::Reset | Directive::PowerOn => {
                self.end_line()?;
                self.session.start(None)?;
            }
        }
        self.wait_for_prompt(prompts)?;
        Ok(())
    }

    /// Lets time pass until the device has prompted more than `before` times; says whether it has.
    fn wait_for_prompt(&mut self, before: usize) -> Result<bool, Failure> {
        let deadline = self.session.now() + PATIENCE;
        self.pass_while(deadline, |session| {
            session.prompts() <= before || !session.is_at_prompt()
        })?;
        self.print_rest()?;
        Ok(self.session.prompts() > before)
    }

    /// Waits until the button that was held for the start is let go: the next start is another.
    fn wait_for_release(&mut self, hold: Option<Button>) -> Result<(), Failure> {
        let deadline = self.session.now() + PATIENCE;
        self.pass_while(deadline, |session| {
            hold.is_some_and(|button| session.is_held(button))
        })
    }

    fn wait_until_idle(&mut self) -> Result<(), Failure> {
        let deadline = self.session.now() + PATIENCE;
        let mut last = (self.session.activity(), self.session.now());
        self.pass_while(deadline, |session| {
            if session.activity() != last.0 {
                last = (session.activity(), session.now());
            }
            session.now() < last.1 + IDLE
        })
    }

    fn pass(&mut self, deadline: VirtualTime) -> Result<(), Failure> {
        self.pass_while(deadline, |_| true)
    }

    /// Lets time pass as long as `wanted`, but not beyond `deadline` or a halt of the processor.
    fn pass_while(
        &mut self,
        deadline: VirtualTime,
        mut wanted: impl FnMut(&Session) -> bool,
    ) -> Result<(), Failure> {
        while wanted(self.session)
            && self.session.now() < deadline
            && self.session.halted().is_none()
        {
            let until = self.next_stop();
            self.session.run_until(until.min(deadline))?;
            self.report()?;
        }
        self.report()
    }

    /// Until when the board runs in one go: with a probe to the present, else as fast as it can.
    fn next_stop(&mut self) -> VirtualTime {
        let now = self.session.now();
        let Some((probe, pace)) = &mut self.probe else {
            return now + Duration::from_millis(10);
        };
        probe.wait_for_question();
        pace.next(now, Instant::now()).0
    }

    /// Prints whole lines of the device and, between them, what happened beside its console.
    fn report(&mut self) -> Result<(), Failure> {
        self.pending.extend(self.session.take_console());
        if let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') {
            let lines: Vec<u8> = self.pending.drain(..=end).collect();
            self.print(&lines)?;
        }
        for notice in self.session.take_notices() {
            if notice.is_worth_a_line() {
                self.end_line()?;
                write(&format!("[hil] {notice}\n"))?;
            }
        }
        let news = self.probe.as_ref().map(|(probe, _)| probe.take_news());
        for news in news.into_iter().flatten() {
            self.end_line()?;
            write(&format!("[hil] {news}\n"))?;
        }
        Ok(())
    }

    /// Ends a line whose start is on standard output already.
    fn end_line(&mut self) -> Result<(), Failure> {
        match core::mem::take(&mut self.is_mid_line) {
            true => write("\n"),
            false => Ok(()),
        }
    }

    /// Prints an unfinished line, but a CR only with what follows it.
    fn print_rest(&mut self) -> Result<(), Failure> {
        let end = self.pending.len() - usize::from(self.pending.last() == Some(&b'\r'));
        let rest: Vec<u8> = self.pending.drain(..end).collect();
        self.print(&rest)
    }

    fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(last) = bytes.last() {
            self.is_mid_line = *last != b'\n';
        }
        write(&printable(bytes))
    }
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::infrastructure(
            "nobody reads standard output any more",
        )),
        Err(error) => Err(Failure::infrastructure(format!(
            "writing standard output failed: {error}"
        ))),
        Ok(()) => Ok(()),
    }
}
