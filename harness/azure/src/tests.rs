//! Against `hil serve` on loopback, under its real host names.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use az3166_event::{CloudEvent, VirtualTime};
use az3166_network::{Closing, Opening, Then};
use az3166_runner::outside::{OutsideCloud, OutsideEnrolment};
use az3166_scenario::EnrolmentStatus;
use az3166_serve::{Server, Settings as ServerSettings};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{Azure, Services, Settings, Swept, sweep};

const DPS: &str = "global.azure-devices-provisioning.net";
const SERVICE: &str = "hil-dps.azure-devices-provisioning.net";
const HUB: &str = "hil-hub.azure-devices.net";
const ID: &str = "az-c89346854138v1v6v1";
const LATE: Duration = Duration::from_secs(120);

/// A server, and the environment of whoever uses it.
struct World {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    _end: oneshot::Sender<()>,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = ServerSettings {
            https: 0,
            mqtt: 0,
            web: 0,
            proxy: 0,
            ..ServerSettings::in_folder(folder.path().join("cloud"))
        };
        let (tell, ready) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let (server, lines) = Server::bind(settings).await.unwrap();
                std::thread::spawn(move || lines.count());
                tell.send(server.ready().clone()).unwrap();
                server.run(async { drop(ended.await) }).await.unwrap();
            });
        });
        let ready = ready.recv_timeout(LATE).unwrap();
        let string = |file: &str| {
            let path = folder.path().join("cloud").join(file);
            std::fs::read_to_string(path).unwrap()
        };
        let (https, mqtt) = (ready.https, ready.mqtt);
        let detours =
            format!("{DPS}:443={https} {SERVICE}:443={https} {HUB}:443={https} {HUB}:8883={mqtt}");
        let environment = [
            ("HIL_DPS_ENDPOINT", DPS.to_owned()),
            ("HIL_DPS_ID_SCOPE", "0ne00000000".to_owned()),
            (
                "HIL_DPS_CONNECTION_STRING",
                string("provisioning-connection-string.txt"),
            ),
            (
                "HIL_HUB_CONNECTION_STRING",
                string("hub-connection-string.txt"),
            ),
            ("HIL_CLOUD_DETOURS", detours),
            ("HIL_CLOUD_CA", ready.ca_file.display().to_string()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        Self {
            folder,
            environment: environment.into(),
            _end: end,
        }
    }

    fn settings(&self) -> Settings {
        Settings::read(|name| self.environment.get(name).cloned()).unwrap()
    }

    fn services(&self) -> Services {
        self.settings().services
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn azure(&self) -> Arc<Azure> {
        Azure::start(self.settings(), &self.journal()).unwrap()
    }

    /// What the services have, asked past the session.
    fn has(&self, device_id: &str) -> (bool, bool) {
        let azure = Azure::start(self.settings(), &self.folder.path().join("other")).unwrap();
        let enrolled = azure.clients.provisioning.enrolled_device(ID).unwrap();
        let device = azure.clients.registry.device(device_id).unwrap();
        (enrolled.is_some(), device.is_some())
    }
}

/// A device's certificate and key.
fn identity() -> (Vec<u8>, Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::default();
    let name = &mut parameters.distinguished_name;
    name.push(rcgen::DnType::CommonName, ID);
    let certificate = parameters.self_signed(&key).unwrap();
    (certificate.der().to_vec(), key.serialize_der())
}

fn enrol(session: &mut dyn OutsideCloud, certificate: &[u8]) {
    let enrolment = OutsideEnrolment {
        registration_id: ID,
        certificate,
        device_id: "AZ3166",
        status: EnrolmentStatus::Enabled,
    };
    session.enrol(enrolment).unwrap();
}

/// A connection of the device, past the gateway.
struct Tunnel<'a> {
    session: &'a mut dyn OutsideCloud,
    number: u32,
    inbox: Vec<u8>,
}

const NOW: VirtualTime = VirtualTime::ZERO;

