//! Which service a connection is for.

/// What kind of port a connection came in at: which protocol its clients begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// 443: HTTP, and MQTT over WebSocket.
    Https,
    /// 8883: MQTT.
    Mqtt,
}

impl Port {
    /// The kind of the port that Azure's services have at `number`.
    pub fn at(number: u16) -> Option<Self> {
        match number {
            443 => Some(Self::Https),
            8883 => Some(Self::Mqtt),
            _ => None,
        }
    }
}

/// A service, told by its host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// The provisioning service, by its global name or a service's own.
    Provisioning,
    /// One of the hubs.
    Hub,
}

/// The domain of every provisioning service.
const PROVISIONING_DOMAIN: &str = ".azure-devices-provisioning.net";

/// The service with this host name.
pub(super) fn site_of(host: &str, provisioning_host: &str, hubs: &[String]) -> Option<Site> {
    if host.eq_ignore_ascii_case(provisioning_host) || in_provisioning_domain(host) {
        Some(Site::Provisioning)
    } else if hubs.iter().any(|own| host.eq_ignore_ascii_case(own)) {
        Some(Site::Hub)
    } else {
        None
    }
}

fn in_provisioning_domain(host: &str) -> bool {
    let start = host.len().saturating_sub(PROVISIONING_DOMAIN.len());
    start > 0
        && host
            .get(start..)
            .is_some_and(|end| end.eq_ignore_ascii_case(PROVISIONING_DOMAIN))
}

/// The host of a `Host` header field, in lower case and without its port (RFC 9110 section 7.2).
pub(super) fn host_of(header: &str) -> String {
    let host = match header.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => header,
    };
    host.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("dps.example", Some(Site::Provisioning))]
    #[case("My-DPS.azure-devices-provisioning.NET", Some(Site::Provisioning))]
    #[case(".azure-devices-provisioning.net", None)]
    #[case("Hub.azure-devices.net", Some(Site::Hub))]
    #[case("other.azure-devices.net", None)]
    #[case("ä", None)]
    #[case("", None)]
    fn sites(#[case] host: &str, #[case] expected: Option<Site>) {
        let hubs = ["hub.azure-devices.net".to_owned()];
        assert_eq!(site_of(host, "dps.example", &hubs), expected);
    }

    #[rstest]
    #[case("A.b:443", "a.b")]
    #[case("a.b", "a.b")]
    #[case("[::1]:8443", "[::1]")]
    #[case("", "")]
    fn hosts(#[case] header: &str, #[case] expected: &str) {
        assert_eq!(host_of(header), expected);
    }
}
