//! The hub's topics (IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol").

/// What a message to the hub is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic<'a> {
    /// `devices/{id}/messages/events/{properties}`
    Telemetry {
        device_id: &'a str,
        properties: &'a str,
    },
    /// `$iothub/twin/GET/?$rid={request id}`
    TwinGet { request_id: &'a str },
    /// `$iothub/twin/PATCH/properties/reported/?$rid={request id}`
    TwinPatch { request_id: &'a str },
    /// `$iothub/methods/res/{status}/?$rid={request id}`
    MethodResponse { status: i32, request_id: &'a str },
}

/// What a device can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feed {
    /// Answers to its twin requests.
    TwinResponses,
    /// Changes of its twin's desired half.
    DesiredChanges,
    /// Calls of its methods.
    Methods,
    /// Messages from the cloud.
    CloudToDevice,
}

impl Feed {
    /// The feed behind a filter; `None` for one that a device may not subscribe to.
    pub(super) fn of(device_id: &str, filter: &str) -> Option<Self> {
        match filter {
            "$iothub/twin/res/#" => Some(Self::TwinResponses),
            "$iothub/twin/PATCH/properties/desired/#" => Some(Self::DesiredChanges),
            "$iothub/methods/POST/#" => Some(Self::Methods),
            _ => {
                let rest = filter.strip_prefix("devices/")?.strip_prefix(device_id)?;
                (rest == "/messages/devicebound/#").then_some(Self::CloudToDevice)
            }
        }
    }
}

impl<'a> Topic<'a> {
    /// Reads a topic; `None` for one that the hub does not have.
    pub(super) fn parse(topic: &'a str) -> Option<Self> {
        if let Some(rest) = topic.strip_prefix("$iothub/") {
            if let Some(query) = rest.strip_prefix("twin/GET/") {
                let request_id = request_id(query)?;
                return Some(Self::TwinGet { request_id });
            }
            if let Some(query) = rest.strip_prefix("twin/PATCH/properties/reported/") {
                let request_id = request_id(query)?;
                return Some(Self::TwinPatch { request_id });
            }
            let (status, query) = rest.strip_prefix("methods/res/")?.split_once('/')?;
            return Some(Self::MethodResponse {
                status: status.parse().ok()?,
                request_id: request_id(query)?,
            });
        }
        let (device_id, rest) = topic.strip_prefix("devices/")?.split_once('/')?;
        let properties = rest.strip_prefix("messages/events")?;
        match properties {
            "" => Some(Self::Telemetry {
                device_id,
                properties,
            }),
            _ => Some(Self::Telemetry {
                device_id,
                properties: properties.strip_prefix('/')?,
            }),
        }
    }
}

/// The value of `$rid` in `?$rid=1&...`.
fn request_id(query: &str) -> Option<&str> {
    query
        .strip_prefix('?')?
        .split('&')
        .find_map(|pair| pair.strip_prefix("$rid="))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("devices/d/messages/events/", Some(Topic::Telemetry { device_id: "d", properties: "" }))]
    #[case("devices/d/messages/events", Some(Topic::Telemetry { device_id: "d", properties: "" }))]
    #[case("devices/d/messages/events/%24.ct=a&k=v", Some(Topic::Telemetry { device_id: "d", properties: "%24.ct=a&k=v" }))]
    #[case("devices/d/messages/eventsx", None)]
    #[case("$iothub/twin/GET/?$rid=7", Some(Topic::TwinGet { request_id: "7" }))]
    #[case("$iothub/twin/GET/?x=1&$rid=7", Some(Topic::TwinGet { request_id: "7" }))]
    #[case("$iothub/twin/GET/", None)]
    #[case("$iothub/twin/PATCH/properties/reported/?$rid=", Some(Topic::TwinPatch { request_id: "" }))]
    #[case("$iothub/methods/res/200/?$rid=1", Some(Topic::MethodResponse { status: 200, request_id: "1" }))]
    #[case("$iothub/methods/res/ok/?$rid=1", None)]
    #[case("a/b", None)]
    fn topics(#[case] topic: &str, #[case] expected: Option<Topic<'_>>) {
        assert_eq!(Topic::parse(topic), expected);
    }

    #[rstest]
    #[case("$iothub/twin/res/#", Some(Feed::TwinResponses))]
    #[case("devices/d/messages/devicebound/#", Some(Feed::CloudToDevice))]
    #[case("devices/e/messages/devicebound/#", None)]
    #[case("#", None)]
    fn filters(#[case] filter: &str, #[case] expected: Option<Feed>) {
        assert_eq!(Feed::of("d", filter), expected);
    }
}
