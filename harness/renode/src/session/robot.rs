//! Renode's Robot Framework server: Monitor commands with a clear success or failure.

use std::net::TcpStream;
use std::time::Duration;

use super::wait::{Deadline, Reading, Waiting, send};
use crate::RenodeError;
use crate::wire::http::{self, Connection};
use crate::wire::xml_rpc::{self, Outcome};

const NAME: &str = "Renode's Robot Framework server";

/// A connection to it, which is made anew when the server closes it.
pub struct Robot {
    port: u16,
    stream: Option<TcpStream>,
}

impl Robot {
    pub fn new(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// Runs a keyword; gives what it returned.
    pub fn keyword(
        &mut self,
        waiting: &mut Waiting<'_>,
        keyword: &str,
        arguments: &[&str],
        after: Duration,
    ) -> Result<String, RenodeError> {
        let shown = arguments.join(" ");
        let what = format!(
            "the answer to `{}`",
            shown.lines().next().unwrap_or(keyword)
        );
        let deadline = Deadline::new(&what, after);
        let request = http::post(&xml_rpc::run_keyword(keyword, arguments));
        let body = self.exchange(waiting, &request, deadline)?;
        match xml_rpc::parse(&body).map_err(|error| RenodeError::protocol(NAME, error))? {
            Outcome::Passed(text) => Ok(text),
            Outcome::Failed(text) => Err(RenodeError::Refused {
                command: shown,
                text,
            }),
        }
    }

    fn exchange(
        &mut self,
        waiting: &mut Waiting<'_>,
        request: &[u8],
        deadline: Deadline<'_>,
    ) -> Result<String, RenodeError> {
        let kept = self.stream.take();
        let is_fresh = kept.is_none();
        let stream = match kept {
            Some(stream) => stream,
            None => waiting.guard.connect(self.port)?,
        };
        let sent = send(&stream, request, deadline);
        let mut answer = Vec::new();
        let mut reading = Reading::Closed;
        if sent.is_ok() {
            loop {
                reading = waiting.read(&stream, &mut answer, deadline)?;
                if reading == Reading::Closed {
                    break;
                }
                let whole =
                    http::parse(&answer).map_err(|error| RenodeError::protocol(NAME, error))?;
                if let Some((body, connection)) = whole {
                    self.stream = (connection == Connection::KeepAlive).then_some(stream);
                    return Ok(body);
                }
            }
        }
        // A server may close a connection that was idle, but not one that it was just given.
        if reading == Reading::Closed && answer.is_empty() && !is_fresh {
            return self.exchange(waiting, request, deadline);
        }
        sent?;
        Err(waiting.closed(NAME))
    }
}
