//! The device API of the provisioning service over HTTP (REST reference, "Runtime Registration").

mod bodies;
mod route;

use az3166_event::VirtualTime;
use rand_core::Rng;

pub(crate) use bodies::result as registration_result;
pub(crate) use route::is_register;

use crate::behaviour::Behaviour;
use crate::clock::Epoch;
use crate::http::{Request, RequestError, Response};
use crate::provisioning::{
    Course, Proof, Provisioning, Refusal, Register, Registration, RegistrationState, uuid,
};
use route::{Operation, RouteError};

/// What an answer says apart from its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The answer.
    pub(crate) response: Response,
    /// The service's error code, of an error.
    pub(crate) error_code: Option<u32>,
    /// The registration that a register request made or was refused for.
    pub(crate) outcome: Outcome,
}

/// What a request did to registrations.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Nothing.
    None,
    /// It began this one.
    Begun(Box<Registration>),
    /// It was a register request for this id and was refused.
    Refused {
        /// The id as the device sent it.
        registration_id: String,
    },
}

/// The API's surroundings.
pub(crate) struct DeviceApi<'a, R> {
    pub(crate) provisioning: &'a mut Provisioning,
    pub(crate) behaviour: &'a Behaviour,
    pub(crate) epoch: Epoch,
    pub(crate) entropy: &'a mut R,
    /// The host name of the service.
    pub(crate) host: &'a str,
}

impl<R: Rng> DeviceApi<'_, R> {
    /// Answers a request that came in at `now`.
    pub(crate) fn answer(
        &mut self,
        now: VirtualTime,
        request: &Request,
        proof: Proof<'_>,
        course: Course,
    ) -> Answer {
        let operation = match route::route(request) {
            Ok(operation) => operation,
            Err(error) => return self.route_error(now, &error),
        };
        match operation {
            Operation::Register {
                id_scope,
                registration_id,
                tpm: Some(shown),
            } if !matches!(proof, Proof::Token(_)) => {
                let challenge = self.provisioning.challenge(
                    now,
                    id_scope,
                    &registration_id,
                    &shown,
                    self.entropy,
                );
                match challenge {
                    Ok(key) => self.plain(now, 401, bodies::challenge(&key)),
                    Err(refusal) => self.registration_refusal(now, refusal, &registration_id),
                }
            }
            Operation::Register {
                id_scope,
                registration_id,
                tpm: _,
            } => {
                let register = Register {
                    id_scope,
                    registration_id: &registration_id,
                    proof,
                    course,
                };
                match self.provisioning.register(now, register, self.entropy) {
                    Ok(registration) => {
                        let mut answer = self.registration(now, &registration);
                        if registration.state == RegistrationState::Assigning {
                            let location = format!("https://{}{}", self.host, request.path);
                            answer.response.headers.push(("Location", location));
                            answer.response.body = bodies::accepted(&registration);
                        }
                        answer.outcome = Outcome::Begun(Box::new(registration));
                        answer
                    }
                    Err(refusal) => self.registration_refusal(now, refusal, &registration_id),
                }
            }
            Operation::Status {
                id_scope,
                registration_id,
                operation_id,
            } => {
                let found = self
                    .provisioning
                    .operation_status(now, id_scope, &registration_id, operation_id, proof)
                    .cloned();
                match found {
                    Ok(mut registration) => {
                        if course == Course::NeverEnds {
                            registration.state = RegistrationState::Assigning;
                        }
                        self.registration(now, &registration)
                    }
                    Err(refusal) => self.refusal(now, refusal),
                }
            }
            Operation::LookUp {
                id_scope,
                registration_id,
            } => {
                let found = self
                    .provisioning
                    .look_up(now, id_scope, &registration_id, proof)
                    .cloned();
                match found {
                    Ok(registration) => {
                        let body = bodies::result(&registration);
                        self.plain(now, 200, body)
                    }
                    Err(refusal) => self.refusal(now, refusal),
                }
            }
        }
    }

    /// The answer to bytes that are no request.
    pub(crate) fn malformed(&mut self, now: VirtualTime, error: RequestError) -> Answer {
        let status = error.status();
        self.error(now, status, u32::from(status) * 1000, &error.to_string())
    }

    /// An error answer with this status and code.
    pub(crate) fn error(
        &mut self,
        now: VirtualTime,
        status: u16,
        error_code: u32,
        message: &str,
    ) -> Answer {
        let body = bodies::error(
            error_code,
            &uuid(self.entropy),
            message,
            &self.epoch.round_trip(now),
        );
        let mut answer = self.plain(now, status, body);
        answer.error_code = Some(error_code);
        answer
            .response
            .headers
            .push(("x-ms-error-code", error_code.to_string()));
        answer
    }

    fn registration_refusal(&mut self, now: VirtualTime, refusal: Refusal, id: &str) -> Answer {
        let mut answer = self.refusal(now, refusal);
        answer.outcome = Outcome::Refused {
            registration_id: id.to_owned(),
        };
        answer
    }

    /// An error answer that says why a request is refused.
    pub(crate) fn refusal(&mut self, now: VirtualTime, refusal: Refusal) -> Answer {
        let mut answer = self.error(
            now,
            refusal.status(),
            refusal.error_code(),
            &refusal.to_string(),
        );
        if let Some(time) = refusal.retry_after() {
            let field = ("Retry-After", time.as_secs().to_string());
            answer.response.headers.push(field);
        }
        answer
    }

    fn route_error(&mut self, now: VirtualTime, error: &RouteError) -> Answer {
        let mut answer = match error {
            RouteError::Refused { refusal, .. } => self.refusal(now, *refusal),
            RouteError::NotFound => self.error(now, 404, 404_000, "Not found."),
            RouteError::Method { .. } => self.error(now, 405, 405_000, "Method not allowed."),
            RouteError::MediaType => self.error(now, 415, 415_000, "Unsupported media type."),
        };
        match error {
            RouteError::Method { allowed } => {
                let allow = ("Allow", (*allowed).to_owned());
                answer.response.headers.push(allow);
            }
            RouteError::Refused {
                registration_id: Some(registration_id),
                ..
            } => {
                answer.outcome = Outcome::Refused {
                    registration_id: registration_id.clone(),
                };
            }
            _ => {}
        }
        answer
    }

    fn registration(&mut self, now: VirtualTime, registration: &Registration) -> Answer {
        let body = bodies::operation(registration);
        match registration.state {
            RegistrationState::Assigning => {
                let mut answer = self.plain(now, 202, body);
                let seconds = self.behaviour.retry_after.as_secs().to_string();
                answer.response.headers.push(("Retry-After", seconds));
                answer
            }
            _ => self.plain(now, 200, body),
        }
    }

    /// An answer with this status and body.
    pub(crate) fn plain(&mut self, now: VirtualTime, status: u16, body: Vec<u8>) -> Answer {
        let headers = vec![
            ("Date", self.epoch.imf_fixdate(now)),
            ("Content-Type", "application/json; charset=utf-8".to_owned()),
            ("x-ms-request-id", uuid(self.entropy)),
            (
                "Strict-Transport-Security",
                "max-age=31536000; includeSubDomains".to_owned(),
            ),
        ];
        Answer {
            response: Response {
                status,
                headers,
                body,
            },
            error_code: None,
            outcome: Outcome::None,
        }
    }
}
