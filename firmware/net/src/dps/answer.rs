//! What DPS says in the body of an answer.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::failure::{Failure, FailureKind};
use crate::http::Response;
use crate::json::Document;
use crate::text::Foreign;

/// The longest id that DPS gives out: operation ids have about 60 characters, device ids at most
/// 128.
const MAX_ID: usize = 128;
/// The longest host name (RFC 1035 section 2.3.4).
const MAX_HOST: usize = 253;

/// Where the device belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Host name of the IoT Hub.
    pub hub: String,
    /// The device's id in that hub.
    pub device_id: String,
}

/// The state of the registration in a successful (2xx) answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// DPS is still working on it.
    Assigning {
        /// What to ask for next, when the answer names it.
        operation_id: Option<String>,
    },
    /// Done.
    Assigned(Assignment),
    /// Refused after all; holds the error for the user.
    Failed(String),
    /// The enrolment exists but is switched off.
    Disabled,
}

/// Reads a 2xx answer.
///
/// # Errors
/// [`FailureKind::DpsResponse`] when it is no JSON or lacks what belongs to its status.
pub(super) fn status(body: &[u8]) -> Result<Status, Failure> {
    let document =
        Document::parse(body).map_err(|error| invalid(format!("the answer is {error}")))?;
    let status = document
        .string(&["status"])
        .ok_or_else(|| invalid("the answer has no status"))?;
    match status.as_str() {
        "assigning" | "unassigned" => {
            let operation_id = document
                .string(&["operationId"])
                .filter(|id| !id.is_empty());
            if operation_id
                .as_deref()
                .is_some_and(|id| !is_operation_id(id))
            {
                return Err(invalid("the operation id of the answer is unusable"));
            }
            Ok(Status::Assigning { operation_id })
        }
        "assigned" => {
            let hub = document
                .string(&["registrationState", "assignedHub"])
                .filter(|hub| is_host(hub))
                .ok_or_else(|| invalid("the assigned hub is missing or no host name"))?;
            let device_id = document
                .string(&["registrationState", "deviceId"])
                .filter(|id| is_device_id(id))
                .ok_or_else(|| invalid("the assigned device id is missing or unusable"))?;
            Ok(Status::Assigned(Assignment { hub, device_id }))
        }
        "failed" => Ok(Status::Failed(
            ErrorText {
                code: document.number(&["registrationState", "errorCode"]),
                message: document.string(&["registrationState", "errorMessage"]),
            }
            .for_person(),
        )),
        "disabled" => Ok(Status::Disabled),
        other => Err(invalid(format!(
            "the status {} is unknown",
            Foreign {
                text: other,
                limit: 32
            }
        ))),
    }
}

/// Describes an answer whose HTTP status is an error: `HTTP 401, errorCode 401002: message`.
pub(super) fn http_error(response: &Response) -> String {
    let document = Document::parse(&response.body).ok();
    let error = ErrorText {
        code: document.and_then(|document| document.number(&["errorCode"])),
        message: document.and_then(|document| document.string(&["message"])),
    };
    format!("HTTP {}{error}", response.status)
}

struct ErrorText<'a> {
    code: Option<&'a str>,
    message: Option<String>,
}

impl ErrorText<'_> {
    fn for_person(&self) -> String {
        let text = format!("{self}");
        match text.strip_prefix(", ") {
            Some(text) => text.into(),
            None => "without an error code".into(),
        }
    }
}

impl fmt::Display for ErrorText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = self.code {
            write!(
                f,
                ", errorCode {}",
                Foreign {
                    text: code,
                    limit: 12
                }
            )?;
        }
        match &self.message {
            Some(message) if self.code.is_some() => {
                write!(
                    f,
                    ": {}",
                    Foreign {
                        text: message,
                        limit: 80
                    }
                )
            }
            Some(message) => write!(
                f,
                ", {}",
                Foreign {
                    text: message,
                    limit: 80
                }
            ),
            None => Ok(()),
        }
    }
}

pub(super) fn invalid(reason: impl Into<String>) -> Failure {
    Failure::new(FailureKind::DpsResponse, reason)
}

fn is_operation_id(id: &str) -> bool {
    id.len() <= MAX_ID
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn is_host(host: &str) -> bool {
    (1..=MAX_HOST).contains(&host.len())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

/// The characters of IoT Hub device ids, without those that have a meaning in MQTT topics.
fn is_device_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.%_*?!(),:=@$'".contains(&byte))
}
