//! A hub's HTTP interfaces: its registry and service API for the back end (IoT Hub REST reference,
//! "Service"), and telemetry and messages for devices ("Device").

mod bodies;
mod condition;
mod device;
mod methods;
mod query;
mod registry;
mod route;

use az3166_event::{CloudEvent, VirtualTime};
use rand_core::Rng;
use serde::Serialize;

use crate::clock::Epoch;
use crate::device_api::{Answer, Outcome};
use crate::http::{Request, Response};
use crate::hub::{CallEnd, DeviceKey, Hubs, RegistryError, Shown};
use crate::provisioning::uuid;
use crate::sas::AccessPolicy;
use route::{Operation, RouteError};

/// The surroundings of a request.
pub(crate) struct RegistryApi<'a, R> {
    pub(crate) hubs: &'a mut Hubs,
    pub(crate) policy: Option<&'a AccessPolicy>,
    pub(crate) epoch: Epoch,
    pub(crate) entropy: &'a mut R,
    /// The hub's host name.
    pub(crate) hub: &'a str,
    /// The number of the connection that the request came by.
    pub(crate) connection: u32,
    pub(crate) shown: Shown<'a>,
}

/// What becomes of a request.
pub(crate) enum Reply {
    /// This is the answer, and what there is to note.
    Now(Box<Answer>, Option<Box<CloudEvent>>),
    /// The answer is the end of a method's call.
    Later,
}

/// An error: the hub's code, its name and the service's words.
#[derive(Debug)]
struct Failure {
    code: u32,
    name: &'static str,
    message: String,
}

impl Failure {
    fn new(code: u32, name: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            name,
            message,
        }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400_004, "ArgumentInvalid", message)
    }

    fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401_002, "IotHubUnauthorizedAccess", message)
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        let (code, name) = error.code();
        Self::new(code, name, error.to_string())
    }
}

impl<R: Rng> RegistryApi<'_, R> {
    /// Answers a request that came in at `now`.
    pub(crate) fn answer(&mut self, now: VirtualTime, request: &Request) -> Reply {
        let operation = match route::route(request) {
            Ok(operation) => operation,
            Err(error) => return Reply::Now(Box::new(self.route_error(now, &error)), None),
        };
        match self.perform(now, request, operation) {
            Ok(reply) => reply,
            Err(failure) => Reply::Now(Box::new(self.failure(now, &failure)), None),
        }
    }

    fn perform(
        &mut self,
        now: VirtualTime,
        request: &Request,
        operation: Operation<'_>,
    ) -> Result<Reply, Failure> {
        let plain = |answer| Reply::Now(Box::new(answer), None);
        match operation {
            Operation::Device { id, what } => self.device(now, &self.key(&id), what, request),
            Operation::Registry(what) => {
                self.authorize(now, request)?;
                self.registry(now, what, request).map(plain)
            }
            Operation::Query => {
                self.authorize(now, request)?;
                self.query(now, request).map(plain)
            }
            Operation::Method { id } => {
                self.authorize(now, request)?;
                self.call(now, &self.key(&id), request)?;
                Ok(Reply::Later)
            }
        }
    }

    /// The answer to a method's call.
    pub(crate) fn call_end(&mut self, now: VirtualTime, end: &CallEnd) -> Answer {
        match &end.result {
            Ok(result) => self.json(now, 200, &methods::answer(result)),
            Err(error) => {
                let name = match error.code() {
                    404_103 => "DeviceNotOnline",
                    504_101 => "GatewayTimeout",
                    _ => "InvalidResponse",
                };
                let failure = Failure::new(error.code(), name, error.to_string());
                self.failure(now, &failure)
            }
        }
    }

    /// Only who has the hub's policy may go on.
    fn authorize(&self, now: VirtualTime, request: &Request) -> Result<(), Failure> {
        let policy = self
            .policy
            .ok_or_else(|| Failure::unauthorized("The hub has no shared access policy."))?;
        policy
            .admit(
                request.header("authorization"),
                self.hub,
                self.epoch.since_1970(now),
            )
            .map_err(|refusal| Failure::unauthorized(format!("Unauthorized: {refusal}")))
    }

    fn key(&self, id: &str) -> DeviceKey {
        DeviceKey::new(self.hub, id)
    }

    fn json(&mut self, now: VirtualTime, status: u16, body: &impl Serialize) -> Answer {
        // These are trees of strings and numbers, which JSON can always hold.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let mut answer = self.empty(now, status);
        let content_type = "application/json; charset=utf-8".to_owned();
        answer.response.headers.push(("Content-Type", content_type));
        answer.response.body = body;
        answer
    }

    fn empty(&mut self, now: VirtualTime, status: u16) -> Answer {
        Answer {
            response: Response {
                status,
                headers: vec![
                    ("Date", self.epoch.imf_fixdate(now)),
                    ("Server", "Microsoft-HTTPAPI/2.0".to_owned()),
                    ("x-ms-request-id", uuid(self.entropy)),
                ],
                body: Vec::new(),
            },
            error_code: None,
            outcome: Outcome::None,
        }
    }

    /// An error in the hub's form.
    fn failure(&mut self, now: VirtualTime, failure: &Failure) -> Answer {
        let status = u16::try_from(failure.code / 1000).unwrap_or(500);
        let tracking_id = uuid(self.entropy);
        let timestamp = self.epoch.round_trip(now);
        let mut answer = self.json(
            now,
            status,
            &serde_json::json!({
                "Message": format!("ErrorCode:{};{}", failure.name, failure.message),
                "ExceptionMessage": format!("Tracking ID:{tracking_id}-TimeStamp:{timestamp}"),
                "errorCode": failure.code,
                "trackingId": tracking_id,
                "message": failure.message,
                "timestampUtc": timestamp,
            }),
        );
        let name = failure.name.to_owned();
        answer.response.headers.push(("iothub-errorcode", name));
        answer.error_code = Some(failure.code);
        answer
    }

    fn route_error(&mut self, now: VirtualTime, error: &RouteError) -> Answer {
        let failure = match error {
            RouteError::NotFound => Failure::new(404_000, "NotFound", "There is no such path."),
            RouteError::Method { .. } => {
                Failure::new(405_000, "MethodNotAllowed", "The path has no such method.")
            }
            RouteError::ApiVersion => Failure::bad_request("api-version is missing."),
        };
        let mut answer = self.failure(now, &failure);
        if let RouteError::Method { allowed } = error {
            answer
                .response
                .headers
                .push(("Allow", (*allowed).to_owned()));
        }
        answer
    }
}
