//! A server on free loopback ports, and real clients of it: rustls over blocking sockets.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use az3166_cloud::{Behaviour, Enrolment};
use az3166_serve::{Ready, ServeError, Server, Settings};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tokio::sync::oneshot;

pub const DPS: &str = "global.azure-devices-provisioning.net";
pub const HUB: &str = "hil-hub.azure-devices.net";

/// Longer than anything takes on a busy machine.
pub const LATE: Duration = Duration::from_secs(60);

/// Settings with free ports, everything kept in `folder`, and assignments that take no time.
pub fn settings(folder: &Path) -> Settings {
    Settings {
        https: 0,
        mqtt: 0,
        web: 0,
        proxy: 0,
        behaviour: Behaviour {
            assignment_time: Duration::ZERO,
            ..Behaviour::default()
        },
        ..Settings::in_folder(folder.join("cloud"))
    }
}

/// A server that runs in a thread of its own.
pub struct Running {
    pub ready: Ready,
    /// Its lines, in JSON or for people, once it has ended.
    lines: Option<JoinHandle<Vec<String>>>,
    end: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Running {
    pub fn start(settings: Settings) -> Self {
        let (ready_sender, ready) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let (server, lines) = Server::bind(settings).await?;
                let lines = std::thread::spawn(move || lines.collect());
                ready_sender.send((server.ready().clone(), lines)).unwrap();
                server.run(async { drop(ended.await) }).await
            })
        });
        let (ready, lines) = ready.recv_timeout(LATE).expect("the server starts");
        Self {
            ready,
            lines: Some(lines),
            end: Some(end),
            server: Some(server),
        }
    }

    /// Ends the server and returns what it printed.
    pub fn end(mut self) -> Vec<String> {
        self.end.take().unwrap().send(()).unwrap();
        self.server.take().unwrap().join().unwrap().unwrap();
        self.lines.take().unwrap().join().unwrap()
    }

    /// Roots with the server's own.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let file = CertificateDer::from_pem_file(&self.ready.ca_file).unwrap();
        roots.add(file).unwrap();
        roots
    }

    /// A TLS connection to the HTTPS port.
    pub fn https(&self, device: Option<&Device>) -> Client {
        let socket = connect(self.ready.https);
        Client::over(socket, DPS, self.config(device)).unwrap()
    }

    /// A TLS connection to the MQTT port, for the hub.
    pub fn mqtt(&self, device: Option<&Device>) -> Client {
        let socket = connect(self.ready.mqtt);
        Client::over(socket, HUB, self.config(device)).unwrap()
    }

    pub fn config(&self, device: Option<&Device>) -> ClientConfig {
        client_config(self.roots(), device)
    }

    /// An answer of the web page.
    pub fn browse(&self, method: &str, path: &str, host: &str) -> Answer {
        browse(self.ready.web, method, path, host)
    }
}

