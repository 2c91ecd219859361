//! A server that is killed in mid-load: nothing that a device was told is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use az3166_cloud::Enrolment;
use az3166_serve::{LineFormat, Server, Settings};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use support::{Client, DPS, Device, LATE, browse, client_config, settings, try_connect};

/// Names the child's folder.
const FOLDER: &str = "HIL_SERVE_TEST_FOLDER";

const DEVICES: usize = 240;
const ROUNDS: usize = 4;

/// The server that is killed: this test does nothing but in a child.
#[test]
fn a_child_serves() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let mut enrolments = Vec::new();
    for entry in std::fs::read_dir(folder.join("devices")).unwrap() {
        let path = entry.unwrap().path();
        let id = path.file_name().unwrap().to_str().unwrap().to_owned();
        enrolments.push(Enrolment::x509(&id, &std::fs::read(&path).unwrap()).unwrap());
    }
    let settings = Settings {
        enrolments,
        format: LineFormat::Json,
        ..settings(folder)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (server, lines) = Server::bind(settings).await.unwrap();
        std::thread::spawn(move || lines.for_each(|line| println!("{line}")));
        server.run(std::future::pending()).await.unwrap();
    });
}

/// A child that is killed when the test ends, however it ends.
struct Victim(Child, Value);

impl Victim {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_child_serves", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                // The test harness may have begun the line.
                let line = &line[line.find('{')?..];
                serde_json::from_str::<Value>(line).ok()
            })
            .expect("the child is ready");
        assert_eq!(ready["kind"], "ready", "{ready}");
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self(child, ready)
    }

    fn address(&self, what: &str) -> SocketAddr {
        self.1[what].as_str().unwrap().parse().unwrap()
    }

    fn kill(mut self) {
        // SIGKILL.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    let devices: Vec<Device> = (0..DEVICES)
        .map(|n| Device::new(&format!("dev-{n}")))
        .collect();
    std::fs::create_dir(folder.path().join("devices")).unwrap();
    for device in &devices {
        let path = folder.path().join("devices").join(&device.id);
        std::fs::write(path, &device.certificate).unwrap();
    }
    let acknowledged = Mutex::new(BTreeSet::new());
    let mut per_round = Vec::new();
    for round in 0..ROUNDS {
        let server = Victim::start(folder.path());
        assert_eq!(missing(&server, &acknowledged), BTreeSet::new());
        let before = acknowledged.lock().unwrap().len();
        let mut roots = RootCertStore::empty();
        let ca = server.1["ca_file"].as_str().unwrap();
        roots
            .add(CertificateDer::from_pem_file(ca).unwrap())
            .unwrap();
        let address = server.address("https");
        let mine = &devices[round * DEVICES / ROUNDS..(round + 1) * DEVICES / ROUNDS];
        std::thread::scope(|scope| {
            for part in mine.chunks(mine.len() / 3) {
                let (roots, acknowledged) = (&roots, &acknowledged);
                scope.spawn(move || register(address, roots, part, acknowledged));
            }
            let started = std::time::Instant::now();
            while acknowledged.lock().unwrap().len() < before + 5 + 7 * round {
                assert!(started.elapsed() < LATE, "nothing registers");
                std::thread::sleep(Duration::from_millis(1));
            }
            server.kill();
        });
        per_round.push(acknowledged.lock().unwrap().len() - before);
    }
    let server = Victim::start(folder.path());
    assert_eq!(missing(&server, &acknowledged), BTreeSet::new());
    assert!(per_round.iter().all(|count| *count >= 5), "{per_round:?}");
    assert!(
        acknowledged.lock().unwrap().len() < DEVICES,
        "no kill was in mid-load: {per_round:?}"
    );
}

/// Registers devices until the server is gone.
fn register(
    address: SocketAddr,
    roots: &RootCertStore,
    devices: &[Device],
    acknowledged: &Mutex<BTreeSet<String>>,
) {
    for device in devices {
        let registered = try_connect(address).and_then(|socket| {
            let config = client_config(roots.clone(), Some(device));
            Client::over(socket, DPS, config)?.register(&device.id)
        });
        match registered {
            Ok(state) => {
                assert_eq!(state["status"], "assigned", "{state}");
                acknowledged.lock().unwrap().insert(device.id.clone());
            }
            Err(_) => return,
        }
    }
}

/// What was acknowledged and is not there.
fn missing(server: &Victim, acknowledged: &Mutex<BTreeSet<String>>) -> BTreeSet<String> {
    let mut missing = acknowledged.lock().unwrap().clone();
    for page in 1.. {
        let path = format!("/api/registrations?page={page}");
        let answer = browse(server.address("web"), "GET", &path, "localhost").json();
        let rows = answer["rows"].as_array().unwrap();
        for row in rows.iter().filter(|row| row["state"] == "assigned") {
            missing.remove(row["registration_id"].as_str().unwrap());
        }
        if rows.is_empty() {
            break;
        }
    }
    missing
}
