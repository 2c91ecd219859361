//! The order of requests, and how long to wait.

use alloc::format;
use alloc::string::String;

use smoltcp::time::{Duration, Instant};

use super::answer::{self, Status, invalid};
use crate::failure::{Failure, FailureKind};
use crate::http::{self, Response};

/// How long one request may go unanswered.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The pause before the next request when the service names none, or names nonsense.
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);

/// The shortest pause, also when the service says 0: it allows 5 requests in 10 s.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// One request of the device API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Register the device.
    Register,
    /// Ask how far the registration is.
    Status {
        /// The operation, from the answer to the registration.
        operation_id: String,
    },
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this request.
    Send(Request),
    /// Nothing, until an answer comes or this time is reached.
    Wait(Instant),
}

/// The registration of one device over one connection.
#[derive(Debug)]
pub struct Registration {
    state: State,
    /// When the registration must be over.
    deadline: Instant,
    /// Why the registration is not done yet: the failure when time runs out.
    trouble: Failure,
}

#[derive(Debug)]
enum State {
    Pausing { until: Instant, next: Request },
    Asked { until: Instant, request: Request },
    Over,
}

impl Registration {
    /// Starts with the registration request at once; ends at `deadline` at the latest.
    pub fn new(now: Instant, deadline: Instant) -> Self {
        Self {
            state: State::Pausing {
                until: now,
                next: Request::Register,
            },
            deadline,
            trouble: Failure::new(
                FailureKind::DpsTimeout,
                "no time is left for the registration",
            ),
        }
    }

    /// Says what to do at the time `now`.
    ///
    /// # Errors
    /// The [`Failure`] that ends the registration: the time is over.
    pub fn poll(&mut self, now: Instant) -> Result<Step, Failure> {
        match &self.state {
            State::Pausing { until, next } if now >= *until => {
                let request = next.clone();
                let until = (now + ANSWER_LIMIT).min(self.deadline);
                self.state = State::Asked {
                    until,
                    request: request.clone(),
                };
                Ok(Step::Send(request))
            }
            State::Pausing { until, .. } => Ok(Step::Wait(*until)),
            State::Asked { until, request } if now >= *until => {
                let what = match request {
                    Request::Register => "registration",
                    Request::Status { .. } => "status",
                };
                let reason = format!("no answer to the {what} request in time (30 s at most)");
                self.state = State::Over;
                Err(Failure::new(FailureKind::DpsTimeout, reason))
            }
            State::Asked { until, .. } => Ok(Step::Wait(*until)),
            State::Over => Ok(Step::Wait(self.deadline)),
        }
    }

    /// Whether a request is waiting for its answer.
    pub fn is_waiting_for_answer(&self) -> bool {
        matches!(self.state, State::Asked { .. })
    }

    /// Takes the answer to the last request. `Ok(None)` means: go on with [`Registration::poll`].
    ///
    /// # Errors
    /// The [`Failure`] that ends the registration.
    pub fn answer(&mut self, now: Instant, response: &Response) -> Result<Option<Status>, Failure> {
        let State::Asked { request, .. } = core::mem::replace(&mut self.state, State::Over) else {
            return Err(invalid("an answer came that was not asked for"));
        };
        let error = || answer::http_error(response);
        let failed = |kind| Err(Failure::new(kind, error()));
        match response.status {
            200..=299 => self.status(now, response, request),
            401 => failed(FailureKind::DpsUnauthorized),
            404 => failed(FailureKind::DpsNotFound),
            429 => {
                self.trouble = Failure::new(FailureKind::DpsThrottled, error());
                self.pause(now, response, request).map(|()| None)
            }
            400..=499 => failed(FailureKind::DpsRefused),
            500..=599 => {
                self.trouble = Failure::new(FailureKind::DpsServerError, error());
                self.pause(now, response, request).map(|()| None)
            }
            status => Err(invalid(format!(
                "HTTP {status} is no answer to a registration"
            ))),
        }
    }

    fn status(
        &mut self,
        now: Instant,
        response: &Response,
        request: Request,
    ) -> Result<Option<Status>, Failure> {
        match answer::status(&response.body)? {
            Status::Assigning { operation_id } => {
                let next = match (operation_id.clone(), request) {
                    (Some(operation_id), _) => Request::Status { operation_id },
                    (None, request @ Request::Status { .. }) => request,
                    (None, Request::Register) => {
                        return Err(invalid("the answer has no operation id"));
                    }
                };
                self.trouble =
                    Failure::new(FailureKind::DpsTimeout, "the service is still assigning");
                self.pause(now, response, next)?;
                Ok(Some(Status::Assigning { operation_id }))
            }
            Status::Failed(reason) => Err(Failure::new(FailureKind::DpsFailed, reason)),
            Status::Disabled => Err(Failure::new(
                FailureKind::DpsDisabled,
                "the enrolment is disabled",
            )),
            Status::Assigned(assignment) => Ok(Some(Status::Assigned(assignment))),
        }
    }

    /// Waits before `next` for as long as the service asks, when there is that much time.
    fn pause(&mut self, now: Instant, response: &Response, next: Request) -> Result<(), Failure> {
        let pause = retry_after(response.retry_after.as_deref());
        let left = self.deadline - now;
        if now >= self.deadline || pause >= left {
            let Failure { kind, reason } = self.trouble.clone();
            let (wanted, left) = (
                pause.secs(),
                if now < self.deadline { left.secs() } else { 0 },
            );
            let reason = format!("{reason}; the service wants {wanted} s more, {left} s are left");
            return Err(Failure { kind, reason });
        }
        self.state = State::Pausing {
            until: now + pause,
            next,
        };
        Ok(())
    }
}

/// The pause that a `Retry-After` value asks for (RFC 9110 section 10.2.3). A date counts as no
/// number: the device trusts its own count of seconds more than a comparison of two clocks.
fn retry_after(value: Option<&str>) -> Duration {
    let digits = value.map(str::trim).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return DEFAULT_PAUSE;
    }
    // What does not fit into 32 bits is longer than any deadline.
    Duration::from_secs(digits.parse::<u32>().unwrap_or(u32::MAX).into()).max(SHORTEST_PAUSE)
}

/// The failure when the connection ends before the registration does.
pub(super) fn closed(partial: bool) -> Failure {
    if partial {
        return invalid("the answer is cut short: the service closed the connection");
    }
    Failure::new(FailureKind::DpsClosed, "the service closed the connection")
}

/// The failure for bytes that are no answer.
pub(super) fn malformed(error: http::Error) -> Failure {
    invalid(format!("{error}"))
}