/// A client's settings: which roots it trusts, and what it shows.
pub fn client_config(roots: RootCertStore, device: Option<&Device>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match device {
        None => builder.with_no_client_auth(),
        Some(device) => {
            let chain = vec![CertificateDer::from(device.certificate.clone())];
            let key = PrivateKeyDer::Pkcs8(device.key.clone_key());
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

/// A shared access signature by the connection string in `file`, for an hour.
pub fn token(file: &Path) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{KeyInit as _, Mac as _};
    let text = std::fs::read_to_string(file).unwrap();
    let member = |name: &str| {
        let mut members = text.trim().split(';');
        members.find_map(|member| member.strip_prefix(name)?.strip_prefix('='))
    };
    let [host, policy, key] =
        ["HostName", "SharedAccessKeyName", "SharedAccessKey"].map(|name| member(name).unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let expires = now.unwrap().as_secs() + 3600;
    let key = STANDARD.decode(key).unwrap();
    let mut code = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    code.update(format!("{host}\n{expires}").as_bytes());
    let signature = STANDARD.encode(code.finalize().into_bytes());
    let signature = signature
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!("SharedAccessSignature sr={host}&sig={signature}&se={expires}&skn={policy}")
}

/// An answer of a web page.
pub fn browse(address: SocketAddr, method: &str, path: &str, host: &str) -> Answer {
    let mut socket = connect(address);
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head[9..12].parse().unwrap(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Some(end), Some(server)) = (self.end.take(), self.server.take()) {
            // Only a test that failed, or one that did not ask for the lines, comes here.
            let _ = end.send(());
            let _ = server.join();
        }
    }
}

/// A device: its certificate and private key.
pub struct Device {
    pub id: String,
    pub certificate: Vec<u8>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Device {
    /// A new P-256 key with a self-signed certificate.
    pub fn new(id: &str) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, id);
        Self {
            id: id.to_owned(),
            certificate: params.self_signed(&key).unwrap().der().to_vec(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
        }
    }

    pub fn enrolment(&self) -> Enrolment {
        Enrolment::x509(&self.id, &self.certificate).unwrap()
    }

    /// Certificate and key as PEM files of this name in `folder`.
    pub fn write_pem(&self, folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
        use base64::Engine as _;
        let pem = |label: &str, der: &[u8]| {
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
        };
        let certificate = folder.join(format!("{}.pem", self.id));
        let key = folder.join(format!("{}.key", self.id));
        std::fs::write(&certificate, pem("CERTIFICATE", &self.certificate)).unwrap();
        std::fs::write(&key, pem("PRIVATE KEY", self.key.secret_pkcs8_der())).unwrap();
        (certificate, key)
    }
}

/// A connected socket whose reads and writes end.
pub fn connect(address: SocketAddr) -> TcpStream {
    try_connect(address).unwrap()
}

/// The same; a server that resets at once may be as quick as this.
pub fn try_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, LATE)?;
    socket.set_read_timeout(Some(LATE))?;
    socket.set_write_timeout(Some(LATE))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// A TLS client.
pub struct Client(pub StreamOwned<ClientConnection, TcpStream>);

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    /// Completes the handshake.
    pub fn over(mut socket: TcpStream, name: &str, config: ClientConfig) -> io::Result<Self> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Self(StreamOwned::new(tls, socket)))
    }

    pub fn request(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        self.request_with(method, path, &format!("Host: {DPS}\r\n"), body)
    }

    /// A request with these header fields, each with its line end.
    pub fn request_with(
        &mut self,
        method: &str,
        path: &str,
        fields: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nContent-Type: application/json\r\n{fields}\
            Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes())?;
        self.answer()
    }

    /// Reads one answer, chunked or with a length.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let lower = head.to_ascii_lowercase();
        let mut body = Vec::new();
        if lower.contains("transfer-encoding: chunked") {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).unwrap();
                let mut chunk = vec![0; size + 2];
                self.0.read_exact(&mut chunk)?;
                if size == 0 {
                    break;
                }
                body.extend_from_slice(&chunk[..size]);
            }
        } else if let Some((_, rest)) = lower.split_once("content-length: ") {
            body = vec![0; rest.lines().next().unwrap().parse().unwrap()];
            self.0.read_exact(&mut body)?;
        }
        Ok(Answer {
            status: head[9..12].parse().unwrap(),
            head,
            body: String::from_utf8(body).unwrap(),
        })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        while !line.ends_with("\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte)?;
            line.push(char::from(byte[0]));
        }
        Ok(line.trim_end().to_owned())
    }

    /// Registers and polls until the end; returns the last body.
    pub fn register(&mut self, id: &str) -> io::Result<Value> {
        let path = format!("/0ne00000000/registrations/{id}");
        let version = "api-version=2021-06-01";
        let body = format!("{{\"registrationId\":\"{id}\"}}");
        let begun = self.request("PUT", &format!("{path}/register?{version}"), &body)?;
        let mut last = begun.json();
        let started = Instant::now();
        while last["status"] == "assigning" {
            assert!(started.elapsed() < LATE, "{last}");
            std::thread::sleep(Duration::from_millis(1));
            let operation = last["operationId"].as_str().unwrap();
            let poll = format!("{path}/operations/{operation}?{version}");
            last = self.request("GET", &poll, "")?.json();
        }
        Ok(last)
    }
}
