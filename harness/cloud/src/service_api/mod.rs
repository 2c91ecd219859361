//! The service API of the provisioning service over HTTP (REST reference, "Device Provisioning
//! Service"): enrolments, groups and registrations, for whoever owns the service.

mod bulk;
pub(crate) mod model;
mod query;
mod resource;
mod route;

use az3166_event::VirtualTime;
use rand_core::Rng;
use serde::de::DeserializeOwned;

use crate::behaviour::{ExistingEnrolment, KeysInReplies};
use crate::device_api::{self, Answer, DeviceApi};
use crate::http::Request;
use crate::provisioning::{Enrolment, EnrolmentGroup, Record};
use crate::sas::{AccessPolicy, SymmetricKeys};
use model::{Detail, Supplement};
use resource::Resource;
use route::{Action, Operation, RouteError};

pub(crate) use route::is_service_path;

/// The API and its surroundings.
pub(crate) struct ServiceApi<'a, R> {
    pub(crate) device_api: DeviceApi<'a, R>,
    /// Who may use it; nobody without one.
    pub(crate) policy: Option<&'a AccessPolicy>,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: u16,
    code: u32,
    message: String,
}

impl Refusal {
    /// *Unverified* number, for bodies and header fields that make no sense.
    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400_000, message)
    }

    fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            status: u16::try_from(code / 1000).unwrap_or(500),
            code,
            message: message.into(),
        }
    }
}

/// What a request must find for its change to be made (RFC 9110 section 13.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
enum Precondition {
    /// No record.
    Absent,
    /// Nothing in particular.
    None,
    /// A record, whichever version.
    Any,
    /// This version of the record.
    ETag(String),
}

impl Precondition {
    /// What an `If-Match` field says; its etag is quoted, or not, or weak.
    fn if_match(field: Option<&str>) -> Option<Self> {
        let etag = field?.trim();
        let etag = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
        Some(match etag {
            "*" => Self::Any,
            etag => Self::ETag(etag.to_owned()),
        })
    }
}

