//! `hil serve`: how it starts, what it refuses, how it ends, and a command in a network where
//! Azure's names lead to it.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{hil, output, printed};

/// Free ports for everything.
const PORTS: [&str; 8] = ["--https", "0", "--mqtt", "0", "--web", "0", "--proxy", "0"];

/// How long anything may take on a machine that has much else to do.
const LATE: Duration = Duration::from_secs(60);

/// How long the end may take, with connections that nobody ends.
const SOON: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let own: [(&str, fn()); 8] = [
        ("the_start_says_what_a_client_needs", start),
        ("what_is_kept_is_the_owners_alone", files),
        ("a_kill_loses_nothing", kill),
        ("it_ends_soon_with_connections_open", end),
        ("what_cannot_be_is_refused", refusals),
        ("a_port_in_use_is_named", port_in_use),
        ("faults_are_read_anew", reload),
        ("what_can_be_chosen_is_listed", choices),
    ];
    let own = own.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    let apart: [(&str, fn()); 4] = [
        ("a_command_reaches_the_local_services", command_reaches),
        ("a_command_has_its_files_and_streams", command_files),
        ("the_exit_code_is_the_commands", command_code),
        ("no_process_of_a_command_outlives_hil", command_end),
    ];
    let apart =
        apart.map(|(name, test)| Trial::ignorable_test(name, move || within_namespaces(test)));
    let trials = own.into_iter().chain(apart).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A server in a process of its own.
struct Served {
    child: Child,
    /// Its first line in JSON.
    ready: Value,
}

