//! Waiting for an answer, and for everything else that can happen meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use az3166_stsafe::SecureElement;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::BridgeEnd;
use crate::RenodeError;
use crate::guard::Guard;

/// How often the user's wish to stop is looked for.
const TICK: Duration = Duration::from_millis(100);

/// How long a process may take to end after its connections have.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// All that must be looked after while one answer is awaited.
pub struct Waiting<'a> {
    pub guard: &'a mut Guard,
    pub bridge: &'a mut BridgeEnd,
    pub model: &'a mut SecureElement,
    pub cancel: &'a AtomicBool,
}

/// What is waited for, and how long.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    pub what: &'a str,
    pub started: Instant,
    pub after: Duration,
}

impl<'a> Deadline<'a> {
    pub fn new(what: &'a str, after: Duration) -> Self {
        Self {
            what,
            started: Instant::now(),
            after,
        }
    }
}

impl Waiting<'_> {
    /// Reads what comes next on `stream` behind `buffer`; the peer must not close it.
    pub fn read(
        &mut self,
        mut stream: &TcpStream,
        buffer: &mut Vec<u8>,
        deadline: Deadline<'_>,
    ) -> Result<Reading, RenodeError> {
        loop {
            self.serve_until_readable(Some(stream), deadline)?;
            let mut bytes = [0; 16 * 1024];
            match stream.read(&mut bytes) {
                Ok(0) => return Ok(Reading::Closed),
                Ok(count) => {
                    buffer.extend_from_slice(&bytes[..count]);
                    return Ok(Reading::More);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::Interrupted => {}
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                        return Ok(Reading::Closed);
                    }
                    _ => return Err(RenodeError::io(deadline.what)(error)),
                },
            }
        }
    }

    /// Serves the bridge for a moment, or until something else is to be done.
    pub fn pause(&mut self, moment: Duration, deadline: Deadline<'_>) -> Result<(), RenodeError> {
        self.look(None, moment, deadline).map(drop)
    }

    /// Why a connection is closed: mostly because Renode has ended, of which the guard tells.
    pub fn closed(&mut self, what: &'static str) -> RenodeError {
        let deadline = Deadline::new(what, LAST_WORDS);
        loop {
            match self.look(None, TICK, deadline) {
                Ok(_) => {}
                Err(RenodeError::TooLate { .. }) => {
                    return RenodeError::protocol(what, "it closed the connection");
                }
                Err(error) => return error,
            }
        }
    }

    fn serve_until_readable(
        &mut self,
        stream: Option<&TcpStream>,
        deadline: Deadline<'_>,
    ) -> Result<(), RenodeError> {
        while !self.look(stream, TICK, deadline)? {}
        Ok(())
    }

    /// Waits up to `moment`; says whether `stream` can be read.
    fn look(
        &mut self,
        stream: Option<&TcpStream>,
        moment: Duration,
        deadline: Deadline<'_>,
    ) -> Result<bool, RenodeError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(RenodeError::Interrupted);
        }
        if deadline.started.elapsed() > deadline.after {
            return Err(RenodeError::TooLate {
                what: deadline.what.to_owned(),
                after: deadline.after,
                log: self.guard.last_lines(),
            });
        }
        let [awaited, guard, bridge] = {
            let fds = [
                stream.map(AsFd::as_fd),
                self.guard.fd(),
                Some(self.bridge.fd()),
            ];
            let mut polled: Vec<PollFd<'_>> = fds
                .iter()
                .flatten()
                .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
                .collect();
            let timeout = Timespec {
                tv_sec: moment.as_secs() as i64,
                tv_nsec: moment.subsec_nanos().into(),
            };
            match poll(&mut polled, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(RenodeError::io(deadline.what)(error.into())),
            }
            let mut found = polled.iter().map(|fd| !fd.revents().is_empty());
            fds.map(|fd| fd.is_some() && found.next().unwrap_or(false))
        };
        if bridge {
            self.bridge.serve(self.model)?;
        }
        // What was answered before the end still counts.
        if !awaited && guard {
            return Err(self.guard.hear());
        }
        Ok(awaited)
    }
}

/// What a reading found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// There are more bytes now.
    More,
    /// The peer has closed the connection.
    Closed,
}

/// Writes a whole request; Renode reads at once, so that a full buffer means that it hangs.
pub fn send(
    mut stream: &TcpStream,
    bytes: &[u8],
    deadline: Deadline<'_>,
) -> Result<(), RenodeError> {
    stream
        .set_write_timeout(Some(deadline.after))
        .and_then(|()| stream.write_all(bytes))
        .map_err(RenodeError::io(deadline.what))
}
