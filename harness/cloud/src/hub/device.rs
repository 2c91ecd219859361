//! What a hub knows of a device.

use az3166_event::VirtualTime;

use super::Twin;
use crate::certificate::DeviceCertificate;
use crate::provisioning::Credential;
use crate::sas::SymmetricKeys;

/// A device of a hub.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The hub's host name.
    pub hub: String,
    /// The device's id.
    pub device_id: String,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Whether it is connected.
    pub connection_state: ConnectionState,
    /// What it sent, the oldest first.
    pub telemetry: Vec<Telemetry>,
    /// Its twin.
    pub twin: Twin,
}

/// Whether a device is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It is not.
    Disconnected,
    /// It is.
    Connected {
        /// Number of the TCP connection.
        connection: u32,
        /// Since when.
        since: VirtualTime,
    },
}

/// How a device proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// By a certificate with one of these thumbprints.
    SelfSigned {
        /// Of the enrolment's primary certificate.
        primary: Thumbprints,
        /// Of its secondary one.
        secondary: Option<Thumbprints>,
    },
    /// By a token that is signed with one of these keys.
    Sas(SymmetricKeys),
}

/// A certificate's thumbprints, in upper-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbprints {
    /// SHA-1 of the DER.
    pub sha1: String,
    /// SHA-256 of the DER.
    pub sha256: String,
}

/// A message from a device to its hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// When it arrived.
    pub at: VirtualTime,
    /// Its properties, as in the topic.
    pub properties: String,
    /// The message.
    pub body: Vec<u8>,
}

impl Device {
    pub(super) fn new(
        hub: &str,
        device_id: &str,
        authentication: Authentication,
        twin: Twin,
    ) -> Self {
        Self {
            hub: hub.to_owned(),
            device_id: device_id.to_owned(),
            authentication,
            connection_state: ConnectionState::Disconnected,
            telemetry: Vec::new(),
            twin,
        }
    }

    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        matches!(self.connection_state, ConnectionState::Connected { .. })
    }
}

impl Thumbprints {
    /// The thumbprints of `certificate`.
    pub fn of(certificate: &DeviceCertificate) -> Self {
        Self {
            sha1: certificate.sha1_thumbprint(),
            sha256: certificate.sha256_thumbprint(),
        }
    }
}

impl From<&Credential> for Authentication {
    fn from(credential: &Credential) -> Self {
        match credential {
            Credential::X509 { primary, secondary } => Self::SelfSigned {
                primary: Thumbprints::of(primary),
                secondary: secondary.as_ref().map(Thumbprints::of),
            },
            Credential::SymmetricKey(keys) => Self::Sas(keys.clone()),
        }
    }
}
