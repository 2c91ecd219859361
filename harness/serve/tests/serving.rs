//! Real clients on real sockets: registration, hub, proxy, certificates, limits, the end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use az3166_serve::{Limits, LineFormat, Server, Settings, Standing};
use serde_json::Value;
use support::{Client, DPS, Device, HUB, LATE, Running, connect, settings, try_connect};

fn json(folder: &std::path::Path) -> Settings {
    Settings {
        format: LineFormat::Json,
        ..settings(folder)
    }
}

/// An MQTT CONNECT (MQTT 3.1.1 section 3.1) with a clean session and no keep-alive.
fn connect_packet(client_id: &str, user_name: &str) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let variable = [
        &text("MQTT")[..],
        &[4, 0x82, 0, 0],
        &text(client_id),
        &text(user_name),
    ]
    .concat();
    let length = variable.len();
    let remaining = match length {
        0..128 => vec![length as u8],
        _ => vec![(length % 128) as u8 | 0x80, (length / 128) as u8],
    };
    [&[0x10], &remaining[..], &variable].concat()
}

#[test]
fn a_device_registers_and_meets_its_hub() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new("my-device");
    let enrolments = vec![device.enrolment().with_device_id("AZ3166")];
    let server = Running::start(Settings {
        enrolments,
        ..json(folder.path())
    });
    assert_eq!(server.ready.authority, Standing::Made);
    let state = server.https(Some(&device)).register("my-device").unwrap();
    assert_eq!(state["registrationState"]["assignedHub"], HUB);
    assert_eq!(state["registrationState"]["deviceId"], "AZ3166");

    let mut hub = server.mqtt(Some(&device));
    let user = format!("{HUB}/AZ3166/?api-version=2021-04-12");
    hub.0.write_all(&connect_packet("AZ3166", &user)).unwrap();
    let mut connack = [0; 4];
    hub.0.read_exact(&mut connack).unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);

    // Another connection of the same device ends the first one, which does nothing itself.
    let mut second = server.mqtt(Some(&device));
    second
        .0
        .write_all(&connect_packet("AZ3166", &user))
        .unwrap();
    second.0.read_exact(&mut connack).unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);
    assert_eq!(hub.0.read(&mut [0; 16]).unwrap(), 0);

    let lines = server.end();
    let records: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records[0]["kind"], "ready");
    for (kind, member, value) in [
        ("tls_established", "server_name", DPS),
        ("registration", "state", "assigned"),
        ("mqtt_connect", "client_id", "AZ3166"),
        ("mqtt_disconnect", "reason", "replaced"),
    ] {
        let is_told = |record: &Value| record["kind"] == kind && record[member] == value;
        assert!(records.iter().any(is_told), "{kind} {value}: {lines:#?}");
    }
}

#[test]
fn the_proxy_leads_to_our_services_alone() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new("by-proxy");
    let server = Running::start(Settings {
        enrolments: vec![device.enrolment()],
        ..settings(folder.path())
    });
    let through = |target: &str| {
        let mut socket = connect(server.ready.proxy);
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        let status = String::from_utf8(answer[9..12].to_vec()).unwrap();
        (socket, status)
    };
    let (socket, status) = through(&format!("{DPS}:443"));
    assert_eq!(status, "200");
    let mut client = Client::over(socket, DPS, server.config(Some(&device))).unwrap();
    let state = client.register("by-proxy").unwrap();
    assert_eq!(state["status"], "assigned");
    for target in ["example.com:443", &format!("{DPS}:22"), "127.0.0.1:8443"] {
        assert_eq!(through(target).1, "403", "{target}");
    }
    let mut socket = connect(server.ready.proxy);
    socket
        .write_all(b"GET http://example.com/ HTTP/1.1\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

#[test]
fn the_authority_and_what_was_assigned_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::new("again");
    let first = Running::start(Settings {
        enrolments: vec![device.enrolment()],
        ..settings(folder.path())
    });
    let ca = std::fs::read(&first.ready.ca_file).unwrap();
    let before = first.https(Some(&device)).register("again").unwrap();
    first.end();

    let second = Running::start(settings(folder.path()));
    assert_eq!(second.ready.authority, Standing::Kept);
    assert_eq!(std::fs::read(&second.ready.ca_file).unwrap(), ca);
    let mut client = second.https(Some(&device));
    let path = "/0ne00000000/registrations/again?api-version=2021-06-01";
    let after = client.request("POST", path, "{}").unwrap().json();
    assert_eq!(after, before["registrationState"]);
}

