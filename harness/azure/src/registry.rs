//! The hub's registry (REST reference, "IoT Hub service", Devices).

use serde_json::Value;

use crate::rest::{Rest, ServiceError};
use crate::sas::percent_encoded;
use crate::settings::Services;

/// A device as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// `Connected` or `Disconnected`.
    pub(crate) connection_state: String,
    /// When it was last heard of, in the hub's words.
    pub(crate) last_activity: String,
    /// Of the certificate that it may connect with.
    pub(crate) thumbprint: Option<String>,
}

/// The hub.
pub(crate) struct Registry(Rest);

impl Registry {
    pub(crate) fn new(services: &Services) -> Self {
        Self(Rest::new(services, &services.hub, "2021-04-12"))
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host()
    }

    pub(crate) fn device(&self, id: &str) -> Result<Option<Device>, ServiceError> {
        let found = self.0.get(&path(id))?.found();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(found.map(|body| {
            let thumbprint = &body["authentication"]["x509Thumbprint"]["primaryThumbprint"];
            Device {
                connection_state: text(&body["connectionState"]),
                last_activity: text(&body["lastActivityTime"]),
                thumbprint: Some(text(thumbprint)).filter(|it| !it.is_empty()),
            }
        }))
    }

    pub(crate) fn delete(&self, id: &str) -> Result<(), ServiceError> {
        self.0.delete(&path(id))
    }
}

fn path(id: &str) -> String {
    format!("/devices/{}", percent_encoded(id))
}
