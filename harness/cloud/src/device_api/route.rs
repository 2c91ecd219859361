//! From a request line to the operation that it asks for.

use std::borrow::Cow;

use super::bodies::DeviceRegistration;
use crate::http::Request;
use crate::provisioning::Refusal;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// Register a device.
    Register {
        id_scope: &'a str,
        registration_id: Cow<'a, str>,
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
    let (operation, named, method) = match *segments.as_slice() {
        [id_scope, "registrations", id, "register"] => (
            Operation::Register {
                id_scope,
                registration_id: percent_decoded(id),
            },
            Some(percent_decoded(id)),
            "PUT",
        ),
        [id_scope, "registrations", id, "operations", operation_id] => (
            Operation::Status {
                id_scope,
                registration_id: percent_decoded(id),
                operation_id,
            },
            None,
            "GET",
        ),
        [id_scope, "registrations", id] => (
            Operation::LookUp {
                id_scope,
                registration_id: percent_decoded(id),
            },
            Some(percent_decoded(id)),
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
        body(request, registration_id, refused)?;
    }
    Ok(operation)
}

/// Checks the body of a register or look-up request. That of a status request is ignored: SDKs
/// send none, a space, `{}` or the register body again.
fn body(
    request: &Request,
    registration_id: &str,
    refused: impl Fn(Refusal) -> RouteError,
) -> Result<(), RouteError> {
    let media_type = request.header("content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(RouteError::MediaType);
    }
    let body: DeviceRegistration = serde_json::from_slice(&request.body)
        .map_err(|_| refused(Refusal::BadRequest("the body is not a DeviceRegistration")))?;
    match body.registration_id {
        Some(named) if named != registration_id => Err(refused(Refusal::BadRequest(
            "registrationId differs between path and body",
        ))),
        _ => Ok(()),
    }
}

/// A path segment with its percent-encoded bytes decoded (RFC 3986 section 2.1). What cannot be
/// decoded stays, and is no registration id then.
fn percent_decoded(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        let decoded = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| hex::decode(digits).ok());
        match decoded {
            Some(decoded) => {
                bytes.extend(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(segment),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("az-1", "az-1")]
    #[case("a%3Ab", "a:b")]
    #[case("a%3ab%", "a:b%")]
    #[case("%zz", "%zz")]
    #[case("%", "%")]
    #[case("%ff", "%ff")]
    #[case("%2e%2E%2f", "../")]
    fn segments(#[case] segment: &str, #[case] expected: &str) {
        assert_eq!(percent_decoded(segment), expected);
    }
}
