//! Requests to a service's own interface.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use az3166_runner::outside::OutsideError;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

use crate::route::OwnResolver;
use crate::settings::{ConnectionString, Services};

/// How long one request may take.
const WHOLE: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a token is good.
const TOKEN: u64 = 3600;
/// How often a throttled or broken request is made, and the longest pause before the next one.
const ATTEMPTS: u32 = 4;
const LONGEST_PAUSE: u64 = 10;

/// Why a service did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// {host} cannot be reached: {reason}
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// {host} refuses the policy `{policy}` with HTTP {status}
    #[error("{host} refuses the policy `{policy}` with HTTP {status}")]
    Unauthorized {
        /// The host.
        host: String,
        /// The shared access policy.
        policy: String,
        /// The answer's status.
        status: u16,
    },
    /// {host} answers HTTP {status} to {request}: {message}
    #[error("{host} answers HTTP {status} to {request}: {message}")]
    Answer {
        /// The host.
        host: String,
        /// Method and path.
        request: String,
        /// The answer's status.
        status: u16,
        /// The service's words.
        message: String,
    },
}

impl From<ServiceError> for OutsideError {
    fn from(error: ServiceError) -> Self {
        let todo = match &error {
            ServiceError::Unreachable { .. } => "check the network and the HostName",
            ServiceError::Unauthorized { .. } => {
                "check the connection string, and that its policy may read and write"
            }
            ServiceError::Answer { status: 409, .. } => {
                "somebody else enrolled this device: `hil cloud sweep`, or delete it by hand"
            }
            ServiceError::Answer { .. } => "look at the service",
        };
        Self {
            what: error.to_string(),
            todo: todo.into(),
        }
    }
}

/// An answer below 400, or 404.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn found(self) -> Option<Value> {
        (self.status != 404).then_some(self.body)
    }
}

/// A service.
pub(crate) struct Rest {
    agent: Agent,
    connection: ConnectionString,
    api_version: &'static str,
}

impl Rest {
    pub(crate) fn new(
        services: &Services,
        connection: &ConnectionString,
        api_version: &'static str,
    ) -> Self {
        let authorities = match &services.authority {
            Some(der) => vec![Certificate::from_der(der).to_owned()],
            // What cannot be read of the system's store is not trusted; the rest is.
            None => rustls_native_certs::load_native_certs()
                .certs
                .iter()
                .map(|der| Certificate::from_der(der).to_owned())
                .collect(),
        };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&authorities))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .user_agent(concat!("az3166-hil/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = OwnResolver(services.routes.clone());
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            connection: connection.clone(),
            api_version,
        }
    }

    pub(crate) fn host(&self) -> &str {
        &self.connection.host
    }

    pub(crate) fn get(&self, path: &str) -> Result<Reply, ServiceError> {
        self.call("GET", path, &[], None)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Reply, ServiceError> {
        self.call("PUT", path, &[], Some(body))
    }

    /// Deletes whatever version there is; that nothing is there is fine too.
    pub(crate) fn delete(&self, path: &str) -> Result<(), ServiceError> {
        self.call("DELETE", path, &[("If-Match", "*")], None)?;
        Ok(())
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, ServiceError> {
        let mut attempt = 1;
        loop {
            let answer = self.once(method, path, fields, body);
            let pause = match &answer {
                Ok(answer) if matches!(answer.status().as_u16(), 429 | 500..) => {
                    let field = answer.headers().get("retry-after");
                    let seconds = field.and_then(|field| field.to_str().ok()?.parse().ok());
                    seconds.unwrap_or(1).min(LONGEST_PAUSE)
                }
                Ok(_) => 0,
                Err(_) => 1,
            };
            if pause == 0 || attempt == ATTEMPTS {
                return self.judge(method, path, answer);
            }
            attempt += 1;
            std::thread::sleep(Duration::from_secs(pause));
        }
    }

    fn once(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let connection = &self.connection;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let expiry = now.map_or(0, |since| since.as_secs()) + TOKEN;
        let token = connection
            .key
            .token(&connection.host, &connection.policy, expiry);
        let (host, version) = (&connection.host, self.api_version);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://{host}{path}?api-version={version}"))
            .header("Authorization", token.as_str());
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        match body {
            None => self.agent.run(request.body(())?),
            Some(body) => {
                let request = request.header("Content-Type", "application/json; charset=utf-8");
                self.agent.run(request.body(body.to_string())?)
            }
        }
    }

    fn judge(
        &self,
        method: &str,
        path: &str,
        answer: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<Reply, ServiceError> {
        let host = self.connection.host.clone();
        let unreachable = |error: ureq::Error| ServiceError::Unreachable {
            host: host.clone(),
            reason: error.to_string(),
        };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status().as_u16();
        if matches!(status, 401 | 403) {
            let policy = self.connection.policy.clone();
            return Err(ServiceError::Unauthorized {
                host,
                policy,
                status,
            });
        }
        let text = answer.body_mut().read_to_string().map_err(unreachable)?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status < 300 || (status == 404 && method != "PUT") {
            return Ok(Reply { status, body });
        }
        let words = body.get("message").or_else(|| body.get("Message"));
        let message = words.and_then(Value::as_str).unwrap_or("no reason given");
        Err(ServiceError::Answer {
            host,
            request: format!("{method} {path}"),
            status,
            message: message.to_owned(),
        })
    }
}
