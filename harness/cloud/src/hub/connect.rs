//! Who may have a session.

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
    /// The device is disabled.
    #[error("the device is disabled")]
    Disabled,
    /// The client sent no token.
    #[error("the client sent no token")]
    NoToken,
    /// The client's token is not good: {0}.
    #[error("401003 the client's token is not good: {0}")]
    Token(String),
    /// The client showed no certificate.
    #[error("the client showed no certificate")]
    NoCertificate,
    /// 401003 Thumbprint does not match configuration ...
    #[error(
        "401003 Thumbprint does not match configuration: Thumbprint: SHA1Hash={sha1}, SHA2Hash={sha256}; Configuration: PrimaryThumbprint={primary}, SecondaryThumbprint={}",
        secondary.as_deref().unwrap_or_default()
    )]
    Thumbprint {
        /// SHA-1 of the certificate that the client showed.
        sha1: String,
        /// SHA-256 of it.
        sha256: String,
        /// What the device's certificate has.
        primary: String,
        /// What its other certificate has.
        secondary: Option<String>,
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
