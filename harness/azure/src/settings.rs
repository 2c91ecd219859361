//! What the environment says about the cloud.

use core::fmt;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::route::{Detour, Routes};
use crate::sas::AccessKey;

const ENDPOINT: &str = "HIL_DPS_ENDPOINT";
const ID_SCOPE: &str = "HIL_DPS_ID_SCOPE";
const PROVISIONING: &str = "HIL_DPS_CONNECTION_STRING";
const HUB: &str = "HIL_HUB_CONNECTION_STRING";
const DETOURS: &str = "HIL_CLOUD_DETOURS";
const CA_FILE: &str = "HIL_CLOUD_CA";

/// The variables, each with what it holds; the first four must be set.
pub const fn variables() -> [(&'static str, &'static str); 6] {
    [
        (ENDPOINT, "the host that devices register with"),
        (ID_SCOPE, "the provisioning service's ID scope"),
        (
            PROVISIONING,
            "connection string of the provisioning service",
        ),
        (HUB, "connection string of its hub"),
        (DETOURS, "for `hil serve` only: HOST:PORT=LOOPBACK:PORT ..."),
        (
            CA_FILE,
            "for `hil serve` only: its certificate authority, a PEM file",
        ),
    ]
}

/// Why the settings cannot be used. No value of a secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// {0} is not set: it holds {1}
    #[error("{0} is not set: it holds {1}")]
    Missing(
        /// The variable.
        &'static str,
        /// What it holds.
        &'static str,
    ),
    /// {name}: {reason}
    #[error("{name}: {reason}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// A service's own interface, and the key to it.
#[derive(Clone)]
pub struct ConnectionString {
    pub(crate) host: String,
    pub(crate) policy: String,
    pub(crate) key: AccessKey,
}

impl ConnectionString {
    /// Reads `HostName=...;SharedAccessKeyName=...;SharedAccessKey=...`.
    ///
    /// # Errors
    /// A member is missing or cannot be what it should be; the text itself stays out of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let member = |name: &str| {
            let mut members = text.trim().split(';');
            members.find_map(|member| member.strip_prefix(name)?.strip_prefix('='))
        };
        let host = member("HostName").ok_or("it has no HostName")?;
        if !is_host_name(host) {
            return Err("its HostName is no host name");
        }
        let policy = member("SharedAccessKeyName").ok_or("it has no SharedAccessKeyName")?;
        let key = member("SharedAccessKey").ok_or("it has no SharedAccessKey")?;
        let key = AccessKey::from_base64(key).ok_or("its SharedAccessKey is not base64")?;
        Ok(Self {
            host: host.to_ascii_lowercase(),
            policy: policy.to_owned(),
            key,
        })
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString")
            .field("host", &self.host)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let fits = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        fits && !label.is_empty() && label.len() < 64
    };
    // With a letter, so that it is no address.
    text.len() < 254
        && text.split('.').all(is_label)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The two services' own interfaces, and the way to them.
#[derive(Clone, Debug)]
pub struct Services {
    /// The provisioning service.
    pub provisioning: ConnectionString,
    /// The hub.
    pub hub: ConnectionString,
    /// The way to both.
    pub routes: Routes,
    /// The only certificate authority that is trusted, in DER; the system's without one.
    pub authority: Option<Vec<u8>>,
}

/// Everything that a run needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The services' own interfaces.
    pub services: Services,
    /// The host that devices register with.
    pub endpoint: String,
    /// The ID scope.
    pub id_scope: String,
}

impl Services {
    /// Reads what a sweep needs; `value` gives a variable's value.
    ///
    /// # Errors
    /// A variable is missing or wrong.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let connection = |name: &'static str| {
            let text = Zeroizing::new(required(&value, name)?);
            ConnectionString::parse(&text).map_err(|reason| wrong(name, reason))
        };
        let provisioning = connection(PROVISIONING)?;
        let hub = connection(HUB)?;
        let detours = value(DETOURS).unwrap_or_default();
        let detours = detours.split_whitespace().map(str::parse::<Detour>);
        let detours = detours
            .collect::<Result<Vec<Detour>, String>>()
            .map_err(|reason| wrong(DETOURS, &reason))?;
        let authority = value(CA_FILE).filter(|path| !path.is_empty());
        let authority = authority
            .map(|path| {
                let der = CertificateDer::from_pem_file(Path::new(&path));
                der.map(|der| der.to_vec())
                    .map_err(|error| wrong(CA_FILE, &format!("{path}: {error}")))
            })
            .transpose()?;
        Ok(Self {
            provisioning,
            hub,
            routes: Routes::new(detours),
            authority,
        })
    }
}

