//! The named reasons why a device does not reach its hub.

use alloc::string::String;
use core::fmt;

/// What went wrong, for a program. The name is part of the firmware's contract: scenarios
/// expect the console line `ERROR: <name>: <reason>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Nobody is at the other end of the link.
    LinkSilent,
    /// The random number generator reported an error.
    Random,
    /// A stored setting cannot be used.
    SettingInvalid,
    /// No DNS server answered.
    DnsTimeout,
    /// The DNS server knows no address for the name.
    DnsFailed,
    /// No time server answered.
    SntpTimeout,
    /// A time server answered with what is no plausible time (RFC 4330 section 5).
    SntpInvalid,
    /// No TCP connection in time.
    TcpTimeout,
    /// The TCP connection was refused.
    TcpRefused,
    /// The server's certificate chain leads to no trust anchor.
    TlsUnknownIssuer,
    /// The server's certificate is for another name.
    TlsWrongName,
    /// A certificate of the server's chain has expired.
    TlsExpired,
    /// A certificate of the server's chain is not valid yet.
    TlsNotYetValid,
    /// The server's certificate was refused for another reason.
    TlsCertificate,
    /// The server ended the connection by an alert.
    TlsAlert,
    /// The server broke the TLS protocol.
    TlsProtocol,
    /// The connection was closed before the handshake was done.
    TlsClosed,
    /// The handshake took too long.
    TlsTimeout,
    /// DPS refused the device: HTTP 401.
    DpsUnauthorized,
    /// DPS knows no enrolment for the device: HTTP 404.
    DpsNotFound,
    /// DPS refused the request with another 4xx status.
    DpsRefused,
    /// The enrolment is disabled.
    DpsDisabled,
    /// The registration ended in state `failed`.
    DpsFailed,
    /// DPS asked to slow down for longer than there is time.
    DpsThrottled,
    /// DPS answered with 5xx until the time was over.
    DpsServerError,
    /// DPS did not answer a request, or did not assign in time.
    DpsTimeout,
    /// DPS closed the connection before the registration was done.
    DpsClosed,
    /// The answer is malformed, truncated, or larger than the device can take.
    DpsResponse,
    /// The hub refused the MQTT connection.
    HubRefused,
    /// The hub did not answer in time.
    HubTimeout,
    /// The hub broke the MQTT protocol.
    HubProtocol,
    /// The hub closed the connection.
    HubLost,
}

impl FailureKind {
    /// The name in the console line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkSilent => "link-silent",
            Self::Random => "random",
            Self::SettingInvalid => "setting-invalid",
            Self::DnsTimeout => "dns-timeout",
            Self::DnsFailed => "dns-failed",
            Self::SntpTimeout => "sntp-timeout",
            Self::SntpInvalid => "sntp-invalid",
            Self::TcpTimeout => "tcp-timeout",
            Self::TcpRefused => "tcp-refused",
            Self::TlsUnknownIssuer => "tls-unknown-issuer",
            Self::TlsWrongName => "tls-wrong-name",
            Self::TlsExpired => "tls-expired",
            Self::TlsNotYetValid => "tls-not-yet-valid",
            Self::TlsCertificate => "tls-certificate",
            Self::TlsAlert => "tls-alert",
            Self::TlsProtocol => "tls-protocol",
            Self::TlsClosed => "tls-closed",
            Self::TlsTimeout => "tls-timeout",
            Self::DpsUnauthorized => "dps-unauthorized",
            Self::DpsNotFound => "dps-not-found",
            Self::DpsRefused => "dps-refused",
            Self::DpsDisabled => "dps-disabled",
            Self::DpsFailed => "dps-failed",
            Self::DpsThrottled => "dps-throttled",
            Self::DpsServerError => "dps-server-error",
            Self::DpsTimeout => "dps-timeout",
            Self::DpsClosed => "dps-closed",
            Self::DpsResponse => "dps-response",
            Self::HubRefused => "hub-refused",
            Self::HubTimeout => "hub-timeout",
            Self::HubProtocol => "hub-protocol",
            Self::HubLost => "hub-lost",
        }
    }
}

/// Why a session ended. Displays as `<name>: <reason>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, for a program.
    pub kind: FailureKind,
    /// What went wrong, for a person: one line of printable ASCII.
    pub reason: String,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.reason)
    }
}
