//! From a request line to the operation that it asks for.

use crate::http::Request;
use crate::percent;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Something about individual enrolments.
    Enrolments(Action),
    /// Something about enrolment groups.
    Groups(Action),
    /// Tell what is known of a registration.
    ReadRegistration(String),
    /// Forget a registration.
    DeleteRegistration(String),
    /// List the registrations of a group.
    QueryRegistrations(String),
}

/// What is done to enrolments or groups.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Create or update one.
    Put(String),
    /// Show one.
    Get(String),
    /// Delete one.
    Delete(String),
    /// Show how its devices prove who they are, with all keys.
    Mechanism(String),
    /// List them.
    Query,
    /// Create, update or delete several.
    Bulk,
}

/// Why a request asks for nothing that there is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RouteError {
    /// The path leads nowhere.
    NotFound,
    /// The path is known, the method is not.
    Method {
        /// Which ones are.
        allowed: &'static str,
    },
    /// There is no `api-version`.
    ApiVersion,
    /// The service keeps no certificates.
    Certificates,
}

/// Whether a path is one of the service API and not of the device API, whose paths begin with an
/// ID scope.
pub(crate) fn is_service_path(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    matches!(
        first,
        Some("enrollments" | "enrollmentGroups" | "registrations" | "certificates")
    )
}

/// Finds the operation; a slash at the end of the path changes nothing.
pub(super) fn route(request: &Request) -> Result<Operation, RouteError> {
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    let method = request.method.as_str();
    let decoded = |id: &str| percent::decoded(id).into_owned();
    let operation = match *segments.as_slice() {
        ["enrollments", ref rest @ ..] => Operation::Enrolments(action(method, rest)?),
        ["enrollmentGroups", ref rest @ ..] => Operation::Groups(action(method, rest)?),
        ["registrations", id] => match method {
            "GET" => Operation::ReadRegistration(decoded(id)),
            "DELETE" => Operation::DeleteRegistration(decoded(id)),
            _ => {
                return Err(RouteError::Method {
                    allowed: "GET, DELETE",
                });
            }
        },
        ["registrations", group, "query"] => match method {
            "POST" => Operation::QueryRegistrations(decoded(group)),
            _ => return Err(RouteError::Method { allowed: "POST" }),
        },
        ["certificates", ..] => return Err(RouteError::Certificates),
        _ => return Err(RouteError::NotFound),
    };
    let version = request.query_parameter("api-version");
    if version.is_none_or(str::is_empty) {
        return Err(RouteError::ApiVersion);
    }
    Ok(operation)
}

fn action(method: &str, rest: &[&str]) -> Result<Action, RouteError> {
    let decoded = |id: &str| percent::decoded(id).into_owned();
    Ok(match (rest, method) {
        ([], "POST") => Action::Bulk,
        (["query"], "POST") => Action::Query,
        ([id, "attestationmechanism"], "POST") => Action::Mechanism(decoded(id)),
        ([id], "PUT") => Action::Put(decoded(id)),
        ([id], "GET") => Action::Get(decoded(id)),
        ([id], "DELETE") => Action::Delete(decoded(id)),
        ([] | [_, "attestationmechanism"], _) => {
            return Err(RouteError::Method { allowed: "POST" });
        }
        ([_], _) => {
            return Err(RouteError::Method {
                allowed: "PUT, GET, DELETE",
            });
        }
        _ => return Err(RouteError::NotFound),
    })
}
