//! The settings that outlive a power cycle, as one record of text in STSAFE zone 5.
//!
//! ```text
//! RegistrationId=az3166;IdScope=0ne00000000;DPSTransport=mqtt;MAC=0200deadbeef;Check=89abcdef;
//! ```
//!
//! Each key stands at most once, in any order; an absent key means the default. `Check` comes last:
//! CRC-32 (ISO-HDLC, as zlib computes it) over everything before it, as eight lowercase hex digits.
//! The rest of the record is zero. A write that lost power half-way fails the check, so the device
//! asks for the settings again instead of acting on a mixture of two records.
#![no_std]
#![forbid(unsafe_code)]

mod crc;
#[doc(hidden)]
pub mod fuzzing;
mod record;

pub use crc::crc32;
pub use record::{Damage, RECORD_BYTES, Record, decode, encode};

use heapless::String;

/// The longest registration id that the service takes, in characters.
pub const REGISTRATION_ID_MAX: usize = 128;
/// The longest ID scope that the record holds, in characters.
pub const ID_SCOPE_MAX: usize = 32;
/// The longest host name that the record holds, in characters.
pub const ENDPOINT_MAX: usize = 128;

/// What carries the device's requests to the provisioning service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// HTTPS, port 443.
    #[default]
    Https,
    /// MQTT 3.1.1 over TLS, port 8883.
    Mqtt,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 2] = [Self::Https, Self::Mqtt];

    /// The word for it on the console and in the record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Mqtt => "mqtt",
        }
    }

    /// The transport of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }
}

/// What the user has set; `None` stands for the firmware's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The registration id, the subject of the Alias certificate.
    pub registration_id: Option<String<REGISTRATION_ID_MAX>>,
    /// The ID scope of the provisioning service instance.
    pub id_scope: Option<String<ID_SCOPE_MAX>>,
    /// The host name of the provisioning service.
    pub dps_endpoint: Option<String<ENDPOINT_MAX>>,
    /// What carries the requests to the provisioning service.
    pub dps_transport: Option<Transport>,
    /// The MAC address.
    pub mac: Option<[u8; 6]>,
}