impl Served {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = hil(["serve", "--json"]);
        command
            .args(PORTS)
            .arg("--ca-dir")
            .arg(folder.join("cloud"));
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        std::thread::spawn(move || lines.count());
        Self { child, ready }
    }

    fn connect(&self, what: &str) -> TcpStream {
        let address: SocketAddr = self.ready[what].as_str().unwrap().parse().unwrap();
        let socket = TcpStream::connect_timeout(&address, LATE).unwrap();
        socket.set_read_timeout(Some(LATE)).unwrap();
        socket
    }

    /// What the web page answers.
    fn browse(&self, path: &str, host: &str) -> String {
        let mut socket = self.connect("web");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The exit code after `signal`.
    fn end_by(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        end_of(&mut self.child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It can only have ended meanwhile.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The exit code of a child that ends soon; nothing for one that a signal ended.
fn end_of(child: &mut Child) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(started.elapsed() < SOON, "it runs on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `is` holds.
fn wait_until(what: &str, is: impl Fn() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < LATE, "{what}: not within {LATE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The permissions of a file.
fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A certificate with this common name, as a PEM file in `folder`.
fn certificate(folder: &Path, name: &str) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let path = folder.join(format!("{name}.pem"));
    fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn start() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = hil(["serve"]);
    command
        .args(PORTS)
        .arg("--ca-dir")
        .arg(folder.path().join("cloud"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    let guide: Vec<String> = lines.take_while(|line| !line.contains(" ready ")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    insta::with_settings!({filters => vec![
        (folder.to_str().unwrap(), "FOLDER"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"to-ports \d+", "to-ports PORT"),
    ]}, {
        insta::assert_snapshot!(guide.join("\n"), @r"
    HTTPS          127.0.0.1:PORT
    MQTT           127.0.0.1:PORT
    CONNECT proxy  127.0.0.1:PORT
    web page       http://127.0.0.1:PORT/
    ID scope       0ne00000000
    hosts          global.azure-devices-provisioning.net hil-dps.azure-devices-provisioning.net hil-hub.azure-devices.net
    trust          FOLDER/cloud/ca.pem
    service API    connection string in FOLDER/cloud/provisioning-connection-string.txt
    hub registry   connection string in FOLDER/cloud/hub-connection-string.txt
    The certificate authority is new.

    Clients connect to ports 443 and 8883 of these hosts. To bring one here, make it trust the file
    above (SSL_CERT_FILE=FOLDER/cloud/ca.pem, NODE_EXTRA_CA_CERTS=FOLDER/cloud/ca.pem, or its own option), and
      - give it the proxy, if it can use one: http://127.0.0.1:PORT
      - or let it run in a network of its own, without root: hil serve -- COMMAND
      - or, with a device or as root, name this machine's address in its hosts file (or DNS) for
          global.azure-devices-provisioning.net hil-dps.azure-devices-provisioning.net hil-hub.azure-devices.net
        and send ports 443 and 8883 here:
          iptables -t nat -A OUTPUT -o lo -p tcp --dport 443 -j REDIRECT --to-ports PORT
          iptables -t nat -A OUTPUT -o lo -p tcp --dport 8883 -j REDIRECT --to-ports PORT
    ");
    });
}

fn files() {
    let folder = tempfile::tempdir().unwrap();
    let [state, keys] = ["my-state", "my-keys"].map(|name| folder.path().join(name));
    let options = [
        "--state",
        state.to_str().unwrap(),
        "--key-log",
        keys.to_str().unwrap(),
    ];
    let served = Served::start(folder.path(), &options);
    let own: PathBuf = folder.path().join("cloud");
    let mut seen = 0;
    for entry in fs::read_dir(&own).unwrap() {
        let path = entry.unwrap().path();
        let is_public = path.ends_with("ca.pem");
        let expected = if is_public { 0o644 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 4);
    assert_eq!(mode(&own), 0o700);
    assert_eq!((mode(&state), mode(&keys)), (0o600, 0o600));
    for name in ["provisioning_connection_string", "hub_connection_string"] {
        let path = served.ready[name].as_str().unwrap();
        let text = fs::read_to_string(path).unwrap();
        let (_, key) = text.trim().split_once("SharedAccessKey=").unwrap();
        assert!(!served.ready.to_string().contains(key));
        assert!(!served.browse("/", "localhost").contains(key));
    }
    assert_eq!(served.end_by(Signal::INT), Some(0));
}

fn kill() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = certificate(folder.path(), "kept-device");
    let enrolment = format!("{certificate},device-id=AZ3166");
    let first = Served::start(folder.path(), &["--enrol", &enrolment]);
    let before = first.browse("/api/enrolments", "localhost");
    assert!(before.contains("kept-device"), "{before}");
    // Azure's is the only name that its certificates are for, and its own the only one of the page.
    let misled = first.browse("/api/enrolments", "evil.example");
    assert!(misled.starts_with("HTTP/1.1 421 "), "{misled}");
    assert!(!misled.contains("kept-device"), "{misled}");
    assert_eq!(first.end_by(Signal::KILL), None);
    let second = Served::start(folder.path(), &[]);
    let after = second.browse("/api/enrolments", "localhost");
    let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&after), body(&before));
    assert_eq!(second.ready["authority"], "kept");
}

fn end() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::start(folder.path(), &[]);
        let idle: Vec<TcpStream> = ["https", "mqtt", "proxy", "web"]
            .map(|what| served.connect(what))
            .into();
        let web = served.ready["web"].as_str().unwrap().to_owned();
        assert_eq!(served.end_by(signal), Some(0), "{signal:?}");
        drop(idle);
        TcpListener::bind(web).unwrap();
    }
}

/// Says that `hil serve` with these arguments ends with `code` and a message that has `texts`.
fn check_refusal(folder: &Path, arguments: &[&str], code: i32, texts: &[&str]) {
    let mut command = hil(["serve"]);
    command
        .args(PORTS)
        .arg("--ca-dir")
        .arg(folder.join("cloud"));
    command.args(arguments);
    let output = output(command);
    let shown = printed(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
    for text in texts {
        assert!(shown.contains(text), "{arguments:?}: no `{text}`: {shown}");
    }
    assert_eq!(shown.matches("error:").count(), 1, "{arguments:?}: {shown}");
}

fn refusals() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let unknown_effect = file("a.yaml", "- {close: null}\n- {clse: null}\n");
    let no_list = file("b.yaml", "close: null\n");
    let foreign = file("foreign", "something else\n");
    let empty = file("empty.pem", "");
    let missing = folder.path().join("missing").join("state");
    let missing = missing.to_str().unwrap();
    let cases: [(&[&str], i32, &[&str]); 13] = [
        (&["--bind", "0.0.0.0"], 2, &["--open-to-network"]),
        (&["--bind", "::"], 2, &["--open-to-network"]),
        (&["--bind", "localhost"], 2, &["--bind <ADDRESS>"]),
        (&["--faults", &unknown_effect], 2, &["a.yaml:2:", "clse"]),
        (
            &["--faults", &no_list],
            2,
            &["b.yaml:1:1", "a list of faults"],
        ),
        (
            &["--faults", missing],
            2,
            &["missing/state", "No such file"],
        ),
        (
            &["--state", &foreign],
            3,
            &["foreign is not a state file", "--state"],
        ),
        (&["--state", missing], 3, &["missing/state", "No such file"]),
        (&["--behaviour", "wrong_scop=1"], 2, &["wrong_scop"]),
        (&["--quota", "pols=1/2"], 2, &["`pols` is none of"]),
        (&["--enrol", &empty], 2, &["empty.pem: no certificate"]),
        (&["--"], 2, &["no command after `--`"]),
        (
            &["--", "no-such-program"],
            2,
            &["no program `no-such-program`"],
        ),
    ];
    for (arguments, code, texts) in cases {
        check_refusal(folder.path(), arguments, code, texts);
    }
}

fn port_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for what in ["--https", "--mqtt", "--web", "--proxy"] {
        let mut command = hil(["serve"]);
        let others = PORTS.chunks(2).filter(|option| option[0] != what);
        command.args(others.flatten()).args([what, &port]);
        command.arg("--ca-dir").arg(folder.path().join("cloud"));
        let output = output(command);
        let shown = printed(&output);
        assert_eq!(output.status.code(), Some(3), "{shown}");
        let told = format!("127.0.0.1:{port}, cannot be listened at");
        assert!(shown.contains(&told), "{shown}");
        assert!(
            shown.contains(&format!("choose a port with {what}")),
            "{shown}"
        );
    }
}

fn reload() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.yaml");
    fs::write(&path, "[]\n").unwrap();
    let served = Served::start(folder.path(), &["--faults", path.to_str().unwrap()]);
    fs::write(&path, "- {close: null}\n- {clse: null}\n").unwrap();
    let process = Pid::from_child(&served.child);
    kill_process(process, Signal::HUP).unwrap();
    let traces = |text: &str| served.browse("/api/trace", "localhost").contains(text);
    wait_until("the mistake is told", || traces("faults.yaml:2:"));
    fs::write(&path, "- {close: null}\n").unwrap();
    kill_process(process, Signal::HUP).unwrap();
    wait_until("the faults are told", || traces("faults in force"));
}

fn choices() {
    for (option, text) in [
        ("--faults", "| `no_common_suite: null` |"),
        ("--behaviour", "unverified"),
    ] {
        let output = output(hil(["serve", option, "help"]));
        let shown = printed(&output);
        assert_eq!(output.status.code(), Some(0), "{shown}");
        assert!(shown.contains(text), "{shown}");
    }
}

/// Runs a test where this machine allows what it needs.
fn within_namespaces(test: fn()) -> Result<Completion, Failed> {
    let unshare = "unshare --user --map-root-user --net --mount mount -t tmpfs tmpfs /tmp";
    for (what, needed) in [
        ("namespaces of a user's own", unshare),
        ("setpriv, of util-linux", "setpriv --version"),
        ("ip, of iproute2", "ip -V"),
        ("curl", "curl --version"),
    ] {
        let mut words = needed.split(' ');
        let tried = Command::new(words.next().unwrap()).args(words).output();
        if !tried.is_ok_and(|output| output.status.success()) {
            return Ok(Completion::ignored_with(format!("it needs {what}")));
        }
    }
    test();
    Ok(Completion::Completed)
}

/// `hil serve -- COMMAND`, everything kept in `folder`.
fn accompanied(folder: &Path, command: &[&str]) -> Command {
    let mut serve = hil(["serve", "--ca-dir"]);
    serve.arg(folder.join("cloud")).arg("--").args(command);
    serve
}

fn run_command(command: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    output(accompanied(folder.path(), command))
}

fn command_reaches() {
    // The authority is found by the variables that are set; names and ports are Azure's own, and a
    // proxy that leads elsewhere is not asked.
    let folder = tempfile::tempdir().unwrap();
    for host in [
        "global.azure-devices-provisioning.net",
        "hil-dps.azure-devices-provisioning.net",
        "hil-hub.azure-devices.net",
    ] {
        let url = format!("https://{host}/nothing");
        let curl = ["curl", "-sS", "-m", "60", "-w", "%{http_code}", &url];
        let mut command = accompanied(folder.path(), &curl);
        command.env("https_proxy", "http://127.0.0.1:9");
        let output = output(command);
        let shown = printed(&output);
        assert_eq!(output.status.code(), Some(0), "{shown}");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.ends_with("404"), "{shown}");
    }
}

fn command_files() {
    let script = "cat \"$SSL_CERT_FILE\" && cut -d ';' -f 1,2 \
        \"$HIL_PROVISIONING_CONNECTION_STRING_FILE\" \"$HIL_HUB_CONNECTION_STRING_FILE\" && \
        cat && echo \"scope $HIL_ID_SCOPE\"";
    let folder = tempfile::tempdir().unwrap();
    let mut child = accompanied(folder.path(), &["sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"typed\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = printed(&output);
    for text in [
        "-----BEGIN CERTIFICATE-----",
        "SharedAccessKeyName=provisioningserviceowner\n",
        "HostName=hil-hub.azure-devices.net;SharedAccessKeyName=iothubowner\n",
        "typed\n",
        "scope 0ne00000000\n",
    ] {
        assert!(shown.contains(text), "{text} is missing: {shown}");
    }
    assert!(
        !shown.contains("hil-hub.azure-devices.net, no client"),
        "the trace is elsewhere"
    );
}

fn command_code() {
    for (script, expected) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15)] {
        let output = run_command(&["sh", "-c", script]);
        assert_eq!(output.status.code(), Some(expected), "{}", printed(&output));
    }
}

/// The processes with `mark` on their command line that run.
fn marked(mark: &str) -> Vec<String> {
    let lines = fs::read_dir("/proc").unwrap().flatten().map(|entry| {
        // A process may end while it is looked at; a zombie has no command line.
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    });
    lines.filter(|line| line.contains(mark)).collect()
}

fn command_end() {
    for (signal, expected) in [
        // The command does not hear of the signal, as it would in a terminal.
        (Signal::INT, Some(128 + 9)),
        (Signal::TERM, Some(128 + 9)),
        (Signal::KILL, None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().to_str().unwrap();
        // A grandchild in a session of its own, which says when it runs.
        let begun = folder.path().join("begun");
        let script = "setsid sh -c 'echo >\"$0/begun\"; sleep 600; :' \"$0\" & sleep 600; :";
        let mut child = accompanied(folder.path(), &["sh", "-c", script, mark])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the command runs", || begun.exists());
        assert!(marked(mark).len() >= 3, "{:?}", marked(mark));
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(end_of(&mut child), expected, "{signal:?}");
        if expected.is_none() {
            let status = child.wait().unwrap();
            assert_eq!(status.signal(), Some(9));
        }
        wait_until("all its processes are gone", || marked(mark).is_empty());
    }
}