impl<R: Rng> ServiceApi<'_, R> {
    /// Answers a request that came in at `now`.
    pub(crate) fn answer(&mut self, now: VirtualTime, request: &Request) -> Answer {
        if let Err(refusal) = self.authorise(now, request) {
            return self.refused(now, &refusal);
        }
        if let Err(refusal) = self.device_api.provisioning.operate(now) {
            return self.device_api.refusal(now, refusal);
        }
        match route::route(request) {
            Ok(Operation::Enrolments(action)) => self.act::<Enrolment>(now, request, action),
            Ok(Operation::Groups(action)) => self.act::<EnrolmentGroup>(now, request, action),
            Ok(Operation::ReadRegistration(id)) => {
                let found = self.device_api.provisioning.registration(&id);
                match found.map(device_api::registration_result) {
                    Some(body) => self.device_api.plain(now, 200, body),
                    None => self.refused(now, &no_registration()),
                }
            }
            Ok(Operation::DeleteRegistration(id)) => {
                let result = self.delete_registration(request, &id);
                self.deleted(now, result)
            }
            Ok(Operation::QueryRegistrations(group)) => {
                let page = query::registrations(self.device_api.provisioning, &group, request);
                self.page(now, page)
            }
            Err(RouteError::Certificates) => {
                let message = "Not found: this service keeps no certificates; give those of an \
                    enrollment group in attestation.x509.signingCertificates.";
                self.device_api.error(now, 404, 404_000, message)
            }
            Err(RouteError::NotFound) => self.device_api.error(now, 404, 404_000, "Not found."),
            Err(RouteError::Method { allowed }) => {
                let mut answer = self
                    .device_api
                    .error(now, 405, 405_000, "Method not allowed.");
                let allow = ("Allow", allowed.to_owned());
                answer.response.headers.push(allow);
                answer
            }
            Err(RouteError::ApiVersion) => {
                self.refused(now, &Refusal::bad_request("api-version is missing"))
            }
        }
    }

    fn authorise(&self, now: VirtualTime, request: &Request) -> Result<(), Refusal> {
        let refused = |reason: &dyn core::fmt::Display| {
            Err(Refusal::new(401_000, format!("Unauthorized: {reason}.")))
        };
        let Some(policy) = self.policy else {
            return refused(&"the service has no shared access policy");
        };
        let since_1970 = self.device_api.epoch.since_1970(now);
        let token = request.header("authorization");
        match policy.admit(token, self.device_api.host, since_1970) {
            Ok(()) => Ok(()),
            Err(refusal) => refused(&refusal),
        }
    }

    fn act<T: Resource>(&mut self, now: VirtualTime, request: &Request, action: Action) -> Answer {
        match action {
            Action::Put(id) => match self.put::<T>(request, &id) {
                Ok(record) => self.record(now, &record),
                Err(refusal) => self.refused(now, &refusal),
            },
            Action::Get(id) => match T::find(self.device_api.provisioning, &id).cloned() {
                Some(record) => self.record(now, &record),
                None => self.refused(now, &not_found()),
            },
            Action::Delete(id) => {
                let condition = Precondition::if_match(request.header("if-match"));
                let condition = condition.unwrap_or(Precondition::None);
                let result = self.delete::<T>(&id, &condition);
                self.deleted(now, result)
            }
            Action::Mechanism(id) => match T::find(self.device_api.provisioning, &id) {
                Some(record) => {
                    let body = encode(&T::mechanism(&record.value));
                    self.device_api.plain(now, 200, body)
                }
                None => self.refused(now, &not_found()),
            },
            Action::Query => {
                let detail = self.query_detail();
                let page = query::records::<T>(self.device_api.provisioning, request, detail);
                self.page(now, page)
            }
            Action::Bulk => match json(request).and_then(|body| self.bulk::<T>(body)) {
                Ok(result) => self.device_api.plain(now, 200, encode(&result)),
                Err(refusal) => self.refused(now, &refusal),
            },
        }
    }

    fn put<T: Resource>(&mut self, request: &Request, id: &str) -> Result<Record<T>, Refusal> {
        let model: T::Model = json(request)?;
        if !T::id(&model).eq_ignore_ascii_case(id) {
            let message = format!("{} differs between path and body", T::ID);
            return Err(Refusal::bad_request(message));
        }
        let condition = Precondition::if_match(request.header("if-match"));
        self.store::<T>(model, &condition.unwrap_or(Precondition::Absent))
    }

    /// Puts a record, if what there is meets `condition`.
    fn store<T: Resource>(
        &mut self,
        model: T::Model,
        condition: &Precondition,
    ) -> Result<Record<T>, Refusal> {
        let id = T::id(&model).to_owned();
        let provisioning = &mut *self.device_api.provisioning;
        let former = T::find(provisioning, &id);
        self::check(
            former,
            condition,
            self.device_api.behaviour.existing_enrolment,
        )?;
        let keys = Some(SymmetricKeys::generate(self.device_api.entropy));
        let supplement = Supplement {
            former: former.map(|record| T::attestation(&record.value)),
            keys,
        };
        let value = T::read(model, supplement).map_err(|error| bad(&error))?;
        T::put(provisioning, value).map_err(|error| match error {
            crate::provisioning::EnrolError::RegistrationId(error) => {
                Refusal::new(400_004, error.to_string())
            }
            other => bad(&other),
        })?;
        let stored = T::find(provisioning, &id).cloned();
        stored.ok_or_else(not_found)
    }

    /// Deletes a record, if it meets `condition`.
    fn delete<T: Resource>(&mut self, id: &str, condition: &Precondition) -> Result<(), Refusal> {
        let provisioning = &mut *self.device_api.provisioning;
        let former = T::find(provisioning, id).ok_or_else(not_found)?;
        let existing = self.device_api.behaviour.existing_enrolment;
        check(Some(former), condition, existing)?;
        T::remove(provisioning, id);
        Ok(())
    }

    fn delete_registration(&mut self, request: &Request, id: &str) -> Result<(), Refusal> {
        let provisioning = &mut *self.device_api.provisioning;
        let found = provisioning.registration(id).ok_or_else(no_registration)?;
        match Precondition::if_match(request.header("if-match")) {
            Some(Precondition::ETag(etag)) if etag != found.etag => return Err(stale()),
            _ => {}
        }
        provisioning.remove_registration(id);
        Ok(())
    }

    fn record<T: Resource>(&mut self, now: VirtualTime, record: &Record<T>) -> Answer {
        let detail = match self.device_api.behaviour.keys_in_replies {
            KeysInReplies::Never => Detail::ReplyWithoutKeys,
            KeysInReplies::NotInQueries | KeysInReplies::Always => Detail::Reply,
        };
        let body = encode(&T::json(self.device_api.provisioning, record, detail));
        let mut answer = self.device_api.plain(now, 200, body);
        let etag = ("ETag", format!("\"{}\"", record.revision.etag));
        answer.response.headers.push(etag);
        answer
    }

    fn query_detail(&self) -> Detail {
        match self.device_api.behaviour.keys_in_replies {
            KeysInReplies::Always => Detail::Reply,
            KeysInReplies::Never | KeysInReplies::NotInQueries => Detail::ReplyWithoutKeys,
        }
    }

    fn page(&mut self, now: VirtualTime, page: Result<query::Page, Refusal>) -> Answer {
        match page {
            Ok(page) => {
                let mut answer = self.device_api.plain(now, 200, encode(&page.items));
                let headers = &mut answer.response.headers;
                headers.push(("x-ms-item-type", page.item_type.to_owned()));
                headers.extend(page.continuation.map(|token| ("x-ms-continuation", token)));
                answer
            }
            Err(refusal) => self.refused(now, &refusal),
        }
    }

    fn deleted(&mut self, now: VirtualTime, result: Result<(), Refusal>) -> Answer {
        match result {
            Ok(()) => {
                let mut answer = self.device_api.plain(now, 204, Vec::new());
                let headers = &mut answer.response.headers;
                headers.retain(|(name, _)| *name != "Content-Type");
                answer
            }
            Err(refusal) => self.refused(now, &refusal),
        }
    }

    fn refused(&mut self, now: VirtualTime, refusal: &Refusal) -> Answer {
        self.device_api
            .error(now, refusal.status, refusal.code, &refusal.message)
    }
}