impl Settings {
    /// Reads all; `value` gives a variable's value.
    ///
    /// # Errors
    /// A variable is missing or wrong.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let endpoint = required(&value, ENDPOINT)?.to_ascii_lowercase();
        if !is_host_name(&endpoint) {
            return Err(wrong(
                ENDPOINT,
                "give a host name alone: global.azure-devices-provisioning.net",
            ));
        }
        let id_scope = required(&value, ID_SCOPE)?;
        let is_scope = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !id_scope.bytes().all(is_scope) {
            return Err(wrong(ID_SCOPE, "give the ID scope alone: 0ne00000000"));
        }
        Ok(Self {
            services: Services::read(value)?,
            endpoint,
            id_scope,
        })
    }
}

fn required(
    value: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<String, SettingsError> {
    let given = value(name).map(|text| text.trim().to_owned());
    given.filter(|text| !text.is_empty()).ok_or_else(|| {
        let all = variables();
        let what = all.iter().find(|(known, _)| *known == name);
        SettingsError::Missing(name, what.map_or("a value", |(_, what)| what))
    })
}

fn wrong(name: &'static str, reason: &str) -> SettingsError {
    SettingsError::Wrong {
        name,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const KEY: &str = "c2VjcmV0IHNlY3JldCBzZWNyZXQ=";

    fn read(change: (&str, &str)) -> Result<Settings, SettingsError> {
        let string = |host: &str, policy: &str| {
            format!("HostName={host};SharedAccessKeyName={policy};SharedAccessKey={KEY}")
        };
        Settings::read(|name| {
            if name == change.0 {
                return (!change.1.is_empty()).then(|| change.1.to_owned());
            }
            match name {
                ENDPOINT => Some("global.azure-devices-provisioning.net".into()),
                ID_SCOPE => Some("0ne00000000".into()),
                PROVISIONING => Some(string("Dps.azure-devices-provisioning.net", "owner")),
                HUB => Some(string("hub.azure-devices.net", "iothubowner")),
                _ => None,
            }
        })
    }

    #[test]
    fn complete_settings_are_taken_and_keep_their_keys() {
        let settings = read(("", "")).unwrap();
        assert_eq!(
            settings.services.provisioning.host,
            "dps.azure-devices-provisioning.net"
        );
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("iothubowner") && !shown.contains(&KEY[..8]),
            "{shown}"
        );
    }

    #[rstest]
    #[case(
        ENDPOINT,
        "",
        "HIL_DPS_ENDPOINT is not set: it holds the host that devices register with"
    )]
    #[case(
        ID_SCOPE,
        " ",
        "HIL_DPS_ID_SCOPE is not set: it holds the provisioning service's ID scope"
    )]
    #[case(
        PROVISIONING,
        "",
        "HIL_DPS_CONNECTION_STRING is not set: it holds connection string of the provisioning service"
    )]
    #[case(
        HUB,
        "",
        "HIL_HUB_CONNECTION_STRING is not set: it holds connection string of its hub"
    )]
    #[case(
        ENDPOINT,
        "https://a.example/",
        "HIL_DPS_ENDPOINT: give a host name alone: global.azure-devices-provisioning.net"
    )]
    #[case(
        ENDPOINT,
        "10.0.0.1",
        "HIL_DPS_ENDPOINT: give a host name alone: global.azure-devices-provisioning.net"
    )]
    #[case(
        ID_SCOPE,
        "a/b",
        "HIL_DPS_ID_SCOPE: give the ID scope alone: 0ne00000000"
    )]
    #[case(
        HUB,
        "secret-in-the-wrong-place",
        "HIL_HUB_CONNECTION_STRING: it has no HostName"
    )]
    #[case(
        HUB,
        "HostName=a/b;SharedAccessKeyName=c;SharedAccessKey=ZA==",
        "HIL_HUB_CONNECTION_STRING: its HostName is no host name"
    )]
    #[case(
        HUB,
        "HostName=a;SharedAccessKey=ZA==",
        "HIL_HUB_CONNECTION_STRING: it has no SharedAccessKeyName"
    )]
    #[case(
        HUB,
        "HostName=a;SharedAccessKeyName=c",
        "HIL_HUB_CONNECTION_STRING: it has no SharedAccessKey"
    )]
    #[case(
        HUB,
        "HostName=a;SharedAccessKeyName=c;SharedAccessKey=?",
        "HIL_HUB_CONNECTION_STRING: its SharedAccessKey is not base64"
    )]
    #[case(
        DETOURS,
        "a:443=192.168.0.1:443",
        "HIL_CLOUD_DETOURS: `a:443=192.168.0.1:443` leads to 192.168.0.1, which is not loopback"
    )]
    #[case(
        DETOURS,
        "a=1",
        "HIL_CLOUD_DETOURS: `a=1` is not HOST:PORT=ADDRESS:PORT"
    )]
    fn mistakes_are_named(#[case] name: &str, #[case] value: &str, #[case] expected: &str) {
        assert_eq!(read((name, value)).unwrap_err().to_string(), expected);
    }
}