impl Read for Tunnel<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let late = Instant::now() + LATE;
        while self.inbox.is_empty() {
            let sent = self.session.transmit(NOW, self.number);
            self.inbox = sent.bytes;
            match sent.then {
                Then::Continue => {}
                Then::Finish => break,
                Then::Reset => return Err(ErrorKind::ConnectionReset.into()),
            }
            if Instant::now() > late {
                return Err(ErrorKind::TimedOut.into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let length = into.len().min(self.inbox.len());
        into[..length].copy_from_slice(&self.inbox[..length]);
        self.inbox.drain(..length);
        Ok(length)
    }
}

impl Write for Tunnel<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.session.receive(NOW, self.number, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One request of the device, on a connection of its own.
fn request(
    session: &mut dyn OutsideCloud,
    number: u32,
    (certificate, key): &(Vec<u8>, Vec<u8>),
    head: &str,
    body: &str,
) -> Value {
    assert_eq!(session.open(NOW, number, DPS, 443), Opening::Accepted);
    let mut roots = RootCertStore::empty();
    let root = session.trust_anchor().unwrap().to_vec();
    roots.add(CertificateDer::from(root)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from(certificate.clone())],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.clone())),
        )
        .unwrap();
    let name = ServerName::try_from(DPS).unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let tunnel = Tunnel {
        session,
        number,
        inbox: Vec::new(),
    };
    let mut stream = StreamOwned::new(tls, tunnel);
    let length = body.len();
    write!(
        stream,
        "{head}?api-version=2021-06-01 HTTP/1.1\r\nHost: {DPS}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = Vec::new();
    // The server may end without a close_notify.
    let _ = stream.read_to_end(&mut text);
    stream.sock.session.closed(NOW, number, Closing::Finished);
    let text = String::from_utf8(text).unwrap();
    // The body may be in a chunk of its own.
    let (begin, end) = (text.find('{'), text.rfind('}'));
    let (Some(begin), Some(end)) = (begin, end) else {
        panic!("{text}");
    };
    serde_json::from_str(&text[begin..=end]).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Registers through the session's forwarding.
fn register(session: &mut dyn OutsideCloud, identity: &(Vec<u8>, Vec<u8>)) {
    let path = format!("/0ne00000000/registrations/{ID}");
    let body = format!(r#"{{"registrationId":"{ID}"}}"#);
    let head = format!("PUT {path}/register");
    let answer = request(session, 1, identity, &head, &body);
    let operation = answer["operationId"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"));
    let head = format!("GET {path}/operations/{operation}");
    for number in 2..60 {
        let answer = request(session, number, identity, &head, "");
        if answer["status"] == "assigned" {
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("it is not assigned");
}

#[test]
fn a_device_registers_is_seen_in_the_registry_and_is_removed() {
    let world = World::start();
    let azure = world.azure();
    let mut session = azure.session();
    let identity = identity();
    enrol(session.as_mut(), &identity.0);
    register(session.as_mut(), &identity);
    let device_id = session.device_id("AZ3166");
    assert!(device_id.starts_with("hil-") && device_id.ends_with("-AZ3166"));

    let mut events = Vec::new();
    let late = Instant::now() + LATE;
    let is_seen = |event: &CloudEvent| matches!(event, CloudEvent::Registry { .. });
    while !events.iter().any(is_seen) && Instant::now() < late {
        events.extend(session.drain_events().unwrap());
        std::thread::sleep(Duration::from_millis(20));
    }
    // It may have been seen while the service worked on it.
    let [
        ..,
        CloudEvent::Registration {
            state,
            device_id: assigned,
            assigned_hub,
            ..
        },
        CloudEvent::Registry {
            device_id: registered,
            x509_thumbprint: Some(_),
            ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        (state.as_str(), assigned.as_ref()),
        ("assigned", Some(&device_id))
    );
    assert_eq!(
        (assigned_hub.as_deref(), registered),
        (Some(HUB), &device_id)
    );

    assert_eq!(world.has(&device_id), (true, true));
    session.close().unwrap();
    assert_eq!(world.has(&device_id), (false, false));
    drop((session, azure));
    assert_eq!(std::fs::read_dir(world.journal()).unwrap().count(), 0);
}

/// Set in the process that is to die.
const DYING: &str = "HIL_TEST_OF_A_KILLED_RUN";

#[test]
fn what_a_killed_run_left_is_swept() {
    if let Ok(journal) = std::env::var(DYING) {
        die_in_a_run(Path::new(&journal));
    }
    let world = World::start();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::what_a_killed_run_left_is_swept"])
        .envs(&world.environment)
        .env(DYING, world.journal())
        .output()
        .unwrap();
    assert!(!child.status.success());
    let journal = std::fs::read_dir(world.journal()).unwrap().next().unwrap();
    let run = journal.unwrap().path().file_stem().unwrap().to_owned();
    let device_id = format!("{}-AZ3166", run.display());
    assert_eq!(world.has(&device_id), (true, true));

    // A run that goes on meanwhile is left alone.
    let other = world.azure();
    let swept = sweep(&world.services(), &world.journal()).unwrap();
    assert_eq!(swept.len(), 2);
    assert!(swept.contains(&Swept::InUse {
        run: other.run().into()
    }));
    let registration_id = ID.to_owned();
    let removed = Swept::Removed {
        registration_id,
        device_id: device_id.clone(),
    };
    assert!(swept.contains(&removed), "{swept:?}");
    assert_eq!(world.has(&device_id), (false, false));
    drop(other);
    assert_eq!(sweep(&world.services(), &world.journal()).unwrap(), []);
}

fn die_in_a_run(journal: &Path) -> ! {
    let settings = Settings::read(|name| std::env::var(name).ok()).unwrap();
    let azure = Azure::start(settings, journal).unwrap();
    let mut session = azure.session();
    let identity = identity();
    enrol(session.as_mut(), &identity.0);
    register(session.as_mut(), &identity);
    std::process::abort();
}

#[test]
fn somebody_elses_enrolment_is_left_alone() {
    let world = World::start();
    let (mine, other) = (world.azure(), world.azure());
    let (mut first, mut second) = (mine.session(), other.session());
    let (certificate, _) = identity();
    enrol(first.as_mut(), &certificate);
    let enrolment = OutsideEnrolment {
        registration_id: ID,
        certificate: &certificate,
        device_id: "AZ3166",
        status: EnrolmentStatus::Enabled,
    };
    let refused = second.enrol(enrolment).unwrap_err();
    assert!(refused.what.contains("HTTP 409"), "{refused}");
    second.close().unwrap();
    assert!(world.has("nothing").0, "the first one's enrolment is gone");
    first.close().unwrap();
    assert!(!world.has("nothing").0);
}

#[test]
fn wrong_keys_are_refused_and_not_told() {
    let mut world = World::start();
    let key = "d3Jvbmcgd3Jvbmcgd3Jvbmc=";
    for (name, host) in [
        ("HIL_DPS_CONNECTION_STRING", SERVICE),
        ("HIL_HUB_CONNECTION_STRING", HUB),
    ] {
        let policy = "provisioningserviceowner";
        let text = format!("HostName={host};SharedAccessKeyName={policy};SharedAccessKey={key}");
        let right = world.environment.insert(name.into(), text).unwrap();
        let Err(error) = Azure::start(world.settings(), &world.journal()) else {
            panic!("a wrong key is taken");
        };
        let told = format!("{host} refuses the policy `{policy}` with HTTP 401");
        assert!(error.what.starts_with(&told), "{error}");
        assert!(!error.to_string().contains(&key[..8]) && !error.to_string().contains("sig="));
        world.environment.insert(name.into(), right);
    }
    assert!(!world.journal().exists());
}

#[test]
fn an_authority_that_is_not_the_servers_is_not_believed() {
    let mut world = World::start();
    let (certificate, _) = identity();
    let path = world.folder.path().join("other.pem");
    let pem = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
    std::fs::write(&path, pem.cert.pem()).unwrap();
    assert!(CertificateDer::from_pem_file(&path).unwrap().len() > certificate.len() / 2);
    let file = path.display().to_string();
    world.environment.insert("HIL_CLOUD_CA".into(), file);
    let Err(error) = Azure::start(world.settings(), &world.journal()) else {
        panic!("it is believed");
    };
    assert!(error.what.contains("cannot be reached"), "{error}");
}