/// Whether what there is meets `condition`.
fn check<T>(
    former: Option<&Record<T>>,
    condition: &Precondition,
    existing: ExistingEnrolment,
) -> Result<(), Refusal> {
    match (former, condition) {
        (Some(_), Precondition::Absent) => Err(match existing {
            ExistingEnrolment::Conflict => Refusal::new(409_201, "Enrollment already exists."),
            ExistingEnrolment::PreconditionFailed => stale(),
        }),
        (None, Precondition::Any | Precondition::ETag(_)) => Err(not_found()),
        (Some(record), Precondition::ETag(etag)) if *etag != record.revision.etag => Err(stale()),
        _ => Ok(()),
    }
}

fn not_found() -> Refusal {
    Refusal::new(404_201, "Enrollment not found.")
}

fn no_registration() -> Refusal {
    Refusal::new(404_202, "Registration not found.")
}

/// *Unverified* number.
fn stale() -> Refusal {
    Refusal::new(412_000, "Precondition failed.")
}

fn bad(error: &dyn core::fmt::Display) -> Refusal {
    Refusal::bad_request(format!("Bad request: {error}."))
}

/// The request's body. The parser's own words may quote it, and so a key: they are left out.
fn json<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    let media_type = request.header("content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(415_000, "Unsupported media type."));
    }
    serde_json::from_slice(&request.body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Refusal::bad_request(format!(
            "Bad request: the body is not what belongs here (line {line}, column {column})."
        ))
    })
}

fn encode(body: &impl serde::Serialize) -> Vec<u8> {
    // These bodies are trees of strings and numbers, which JSON can always hold.
    serde_json::to_vec(body).unwrap_or_default()
}
