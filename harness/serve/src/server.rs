//! Everything together: from settings to a running server and its end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use az3166_cloud::{
    Behaviour, Cloud, CloudConfig, EnrolError, Enrolment, FaultError, Port, Quotas, TlsVersions,
    WallClock,
};

use rand_core::SeedableRng as _;
use tokio::net::TcpStream;

use crate::admission::{Admission, Limits, Permit};
use crate::authority::{Authority, AuthorityError};
use crate::clock::{Clock, date};
use crate::connection::Carrier;
use crate::engine::{Destination, Engine};
use crate::faults::{self, FaultsError};
use crate::key_log;
use crate::keys::{self, Service};
use crate::listener::Listener;
use crate::proxy;
use crate::stop::{Stop, stop};
use crate::store::{Store, StoreError};
use crate::trace::{Incident, LineFormat, Lines, Ready, Trace};
use crate::web;

/// The name of the provisioning service in its connection string; the service answers to every
/// name in its domain.
const PROVISIONING_SERVICE: &str = "hil-dps.azure-devices-provisioning.net";

/// How often what was written is brought to the disk.
const SYNCHRONISATION: Duration = Duration::from_secs(1);

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
    /// Port of the web page; 0 for any free one.
    pub web: u16,
    /// The folder of the authority and of everything that is kept.
    pub folder: PathBuf,
    /// The file of what outlives a restart; `state` in the folder without one.
    pub state: Option<PathBuf>,
    /// The ID scope of the provisioning service.
    pub id_scope: String,
    /// Host names of the hubs.
    pub hubs: Vec<String>,
    /// Which versions of TLS are spoken.
    pub tls: TlsVersions,
    /// How the services behave where there is a choice.
    pub behaviour: Behaviour,
    /// How many requests the provisioning service takes.
    pub quotas: Quotas,
    /// The file of fault rules.
    pub faults: Option<PathBuf>,
    /// The file to which the secrets of TLS sessions are appended.
    pub key_log: Option<PathBuf>,
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
            web: 8480,
            folder,
            state: None,
            id_scope: "0ne00000000".into(),
            hubs: vec!["hil-hub.azure-devices.net".into()],
            tls: TlsVersions::default(),
            behaviour: Behaviour::default(),
            quotas: Quotas::default(),
            faults: None,
            key_log: None,
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
    /// What outlives a restart cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key log {path} cannot be opened: {error}.
    #[error("the key log {} cannot be opened: {error}", path.display())]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// The fault file is not one.
    #[error(transparent)]
    Faults(#[from] FaultsError),
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
    web: Listener,
    ready: Ready,
    faults: Option<PathBuf>,
    /// What the user should know before anything else.
    warnings: Vec<String>,
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
        let web = Listener::bind("web", settings.bind, settings.web).await?;

        let mut clock = Clock::start();
        let now = date(clock.now());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (authority, standing) = Authority::open(&settings.folder, now, &provider)?;
        let names = Self::host_names(&settings.hubs);
        let identities = authority.identities(&names, now)?;
        let (mut seed, mut key_seed) = ([0; 32], [0; 32]);
        for seed in [&mut seed, &mut key_seed] {
            let no_random = |_| ServeError::Start {
                reason: "the system gives no random numbers".into(),
            };
            provider.secure_random.fill(seed).map_err(no_random)?;
        }
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
        config.behaviour = settings.behaviour;
        config.quotas = settings.quotas;
        let mut random = rand_chacha::ChaCha20Rng::from_seed(key_seed);
        let service = Service {
            file: "provisioning-connection-string.txt",
            host: PROVISIONING_SERVICE,
            policy: "provisioningserviceowner",
        };
        let (policy, provisioning_connection_string) =
            keys::policy(authority.folder(), service, &mut random)?;
        config.service_policy = Some(policy);
        let Some(first_hub) = settings.hubs.first() else {
            return Err(ServeError::Start {
                reason: "there must be a hub".into(),
            });
        };
        let service = Service {
            file: "hub-connection-string.txt",
            host: first_hub,
            policy: "iothubowner",
        };
        let (policy, hub_connection_string) =
            keys::policy(authority.folder(), service, &mut random)?;
        config.hub_policy = Some(policy);
        config.hubs = settings.hubs;
        let mut cloud = Cloud::new(config).map_err(|error| ServeError::Start {
            reason: error.to_string(),
        })?;
        if let Some(path) = &settings.faults {
            for fault in faults::read(path)? {
                let refused = |error: FaultError| ServeError::Start {
                    reason: error.to_string(),
                };
                cloud.inject(fault).map_err(refused)?;
            }
        }
        let state = settings.state.unwrap_or(settings.folder.join("state"));
        let (mut store, loaded) = Store::open(&state)?;
        let mut warnings = Vec::new();
        if loaded.torn > 0 {
            let (path, bytes) = (state.display(), loaded.torn);
            warnings.push(format!(
                "{path} ended in the middle of a line, which was dropped ({bytes} bytes)"
            ));
        }
        for change in loaded.changes {
            cloud.apply(change);
        }
        let known = cloud.provisioning().enrolments();
        let known: HashMap<&str, &Enrolment> = known
            .map(|enrolment| (enrolment.registration_id.as_str(), enrolment))
            .collect();
        // One that is there already keeps its etag.
        let mut wanted = settings.enrolments;
        wanted
            .retain(|enrolment| known.get(enrolment.registration_id.as_str()) != Some(&enrolment));
        for enrolment in wanted {
            cloud.enrol(enrolment)?;
        }
        cloud.take_changes();
        store.compact(cloud.snapshot())?;
        let ready = Ready {
            https: https.address(),
            mqtt: mqtt.address(),
            proxy: proxy.address(),
            web: web.address(),
            ca_file: authority.ca_file(),
            authority: standing,
            provisioning_connection_string,
            hub_connection_string,
            id_scope,
            host_names: names,
        };
        let (trace, lines) = Trace::new(settings.format);
        let key_log = match settings.key_log {
            None => None,
            Some(path) => match key_log::open(&path) {
                Ok(file) => Some(file),
                Err(error) => return Err(ServeError::KeyLog { path, error }),
            },
        };
        let server = Self {
            engine: Arc::new(Engine::new(cloud, clock, trace, store, key_log)),
            admission: Admission::new(settings.limits),
            https,
            mqtt,
            proxy,
            web,
            ready,
            faults: settings.faults,
            warnings,
        };
        Ok((server, lines))
    }

    /// Every host name that a server with these hubs answers to.
    pub fn host_names(hubs: &[String]) -> Vec<String> {
        let own = [
            "global.azure-devices-provisioning.net",
            PROVISIONING_SERVICE,
        ];
        let own = own.into_iter().map(str::to_owned);
        own.chain(hubs.iter().cloned()).collect()
    }

    /// Where it listens and what its clients need.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// What can be asked of it while it runs.
    pub fn handle(&self) -> Handle {
        Handle {
            engine: self.engine.clone(),
            faults: self.faults.clone(),
        }
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
            web,
            ready,
            warnings,
            ..
        } = self;
        engine.note(Incident::Ready(Box::new(ready)));
        for text in warnings {
            engine.note(Incident::Warning { text });
        }
        let (stopper, stop) = stop();
        let taking = |listener: Listener, entrance| {
            let handle = handler(engine.clone(), stop.clone(), entrance);
            listener.run(engine.clone(), admission.clone(), stop.clone(), handle)
        };
        let browsing = {
            let (web_engine, web_stop) = (engine.clone(), stop.clone());
            let handle = move |socket, _, permit| {
                web::serve(socket, web_engine.clone(), web_stop.clone(), permit)
            };
            web.run(
                engine.clone(),
                Admission::new(web::LIMITS),
                stop.clone(),
                handle,
            )
        };
        let time = tokio::spawn({
            let engine = engine.clone();
            async move { engine.keep_time().await }
        });
        let synchronising = tokio::spawn(synchronise(engine.clone()));
        let ending = async {
            let result = tokio::select! {
                () = end => Ok(()),
                error = engine.failed() => Err(ServeError::Store(error)),
            };
            stopper.stop();
            result
        };
        let ((), (), (), (), result) = tokio::join!(
            taking(https, Entrance::Port(Port::Https)),
            taking(mqtt, Entrance::Port(Port::Mqtt)),
            taking(proxy, Entrance::Proxy),
            browsing,
            ending
        );
        time.abort();
        synchronising.abort();
        result.and(engine.synchronise().map_err(ServeError::Store))
    }
}

