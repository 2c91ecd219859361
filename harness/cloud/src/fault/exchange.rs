//! What a rule can know of an exchange.

/// The name that stands for a handshake in a rule's method.
pub(super) const HANDSHAKE: &str = "TLS";

const DPS_TOPICS: &str = "$dps/registrations/";
const REGISTER_TOPIC: &str = "$dps/registrations/PUT/iotdps-register/";
const POLL_TOPIC: &str = "$dps/registrations/GET/iotdps-get-operationstatus/";

/// Where in a connection an exchange lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The TLS handshake, after the client's first message.
    Handshake,
    /// An HTTP request or an MQTT packet.
    Request,
}

/// What can be said of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) stage: Stage,
    pub(crate) host: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The registration id or device id, as far as it is known.
    pub(crate) device: Option<&'a str>,
}

impl<'a> Exchange<'a> {
    /// The handshake of a connection to `host`.
    pub(crate) fn handshake(host: &'a str) -> Self {
        Self {
            stage: Stage::Handshake,
            host,
            method: HANDSHAKE,
            path: "",
            device: None,
        }
    }

    /// A request or packet for `host`. Its device is the one that the path names.
    pub(crate) fn request(host: &'a str, method: &'a str, path: &'a str) -> Self {
        let device = match method {
            "CONNECT" => Some(path),
            _ => device_in(path),
        };
        Self {
            stage: Stage::Request,
            host,
            method,
            path,
            device,
        }
    }

    /// The same by a client that is known to be `device`.
    pub(crate) fn by(self, device: Option<&'a str>) -> Self {
        Self {
            device: device.or(self.device),
            ..self
        }
    }

    /// Whether it asks DPS for something, or is no MQTT message.
    pub(super) fn may_be_for_dps(&self) -> bool {
        self.method != "PUBLISH" || self.path.starts_with(DPS_TOPICS)
    }

    /// Whether it asks to register a device.
    pub(super) fn is_register(&self) -> bool {
        crate::device_api::is_register(self.method, self.path)
            || self.path.starts_with(REGISTER_TOPIC)
    }

    /// Whether it asks how an operation goes.
    pub(super) fn is_poll(&self) -> bool {
        self.method == "GET" || self.path.starts_with(POLL_TOPIC)
    }
}

/// The id in `/{scope}/registrations/{id}`, `/devices/{id}`, `devices/{id}` and their like.
fn device_in(path: &str) -> Option<&str> {
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let id = match (segments.next()?, segments.next()?) {
        ("devices" | "twins" | "enrollments", id) => id,
        (scope, "registrations") if !scope.starts_with('$') => segments.next()?,
        ("registrations", id) => id,
        _ => return None,
    };
    Some(id).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("PUT", "/0ne/registrations/az-1/register", Some("az-1"))]
    #[case("GET", "/0ne/registrations/az-1/operations/5", Some("az-1"))]
    #[case("POST", "/devices/d/messages/events", Some("d"))]
    #[case("GET", "/registrations/az-1", Some("az-1"))]
    #[case("PUBLISH", "devices/d/messages/events/", Some("d"))]
    #[case("PUBLISH", "$dps/registrations/PUT/iotdps-register/?$rid=1", None)]
    #[case("PUBLISH", "$iothub/twin/GET/?$rid=1", None)]
    #[case("CONNECT", "az-1", Some("az-1"))]
    #[case("GET", "/devices/", None)]
    #[case("PINGREQ", "", None)]
    fn devices(#[case] method: &str, #[case] path: &str, #[case] expected: Option<&str>) {
        let exchange = Exchange::request("h", method, path);
        assert_eq!(exchange.device, expected);
        assert_eq!(exchange.by(Some("known")).device, Some("known"));
    }
}
