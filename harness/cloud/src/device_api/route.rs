//! From a request line to the operation that it asks for.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::bodies::{DeviceRegistration, TpmKeys};
use crate::http::Request;
use crate::percent;
use crate::provisioning::{Refusal, TpmIdentity};

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// Register a device.
    Register {
        id_scope: &'a str,
        registration_id: Cow<'a, str>,
        /// The TPM that the device says it has.
        tpm: Option<TpmIdentity>,
    },
    /// Tell how an operation goes.
    Status {
        id_scope: &'a str,
        registration_id: Cow<'a, str>,
        operation_id: &'a str,
    },
    /// Tell what is known of a registration.
    LookUp {
        id_scope: &'a str,
        registration_id: Cow<'a, str>,
    },
}

/// Why a request asks for nothing that there is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RouteError {
    /// The path leads nowhere.
    NotFound,
    /// The path is known, the method is not.
    Method {
        /// Which one is.
        allowed: &'static str,
    },
    /// The body is said not to be JSON.
    MediaType,
    /// The service refuses it.
    Refused {
        refusal: Refusal,
        /// The id, where it was a register request.
        registration_id: Option<String>,
    },
}

/// Whether this asks to register a device.
pub(crate) fn is_register(method: &str, path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    method == "PUT" && path.ends_with("/register")
}

/// Finds the operation; a slash at the end of the path changes nothing.
pub(super) fn route(request: &Request) -> Result<Operation<'_>, RouteError> {
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    let (mut operation, named, method) = match *segments.as_slice() {
        [id_scope, "registrations", id, "register"] => (
            Operation::Register {
                id_scope,
                registration_id: percent::decoded(id),
                tpm: None,
            },
            Some(percent::decoded(id)),
            "PUT",
        ),
        [id_scope, "registrations", id, "operations", operation_id] => (
            Operation::Status {
                id_scope,
                registration_id: percent::decoded(id),
                operation_id,
            },
            None,
            "GET",
        ),
        [id_scope, "registrations", id] => (
            Operation::LookUp {
                id_scope,
                registration_id: percent::decoded(id),
            },
            Some(percent::decoded(id)),
            "POST",
        ),
        _ => return Err(RouteError::NotFound),
    };
    if request.method != method {
        return Err(RouteError::Method { allowed: method });
    }
    let refused = |refusal| RouteError::Refused {
        refusal,
        registration_id: named
            .as_deref()
            .filter(|_| method == "PUT")
            .map(str::to_owned),
    };
    if request
        .query_parameter("api-version")
        .is_none_or(str::is_empty)
    {
        return Err(refused(Refusal::BadRequest("api-version is missing")));
    }
    if let Some(registration_id) = &named {
        let keys = body(request, registration_id, refused)?.tpm;
        if let (Operation::Register { tpm, .. }, Some(keys)) = (&mut operation, keys) {
            *tpm = Some(
                identity(&keys)
                    .ok_or_else(|| refused(Refusal::BadRequest("a TPM key is not base64")))?,
            );
        }
    }
    Ok(operation)
}

/// Checks the body of a register or look-up request. That of a status request is ignored: SDKs
/// send none, a space, `{}` or the register body again.
fn body(
    request: &Request,
    registration_id: &str,
    refused: impl Fn(Refusal) -> RouteError,
) -> Result<DeviceRegistration, RouteError> {
    let media_type = request.header("content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(RouteError::MediaType);
    }
    let body: DeviceRegistration = serde_json::from_slice(&request.body)
        .map_err(|_| refused(Refusal::BadRequest("the body is not a DeviceRegistration")))?;
    match &body.registration_id {
        Some(named) if named != registration_id => Err(refused(Refusal::BadRequest(
            "registrationId differs between path and body",
        ))),
        _ => Ok(body),
    }
}

fn identity(keys: &TpmKeys) -> Option<TpmIdentity> {
    let root = keys.storage_root_key.as_ref();
    Some(TpmIdentity {
        endorsement_key: STANDARD.decode(&keys.endorsement_key).ok()?,
        storage_root_key: match root {
            Some(root) => Some(STANDARD.decode(root).ok()?),
            None => None,
        },
    })
}
