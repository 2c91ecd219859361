//! Everything together: from settings to a running server and its end.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use az3166_cloud::{
    Behaviour, Cloud, CloudConfig, EnrolError, Enrolment, Port, TlsVersions, WallClock,
};

use crate::admission::{Admission, Limits};
use crate::authority::{Authority, AuthorityError};
use crate::clock::{Clock, date};
use crate::connection::Carrier;
use crate::engine::{Destination, Engine};
use crate::listener::Listener;
use crate::proxy;
use crate::stop::{Stop, stop};
use crate::trace::{Incident, LineFormat, Lines, Ready, Trace};

/// What a server is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen at.
    pub bind: IpAddr,
    /// Port for HTTPS, and MQTT over WebSocket; 0 for any free one.
    pub https: u16,
    /// Port for MQTT; 0 for any free one.
    pub mqtt: u16,
    /// Port of the CONNECT proxy; 0 for any free one.
    pub proxy: u16,
    /// The folder of the authority and of everything that is kept.
    pub folder: PathBuf,
    /// The ID scope of the provisioning service.
    pub id_scope: String,
    /// Host names of the hubs.
    pub hubs: Vec<String>,
    /// Which versions of TLS are spoken.
    pub tls: TlsVersions,
    /// How the services behave where there is a choice.
    pub behaviour: Behaviour,
    /// How many connections there may be.
    pub limits: Limits,
    /// How lines of the trace look.
    pub format: LineFormat,
    /// Devices that may register.
    pub enrolments: Vec<Enrolment>,
}

impl Settings {
    /// The usual ports on loopback, everything kept in `folder`.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            bind: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            https: 8443,
            mqtt: 8884,
            proxy: 8481,
            folder,
            id_scope: "0ne00000000".into(),
            hubs: vec!["hil-hub.azure-devices.net".into()],
            tls: TlsVersions::default(),
            behaviour: Behaviour::default(),
            limits: Limits::default(),
            format: LineFormat::default(),
            enrolments: Vec::new(),
        }
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// There is no certificate authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The port for {what}, {address}, cannot be listened at: {error}.
    #[error(
        "the port for {what}, {address}, cannot be listened at: {error}; another `hil serve` may run, or choose a port with --{what}"
    )]
    Bind {
        /// Which port.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// The system's words.
        error: std::io::Error,
    },
    /// An enrolment is refused.
    #[error("an enrolment is refused: {0}")]
    Enrolment(#[from] EnrolError),
    /// The services cannot be started.
    #[error("the services cannot be started: {reason}")]
    Start {
        /// Why.
        reason: String,
    },
}

/// A server whose ports are open and who serves once it is run.
pub struct Server {
    engine: Arc<Engine>,
    admission: Arc<Admission>,
    https: Listener,
    mqtt: Listener,
    proxy: Listener,
    ready: Ready,
}

impl Server {
    /// Opens the authority and the ports. What happens comes out of [`Lines`].
    ///
    /// # Errors
    /// A port is in use, the folder cannot be used, or the settings make no server.
    pub async fn bind(settings: Settings) -> Result<(Self, Lines), ServeError> {
        let https = Listener::bind("https", settings.bind, settings.https).await?;
        let mqtt = Listener::bind("mqtt", settings.bind, settings.mqtt).await?;
        let proxy = Listener::bind("proxy", settings.bind, settings.proxy).await?;

        let mut clock = Clock::start();
        let now = date(clock.now());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (authority, standing) = Authority::open(&settings.folder, now, &provider)?;
        let mut names = vec!["global.azure-devices-provisioning.net".to_owned()];
        names.extend(settings.hubs.iter().cloned());
        let identities = authority.identities(&names, now)?;
        let mut seed = [0; 32];
        let no_random = |_| ServeError::Start {
            reason: "the system gives no random numbers".into(),
        };
        provider.secure_random.fill(&mut seed).map_err(no_random)?;
        let mut config = CloudConfig::wall_clock(WallClock {
            provider,
            versions: settings.tls,
            // RSA first, as Azure's own certificates.
            identity: identities.rsa,
            alternatives: vec![identities.ec],
            seed,
            since_1970: Duration::ZERO,
        });
        let id_scope = settings.id_scope;
        config.id_scope = id_scope.clone();
        config.hubs = settings.hubs;
        config.behaviour = settings.behaviour;
        let mut cloud = Cloud::new(config).map_err(|error| ServeError::Start {
            reason: error.to_string(),
        })?;
        for enrolment in settings.enrolments {
            cloud.enrol(enrolment)?;
        }
        let ready = Ready {
            https: https.address(),
            mqtt: mqtt.address(),
            proxy: proxy.address(),
            ca_file: authority.ca_file(),
            authority: standing,
            id_scope,
            host_names: cloud.host_names(),
        };
        let (trace, lines) = Trace::new(settings.format);
        let server = Self {
            engine: Arc::new(Engine::new(cloud, clock, trace)),
            admission: Admission::new(settings.limits),
            https,
            mqtt,
            proxy,
            ready,
        };
        Ok((server, lines))
    }

    /// Where it listens and what its clients need.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Serves until `end` is over, then finishes the connections.
    ///
    /// # Errors
    /// What is kept cannot be written any more.
    pub async fn run(self, end: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self {
            engine,
            admission,
            https,
            mqtt,
            proxy,
            ready,
        } = self;
        engine.note(Incident::Ready(ready));
        let (stopper, stop) = stop();
        let taking = |listener: Listener, port| {
            let handle = carrying(engine.clone(), stop.clone(), port);
            listener.run(engine.clone(), admission.clone(), stop.clone(), handle)
        };
        let (end_engine, end_stop) = (engine.clone(), stop.clone());
        let proxying = proxy.run(
            engine.clone(),
            admission.clone(),
            stop.clone(),
            move |socket, peer, permit| {
                let carrier = Carrier {
                    engine: end_engine.clone(),
                    stop: end_stop.clone(),
                    permit,
                };
                proxy::serve(socket, peer.to_string(), carrier)
            },
        );
        let time = tokio::spawn({
            let engine = engine.clone();
            async move { engine.keep_time().await }
        });
        let ending = async {
            end.await;
            stopper.stop();
        };
        tokio::join!(
            taking(https, Port::Https),
            taking(mqtt, Port::Mqtt),
            proxying,
            ending
        );
        time.abort();
        Ok(())
    }
}

/// What is done with a connection that came in at a kind of port.
fn carrying(
    engine: Arc<Engine>,
    stop: Stop,
    port: Port,
) -> impl Fn(
    tokio::net::TcpStream,
    SocketAddr,
    crate::admission::Permit,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    move |socket, peer, permit| {
        let carrier = Carrier {
            engine: engine.clone(),
            stop: stop.clone(),
            permit,
        };
        Box::pin(async move {
            let destination = Destination::Port(port);
            carrier
                .carry(socket, &peer.to_string(), &destination, &[])
                .await;
        })
    }
}
