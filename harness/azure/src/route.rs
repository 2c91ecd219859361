//! The way to a host: by name resolution, or, for `hil serve`, by a detour to loopback.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::sync::Arc;

use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::address::refusal;

/// A host and port that are somewhere else: `HOST:PORT=ADDRESS:PORT`, the address on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detour {
    host: String,
    port: u16,
    to: SocketAddr,
}

impl FromStr for Detour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("`{text}` is not HOST:PORT=ADDRESS:PORT");
        let (from, to) = text.split_once('=').ok_or_else(malformed)?;
        let (host, port) = from.rsplit_once(':').ok_or_else(malformed)?;
        let port = port.parse().map_err(|_| malformed())?;
        let to: SocketAddr = to.parse().map_err(|_| malformed())?;
        if !to.ip().is_loopback() {
            let address = to.ip();
            return Err(format!(
                "`{text}` leads to {address}, which is not loopback"
            ));
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port,
            to,
        })
    }
}

/// The way to every host.
#[derive(Clone, Debug, Default)]
pub struct Routes(Arc<Vec<Detour>>);

/// Why there is no way to a host.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouteError {
    /// {0} cannot be resolved: {1}
    #[error("{0} cannot be resolved: {1}")]
    Unresolved(String, io::Error),
    /// {host} is at {address}, which is {what}: refused
    #[error("{host} is at {address}, which is {what}: refused")]
    Refused {
        host: String,
        address: std::net::IpAddr,
        what: &'static str,
    },
    /// {0} has no address
    #[error("{0} has no address")]
    NoAddress(String),
}

impl Routes {
    /// By name resolution, but for `detours`.
    pub fn new(detours: Vec<Detour>) -> Self {
        Self(Arc::new(detours))
    }

    fn detour(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let mut detours = self.0.iter();
        let found = detours.find(|it| it.host.eq_ignore_ascii_case(host) && it.port == port);
        found.map(|it| it.to)
    }

    /// Addresses of `host` that a device may be let out to: what is connected to is what was
    /// looked at.
    pub(crate) fn public(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, RouteError> {
        if let Some(address) = self.detour(host, port) {
            return Ok(vec![address]);
        }
        let unresolved = |error| RouteError::Unresolved(host.to_owned(), error);
        let resolved = (host, port).to_socket_addrs().map_err(unresolved)?;
        permitted(host, resolved)
    }
}

fn permitted(
    host: &str,
    resolved: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, RouteError> {
    let mut refused = None;
    let mut public = Vec::new();
    for address in resolved {
        match refusal(address.ip()) {
            None => public.push(address),
            Some(what) => {
                refused.get_or_insert(RouteError::Refused {
                    host: host.to_owned(),
                    address: address.ip(),
                    what,
                });
            }
        }
    }
    match (public.is_empty(), refused) {
        (false, _) => Ok(public),
        (true, Some(refused)) => Err(refused),
        (true, None) => Err(RouteError::NoAddress(host.to_owned())),
    }
}

/// For the harness's own requests, which go wherever the user's connection strings lead.
pub(crate) struct OwnResolver(pub(crate) Routes);

impl fmt::Debug for OwnResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnResolver")
    }
}

impl Resolver for OwnResolver {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        match self.0.detour(host, uri.port_u16().unwrap_or(443)) {
            Some(address) => {
                let mut addresses = self.empty();
                addresses.push(address);
                Ok(addresses)
            }
            None => DefaultResolver::default().resolve(uri, config, timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(addresses: &[&str]) -> String {
        let addresses = addresses.iter().map(|it| it.parse().unwrap());
        match permitted("a.example", addresses) {
            Ok(public) => format!("{public:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_a_name_resolves_to_is_what_counts() {
        assert_eq!(shown(&["20.1.2.3:443"]), "[20.1.2.3:443]");
        let refused = "a.example is at 169.254.169.254, which is metadata: refused";
        assert_eq!(shown(&["169.254.169.254:443"]), refused);
        let mixed = ["[::1]:443", "20.1.2.3:443", "10.0.0.1:443"];
        assert_eq!(shown(&mixed), "[20.1.2.3:443]");
        assert_eq!(shown(&[]), "a.example has no address");
    }

    #[test]
    fn loopback_takes_a_detour_of_its_own() {
        let routes = Routes::default();
        assert!(matches!(
            routes.public("localhost", 443),
            Err(RouteError::Refused {
                what: "loopback",
                ..
            })
        ));
        let detour = "Dps.example:443=127.0.0.1:8443".parse().unwrap();
        let routes = Routes::new(vec![detour]);
        let found = routes.public("dps.example", 443).unwrap();
        assert_eq!(found, ["127.0.0.1:8443".parse().unwrap()]);
        assert!(routes.public("127.0.0.1", 8443).is_err());
    }
}
