//! Who may have a session.

use super::{Authentication, Thumbprints};
use crate::certificate::DeviceCertificate;
use crate::mqtt::{Connect, ConnectReturnCode};

/// Why a client gets no session. Every one is return code 5 on the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectRefusal {
    /// The user name is not `<hub>/<device id>/?api-version=...`.
    #[error("the user name is not `<hub>/<device id>/?api-version=...`")]
    UserName,
    /// The user name is for the hub {named:?}.
    #[error("the user name is for the hub {named:?}")]
    OtherHub {
        /// Which it names.
        named: String,
    },
    /// The client id is {client_id:?}, the device id of the user name is {device_id:?}.
    #[error("the client id is {client_id:?}, the device id of the user name is {device_id:?}")]
    ClientId {
        /// The client id.
        client_id: String,
        /// The user name's device id.
        device_id: String,
    },
    /// The hub knows no such device.
    #[error("the hub knows no such device")]
    UnknownDevice,
    /// The client sent no token.
    #[error("the client sent no token")]
    NoToken,
    /// The client showed no certificate.
    #[error("the client showed no certificate")]
    NoCertificate,
    /// 401003 Thumbprint does not match configuration ...
    #[error(
        "401003 Thumbprint does not match configuration: Thumbprint: SHA1Hash={}, SHA2Hash={}; Configuration: PrimaryThumbprint={}, SecondaryThumbprint={}",
        shown.sha1, shown.sha256, primary.sha256, secondary.as_ref().map_or("", |own| &own.sha256)
    )]
    Thumbprint {
        /// Of the certificate that the client showed.
        shown: Box<Thumbprints>,
        /// Of the enrolment's primary certificate.
        primary: Box<Thumbprints>,
        /// Of its secondary one.
        secondary: Option<Box<Thumbprints>>,
    },
}

impl ConnectRefusal {
    /// The return code of the CONNACK.
    pub(crate) fn return_code(&self) -> ConnectReturnCode {
        ConnectReturnCode::NotAuthorized
    }
}

/// The device that a CONNECT to `hub` is for (IoT Hub documentation, "Communicate with an IoT hub
/// using the MQTT protocol"). The api-version is not looked at.
pub(super) fn device_id<'a>(hub: &str, packet: &'a Connect) -> Result<&'a str, ConnectRefusal> {
    let user_name = packet.user_name.as_deref().unwrap_or_default();
    let mut parts = user_name.splitn(3, '/');
    let (Some(named), Some(device_id), Some(_version)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(ConnectRefusal::UserName);
    };
    if !named.eq_ignore_ascii_case(hub) {
        return Err(ConnectRefusal::OtherHub {
            named: named.to_owned(),
        });
    }
    if packet.client_id != device_id {
        return Err(ConnectRefusal::ClientId {
            client_id: packet.client_id.clone(),
            device_id: device_id.to_owned(),
        });
    }
    Ok(device_id)
}

/// Whether the certificate is the device's; TLS has proven that the client has its key.
pub(super) fn authenticate(
    authentication: &Authentication,
    certificate: Option<&DeviceCertificate>,
) -> Result<(), ConnectRefusal> {
    let Authentication::SelfSigned { primary, secondary } = authentication else {
        return Err(ConnectRefusal::NoToken);
    };
    let shown = Thumbprints::of(certificate.ok_or(ConnectRefusal::NoCertificate)?);
    if shown == *primary || Some(&shown) == secondary.as_ref() {
        return Ok(());
    }
    Err(ConnectRefusal::Thumbprint {
        shown: Box::new(shown),
        primary: Box::new(primary.clone()),
        secondary: secondary.clone().map(Box::new),
    })
}
