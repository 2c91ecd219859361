//! One thing that happened.

use std::net::SocketAddr;
use std::path::PathBuf;

use az3166_event::CloudEvent;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::authority::Standing;

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub time: OffsetDateTime,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What happened, by its source.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Happening {
    /// In the services.
    Cloud(CloudEvent),
    /// In the server around them.
    Serve(Incident),
}

/// What happens around the services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Incident {
    /// The server takes connections.
    Ready(Box<Ready>),
    /// A TCP connection was taken.
    Opened {
        /// Its number.
        connection: u32,
        /// Where it comes from.
        peer: String,
        /// What it came in at: `https` or `mqtt`, `proxy` before it where it came through that.
        port: String,
    },
    /// A TCP connection was not taken.
    Refused {
        /// Where it comes from.
        peer: String,
        /// Why.
        reason: String,
    },
    /// A TCP connection was given up.
    GivenUp {
        /// Its number.
        connection: u32,
        /// Why.
        reason: String,
    },
    /// Something that the user should know.
    Warning {
        /// What.
        text: String,
    },
    /// Something that the user may want to know.
    Note {
        /// What.
        text: String,
    },
}

/// Where a server listens and what its clients need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// HTTPS, and MQTT over WebSocket.
    pub https: SocketAddr,
    /// MQTT.
    pub mqtt: SocketAddr,
    /// The CONNECT proxy.
    pub proxy: SocketAddr,
    /// The web page.
    pub web: SocketAddr,
    /// The certificate that clients must trust.
    pub ca_file: PathBuf,
    /// How it came about.
    pub authority: Standing,
    /// The file of the provisioning service's connection string.
    pub provisioning_connection_string: PathBuf,
    /// The file of the hubs' connection string, which names the first one.
    pub hub_connection_string: PathBuf,
    /// The ID scope of the provisioning service.
    pub id_scope: String,
    /// Every host name that the server answers to, the provisioning service's first.
    pub host_names: Vec<String>,
}

impl Record {
    /// The record as one line of JSON without its line end.
    pub fn to_json(&self) -> String {
        // Every record is a tree of strings and numbers, which JSON can always hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same without what is long.
    pub(super) fn shortened(mut self, longest: usize) -> Self {
        if let Happening::Cloud(CloudEvent::Telemetry {
            body, properties, ..
        }) = &mut self.happening
        {
            shorten(body, longest);
            shorten(properties, longest);
        }
        self
    }
}

fn shorten(text: &mut String, longest: usize) {
    if text.len() > longest {
        text.truncate(text.floor_char_boundary(longest));
        text.push('…');
        text.shrink_to_fit();
    }
}

fn rfc3339<S: serde::Serializer>(time: &OffsetDateTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.format(&Rfc3339).map_err(serde::ser::Error::custom)?)
}