#[test]
fn devices_of_the_registry_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let registry = |server: &Running, method: &str, id: &str, more: &str, body: &str| {
        let token = support::token(&server.ready.hub_connection_string);
        let fields = format!("Host: {HUB}\r\nAuthorization: {token}\r\n{more}");
        let path = format!("/devices/{id}?api-version=2021-04-12");
        let mut client =
            Client::over(connect(server.ready.https), HUB, server.config(None)).unwrap();
        client.request_with(method, &path, &fields, body).unwrap()
    };
    let server = Running::start(settings(folder.path()));
    for id in ["kept", "gone"] {
        let made = registry(
            &server,
            "PUT",
            id,
            "",
            &format!("{{\"deviceId\":\"{id}\"}}"),
        );
        assert_eq!(made.status, 200, "{made:?}");
    }
    let kept = registry(&server, "GET", "kept", "", "").json();
    let key = &kept["authentication"]["symmetricKey"]["primaryKey"];
    assert!(key.as_str().is_some_and(|key| key.len() >= 40), "{kept}");
    server.end();

    let server = Running::start(settings(folder.path()));
    assert_eq!(registry(&server, "GET", "kept", "", "").json(), kept);
    let deleted = registry(&server, "DELETE", "gone", "If-Match: *\r\n", "");
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let lines = server.end();
    let key = key.as_str().unwrap();
    assert!(lines.iter().all(|line| !line.contains(key)), "{lines:#?}");

    let server = Running::start(settings(folder.path()));
    assert_eq!(registry(&server, "GET", "kept", "", "").json(), kept);
    assert_eq!(registry(&server, "GET", "gone", "", "").status, 404);
}

/// What a client's TLS says of its secrets.
#[derive(Debug, Default)]
struct Secrets(Mutex<Vec<String>>);

impl rustls::KeyLog for Secrets {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!(
            "{label} {} {}",
            hex::encode(client_random),
            hex::encode(secret)
        );
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn the_key_log_says_what_clients_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.txt");
    let secrets = Arc::new(Secrets::default());
    for _ in 0..2 {
        let server = Running::start(Settings {
            key_log: Some(path.clone()),
            ..settings(folder.path())
        });
        let mut config = server.config(None);
        config.key_log = secrets.clone();
        let mut client = Client::over(connect(server.ready.https), DPS, config).unwrap();
        client.request("GET", "/", "").unwrap();
        server.end();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, *secrets.0.lock().unwrap());
    assert_eq!(lines.len(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = |mode| std::fs::Permissions::from_mode(mode);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, permissions(0o644)).unwrap();
        let refused = Server::bind(Settings {
            key_log: Some(path),
            ..settings(folder.path())
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime.block_on(refused).err().unwrap().to_string();
        assert!(
            error.ends_with("it is open to other users (mode 644)"),
            "{error}"
        );
    }
}

#[test]
fn connections_beyond_the_limit_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(Settings {
        limits: Limits {
            connections: 3,
            per_source: 2,
        },
        ..json(folder.path())
    });
    let first = server.https(None);
    let _second = server.mqtt(None);
    let refused = try_connect(server.ready.https).and_then(|mut third| third.read(&mut [0; 1]));
    assert!(
        matches!(&refused, Err(error) if error.kind() == ErrorKind::ConnectionReset),
        "{refused:?}"
    );
    drop(first);
    let started = Instant::now();
    // The server may not have seen the end of the first one yet.
    let admitted = || {
        let socket = try_connect(server.ready.https)?;
        Client::over(socket, DPS, server.config(None))
    };
    while admitted().is_err() {
        assert!(started.elapsed() < LATE);
    }
    let lines = server.end();
    let told = "connections from there are open, the limit";
    assert!(lines.iter().any(|line| line.contains(told)), "{lines:#?}");
}

#[test]
fn the_end_finishes_connections_and_lets_the_ports_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(settings(folder.path()));
    let mut idle = server.https(None);
    let mut silent = connect(server.ready.mqtt);
    let address = server.ready.https;
    // What was not taken yet has nobody who could finish it.
    let is_taken = || {
        let trace = server.browse("GET", "/trace", "localhost").body;
        trace.contains("mqtt from ")
    };
    let started = Instant::now();
    while !is_taken() {
        assert!(started.elapsed() < LATE);
    }
    let started = Instant::now();
    let lines = server.end();
    assert!(started.elapsed() < LATE / 2, "it ended by force");
    assert!(idle.0.sock.read(&mut [0; 64]).is_ok());
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
    assert!(lines[0].contains("ready"), "{lines:#?}");
    std::net::TcpListener::bind(address).unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings {
        mqtt: taken.local_addr().unwrap().port(),
        ..settings(folder.path())
    };
    let port = settings.mqtt;
    let error = Server::bind(settings).await.err().unwrap().to_string();
    let begin = format!("the port for mqtt, 127.0.0.1:{port}, cannot be listened at: ");
    assert!(error.starts_with(&begin), "{error}");
    assert!(error.ends_with("choose a port with --mqtt"), "{error}");
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(settings(folder.path()));
    let cloud = folder.path().join("cloud");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cloud), 0o700);
    for entry in std::fs::read_dir(&cloud).unwrap() {
        let path = entry.unwrap().path();
        let expected = if path == server.ready.ca_file {
            0o644
        } else {
            0o600
        };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
    server.end();
    std::fs::set_permissions(&cloud, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bound = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(Server::bind(settings(folder.path())));
    let error = bound.err().unwrap().to_string();
    assert!(
        error.contains("is open to other users (mode 755)"),
        "{error}"
    );
}