/// What can be asked of a server while it runs.
#[derive(Clone)]
pub struct Handle {
    engine: Arc<Engine>,
    faults: Option<PathBuf>,
}

impl Handle {
    /// Reads the fault file anew; the trace tells what came of it. Where it is wrong, the faults
    /// that were in force stay.
    pub fn reload_faults(&self) {
        let Some(path) = &self.faults else {
            let text = "there is no fault file to read anew".into();
            return self.engine.note(Incident::Warning { text });
        };
        let read = faults::read(path).map_err(|error| error.to_string());
        let replaced = read.and_then(|faults| {
            let count = faults.len();
            let replaced = self.engine.replace_faults(faults);
            replaced.map(|()| count).map_err(|error| error.to_string())
        });
        self.engine.note(match replaced {
            Ok(count) => Incident::Note {
                text: format!("{count} faults in force, from {}", path.display()),
            },
            Err(text) => Incident::Warning { text },
        });
    }
}

/// What a connection came in at.
#[derive(Clone, Copy, Debug)]
enum Entrance {
    Port(Port),
    Proxy,
}

/// Brings what was written to the disk, once a second.
async fn synchronise(engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(SYNCHRONISATION).await;
        let engine = engine.clone();
        // A disk may take long, which must not hold up connections.
        let _ = tokio::task::spawn_blocking(move || engine.synchronise_or_fail()).await;
    }
}

/// What is done with a connection.
fn handler(
    engine: Arc<Engine>,
    stop: Stop,
    entrance: Entrance,
) -> impl Fn(TcpStream, SocketAddr, Permit) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    move |socket, peer, permit| {
        let carrier = Carrier {
            engine: engine.clone(),
            stop: stop.clone(),
            permit,
        };
        let peer = peer.to_string();
        match entrance {
            Entrance::Port(port) => Box::pin(async move {
                let destination = Destination::Port(port);
                carrier.carry(socket, &peer, &destination, &[]).await;
            }),
            Entrance::Proxy => Box::pin(proxy::serve(socket, peer, carrier)),
        }
    }
}
