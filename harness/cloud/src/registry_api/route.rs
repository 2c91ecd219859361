//! From a request line to the operation that it asks for.

use crate::http::Request;
use crate::percent;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// A device wants something.
    Device {
        id: String,
        what: DeviceOperation<'a>,
    },
    /// The back end wants something of the registry.
    Registry(RegistryOperation),
    /// The back end asks for the twins of devices.
    Query,
    /// The back end calls a device's method.
    Method { id: String },
}

/// What a device wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeviceOperation<'a> {
    /// To send telemetry.
    Post,
    /// To fetch a message.
    Receive,
    /// To settle one for good.
    Settle { lock_token: &'a str },
    /// To get one later again.
    Abandon { lock_token: &'a str },
}

/// What the back end wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RegistryOperation {
    List,
    Get {
        id: String,
    },
    Put {
        id: String,
    },
    Delete {
        id: String,
    },
    GetTwin {
        id: String,
    },
    PatchTwin {
        id: String,
    },
    PutTwin {
        id: String,
    },
    /// To send a message; the device stands in a header field or in the path.
    Send {
        id: Option<String>,
    },
    Statistics,
    ServiceStatistics,
}

/// Why a request asks for nothing that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RouteError {
    /// The path leads nowhere.
    NotFound,
    /// The path is known, the method is not.
    Method {
        /// Which ones are.
        allowed: &'static str,
    },
    /// There is no api-version.
    ApiVersion,
}

/// Finds the operation; a slash at the end of the path changes nothing.
pub(super) fn route(request: &Request) -> Result<Operation<'_>, RouteError> {
    use RegistryOperation as R;
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    let decoded = |id: &str| percent::decoded(id).into_owned();
    let method = request.method.as_str();
    let device = |id: &str, what| {
        let id = decoded(id);
        Ok(Operation::Device { id, what })
    };
    let of = |operation| Ok(Operation::Registry(operation));
    let allowed = |allowed| Err(RouteError::Method { allowed });
    let operation = match (segments.as_slice(), method) {
        (["devices", id, "messages", "events"], "POST") => device(id, DeviceOperation::Post),
        (["devices", _, "messages", "events"], _) => allowed("POST"),
        (["devices", id, "messages", kind], "GET") if is_bound(kind) => {
            device(id, DeviceOperation::Receive)
        }
        (["devices", id, "messages", kind], "POST") if is_bound(kind) => of(R::Send {
            id: Some(decoded(id)),
        }),
        (["devices", _, "messages", kind], _) if is_bound(kind) => allowed("GET, POST"),
        (["devices", id, "messages", kind, lock_token], "DELETE") if is_bound(kind) => {
            device(id, DeviceOperation::Settle { lock_token })
        }
        (["devices", _, "messages", kind, _], _) if is_bound(kind) => allowed("DELETE"),
        (["devices", id, "messages", kind, lock_token, "abandon"], "POST") if is_bound(kind) => {
            device(id, DeviceOperation::Abandon { lock_token })
        }
        (["devices", "query"], "POST") => Ok(Operation::Query),
        (["devices"], "GET") => of(R::List),
        (["devices"], _) => allowed("GET"),
        (["devices", id], "GET") => of(R::Get { id: decoded(id) }),
        (["devices", id], "PUT") => of(R::Put { id: decoded(id) }),
        (["devices", id], "DELETE") => of(R::Delete { id: decoded(id) }),
        (["devices", _], _) => allowed("GET, PUT, DELETE"),
        (["twins", id], "GET") => of(R::GetTwin { id: decoded(id) }),
        (["twins", id], "PATCH") => of(R::PatchTwin { id: decoded(id) }),
        (["twins", id], "PUT") => of(R::PutTwin { id: decoded(id) }),
        (["twins", _], _) => allowed("GET, PATCH, PUT"),
        (["twins", id, "methods"], "POST") => Ok(Operation::Method { id: decoded(id) }),
        (["twins", _, "methods"], _) => allowed("POST"),
        (["messages", kind], "POST") if is_bound(kind) => of(R::Send { id: None }),
        (["statistics", "devices"], "GET") => of(R::Statistics),
        (["statistics", "service"], "GET") => of(R::ServiceStatistics),
        _ => Err(RouteError::NotFound),
    }?;
    match request.query_parameter("api-version") {
        None | Some("") => Err(RouteError::ApiVersion),
        Some(_) => Ok(operation),
    }
}

/// Clients spell it in two ways.
fn is_bound(segment: &str) -> bool {
    segment.eq_ignore_ascii_case("devicebound")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn registry(operation: RegistryOperation) -> Result<String, RouteError> {
        Ok(format!("{:?}", Operation::Registry(operation)))
    }

    fn device(id: &str, what: DeviceOperation<'_>) -> Result<String, RouteError> {
        let id = id.to_owned();
        Ok(format!("{:?}", Operation::Device { id, what }))
    }

    #[rstest]
    #[case("GET", "/devices/", registry(RegistryOperation::List))]
    #[case("GET", "/devices", registry(RegistryOperation::List))]
    #[case("PUT", "/devices/a%23b", registry(RegistryOperation::Put { id: "a#b".into() }))]
    #[case("PATCH", "/twins/a", registry(RegistryOperation::PatchTwin { id: "a".into() }))]
    #[case("POST", "/messages/deviceBound", registry(RegistryOperation::Send { id: None }))]
    #[case(
        "POST",
        "/devices/a/messages/events",
        device("a", DeviceOperation::Post)
    )]
    #[case(
        "GET",
        "/devices/a/messages/devicebound",
        device("a", DeviceOperation::Receive)
    )]
    #[case("DELETE", "/devices/a/messages/deviceBound/7", device("a", DeviceOperation::Settle { lock_token: "7" }))]
    #[case("POST", "/devices/a", Err(RouteError::Method { allowed: "GET, PUT, DELETE" }))]
    #[case("GET", "/jobs", Err(RouteError::NotFound))]
    #[case("GET", "/", Err(RouteError::NotFound))]
    fn routes(
        #[case] method: &str,
        #[case] path: &str,
        #[case] expected: Result<String, RouteError>,
    ) {
        let query = "top=10&api-version=2021-04-12".to_owned();
        let request = Request::new(method, path.to_owned(), query, vec![], vec![]);
        let found = route(&request).map(|operation| format!("{operation:?}"));
        assert_eq!(found, expected);
        let request = Request::new(method, path.to_owned(), String::new(), vec![], vec![]);
        assert!(route(&request).is_err(), "no api-version");
    }
}
