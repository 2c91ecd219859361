//! What carries the requests and answers of a registration.

use alloc::vec::Vec;

use smoltcp::time::Instant;

use super::https::Target;
use super::{Request, https, mqtt, registration};
use crate::failure::Failure;
use crate::http::{Response, ResponseReader};

/// How the device speaks to the provisioning service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// HTTPS.
    #[default]
    Https,
    /// MQTT 3.1.1 over TLS.
    Mqtt,
}

impl Transport {
    /// DPS's port for it.
    pub const fn port(self) -> u16 {
        match self {
            Self::Https => https::PORT,
            Self::Mqtt => mqtt::PORT,
        }
    }
}

/// One connection's protocol above TLS.
#[derive(Debug)]
pub enum Carrier {
    /// HTTP.
    Https {
        /// Collects the answer.
        reader: ResponseReader,
        /// Bytes for the service.
        outgoing: Vec<u8>,
    },
    /// MQTT.
    Mqtt(mqtt::Connection),
}

impl Carrier {
    /// Starts on a TLS connection that is up.
    ///
    /// # Errors
    /// An id is too long for the transport.
    pub fn new(transport: Transport, now: Instant, target: &Target<'_>) -> Result<Self, Failure> {
        Ok(match transport {
            Transport::Https => Self::Https {
                reader: ResponseReader::default(),
                outgoing: Vec::new(),
            },
            Transport::Mqtt => Self::Mqtt(mqtt::Connection::new(now, target)?),
        })
    }

    /// Takes bytes of the service; returns the answer to the last request once it is there.
    ///
    /// # Errors
    /// The [`Failure`] that ends the registration.
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> Result<Option<Response>, Failure> {
        match self {
            Self::Https { .. } if bytes.is_empty() => Ok(None),
            Self::Https { reader, .. } => reader.push(bytes).map_err(registration::malformed),
            Self::Mqtt(connection) => connection.receive(now, bytes),
        }
    }

    /// Looks at the time: `None` when requests can be sent, else until when that must come true.
    ///
    /// # Errors
    /// [`FailureKind::DpsTimeout`](crate::FailureKind::DpsTimeout) when it took too long.
    pub fn opening(&mut self, now: Instant) -> Result<Option<Instant>, Failure> {
        match self {
            Self::Https { .. } => Ok(None),
            Self::Mqtt(connection) => {
                connection.poll(now)?;
                Ok(connection.next())
            }
        }
    }

    /// Puts a request on its way.
    ///
    /// # Errors
    /// It came before [`Carrier::opening`] allowed it.
    pub fn send(&mut self, request: &Request, target: &Target<'_>) -> Result<(), Failure> {
        match self {
            Self::Https { outgoing, .. } => {
                outgoing.extend(https::encode(request, target).into_bytes());
                Ok(())
            }
            Self::Mqtt(connection) => connection.send(request, target),
        }
    }

    /// Says goodbye where the protocol knows such a thing.
    pub fn close(&mut self) {
        if let Self::Mqtt(connection) = self {
            connection.close();
        }
    }

    /// Bytes for the service.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        match self {
            Self::Https { outgoing, .. } => core::mem::take(outgoing),
            Self::Mqtt(connection) => connection.take_outgoing(),
        }
    }

    /// The failure when the service closes the connection now.
    pub fn closed(&self) -> Failure {
        let partial = match self {
            Self::Https { reader, .. } => reader.is_partial(),
            Self::Mqtt(connection) => connection.is_partial(),
        };
        registration::closed(partial)
    }
}
