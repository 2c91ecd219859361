//! The topics.

use super::Client;
use crate::http::Request;

/// What a client subscribes to for the answers.
pub(crate) const RESPONSES: &str = "$dps/registrations/res/#";

const REGISTER: &str = "$dps/registrations/PUT/iotdps-register/";
const STATUS: &str = "$dps/registrations/GET/iotdps-get-operationstatus/";

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    operation: Operation<'a>,
    /// To be repeated in the answer.
    pub(crate) request_id: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation<'a> {
    Register,
    Status { operation_id: &'a str },
}

/// Why a topic asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TopicError {
    /// The provisioning service has no such topic.
    #[error("the provisioning service has no such topic")]
    Unknown,
    /// The topic has no `{0}`.
    #[error("the topic has no `{0}`")]
    Missing(&'static str),
}

impl<'a> Asked<'a> {
    /// Reads a topic.
    pub(crate) fn parse(topic: &'a str) -> Result<Self, TopicError> {
        let (query, registers) = match (topic.strip_prefix(REGISTER), topic.strip_prefix(STATUS)) {
            (Some(query), _) => (query, true),
            (None, Some(query)) => (query, false),
            (None, None) => return Err(TopicError::Unknown),
        };
        let query = query.strip_prefix('?').ok_or(TopicError::Unknown)?;
        let parameter = |name| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(own, _)| *own == name)
                .map(|(_, value)| value)
                .ok_or(TopicError::Missing(name))
        };
        Ok(Self {
            operation: match registers {
                true => Operation::Register,
                false => Operation::Status {
                    operation_id: parameter("operationId")?,
                },
            },
            request_id: parameter("$rid")?,
        })
    }

    /// The same in the words of the HTTP interface. What a status request carries is not looked
    /// at: clients send the register body again, a space, or nothing.
    pub(crate) fn request(&self, client: &Client, payload: &[u8]) -> Request {
        let registration = format!(
            "/{}/registrations/{}",
            client.id_scope, client.registration_id
        );
        let (method, path) = match self.operation {
            Operation::Register => ("PUT", format!("{registration}/register")),
            Operation::Status { operation_id } => {
                ("GET", format!("{registration}/operations/{operation_id}"))
            }
        };
        Request::new(
            method,
            path,
            format!("api-version={}", client.api_version),
            vec![("Content-Type".to_owned(), "application/json".to_owned())],
            payload.to_vec(),
        )
    }
}

/// The topic of the answer.
pub(crate) fn response_topic(status: u16, request_id: &str, retry_after: Option<&str>) -> String {
    let retry_after = retry_after.map_or_else(String::new, |value| format!("&retry-after={value}"));
    format!("$dps/registrations/res/{status}/?$rid={request_id}{retry_after}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const POLL: Operation<'static> = Operation::Status {
        operation_id: "4.a.b-c",
    };

    #[rstest]
    #[case("$dps/registrations/PUT/iotdps-register/?$rid=1", Ok((Operation::Register, "1")))]
    #[case("$dps/registrations/GET/iotdps-get-operationstatus/?$rid=u-u&operationId=4.a.b-c", Ok((POLL, "u-u")))]
    #[case("$dps/registrations/GET/iotdps-get-operationstatus/?operationId=4.a.b-c&$rid=", Ok((POLL, "")))]
    #[case(
        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1",
        Err(TopicError::Missing("operationId"))
    )]
    #[case(
        "$dps/registrations/PUT/iotdps-register/?",
        Err(TopicError::Missing("$rid"))
    )]
    #[case("$dps/registrations/PUT/iotdps-register/", Err(TopicError::Unknown))]
    #[case("$dps/registrations/DELETE/?$rid=1", Err(TopicError::Unknown))]
    #[case("devices/a/messages/events/", Err(TopicError::Unknown))]
    fn topics(#[case] topic: &str, #[case] expected: Result<(Operation<'_>, &str), TopicError>) {
        let asked = Asked::parse(topic);
        assert_eq!(
            asked.map(|asked| (asked.operation, asked.request_id)),
            expected
        );
    }

    #[test]
    fn answers() {
        let topic = response_topic(202, "1", Some("3"));
        assert_eq!(topic, "$dps/registrations/res/202/?$rid=1&retry-after=3");
        assert_eq!(
            response_topic(401, "x", None),
            "$dps/registrations/res/401/?$rid=x"
        );
    }
}
