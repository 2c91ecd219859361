//! SIGINT, SIGTERM and SIGHUP end `hil` soon, with exit code 3, without children, and with whole
//! reports of what had ended by then.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{firmware, hil_run, scenario, summary};

/// How long `hil` may take to end, on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(15);

/// How long anything else may take.
const LATE: Duration = Duration::from_secs(300);

/// The variable that marks a run's processes, whatever becomes of their parents and groups.
const MARK: &str = "HIL_TEST_MARK";

const QUICK: &str = "name: quick\nsteps:\n  - reset: {hold: A}\n  - console: {expect: \"MAC: \"}\n";
const LONG: &str = "name: long\nmatrix: {row: {from: 1, to: 1000}}\ndeadline: 8000h\n\
    steps:\n  - reset: {hold: A}\n  - advance: 8000h\n";

/// A child whose lines are read as they come.
struct Running {
    child: Child,
    lines: Receiver<String>,
    mark: String,
}

impl Running {
    fn start(mut command: Command, test: &str) -> Self {
        let mark = format!("{test}-{}", std::process::id());
        command
            .env(MARK, &mark)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Self { child, lines, mark }
    }

    /// Reads until each of `texts` has stood in a line.
    fn wait_for(&self, texts: &[&str]) {
        let started = Instant::now();
        let mut seen: Vec<String> = Vec::new();
        let missing = |seen: &[String]| {
            let mut texts = texts.iter();
            texts.any(|text| !seen.iter().any(|line| line.contains(text)))
        };
        while missing(&seen) {
            let left = LATE.saturating_sub(started.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) => seen.push(line),
                Err(_) => panic!("not all of {texts:?} in\n{}", seen.join("\n")),
            }
        }
    }

    /// Sends `signal`, and says that the end comes soon, with code 3 and without children; returns
    /// the lines that were not read before.
    fn end_by(mut self, signal: Signal) -> Vec<String> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let sent = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(sent.elapsed() < SOON, "it runs on");
            std::thread::sleep(Duration::from_millis(20));
        };
        let lines = std::iter::from_fn(|| self.lines.recv_timeout(SOON).ok());
        let lines: Vec<String> = lines.collect();
        assert_eq!(status.code(), Some(3), "{}", lines.join("\n"));
        let left = marked(&self.mark);
        assert!(left.is_empty(), "still running: {left:?}");
        lines
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only after a test that failed is there anything left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processes with `mark` in their environment that run.
fn marked(mark: &str) -> Vec<String> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        // A process may end while it is looked at; a zombie has no environment.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        if variables.any(|it| it == wanted.as_bytes()) {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    }
    found
}

#[rstest]
#[case::int(Signal::INT)]
#[case::term(Signal::TERM)]
#[case::hup(Signal::HUP)]
fn a_run_ends_with_whole_reports(#[case] signal: Signal) {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let paths = [
        scenario(folder.path(), "a-quick", QUICK),
        scenario(folder.path(), "b-long", LONG),
    ];
    let arguments = ["--json", "--jobs", "2"].into_iter();
    let arguments = arguments.chain(paths.iter().map(String::as_str));
    let command = hil_run(firmware(), out.path(), arguments);
    let run = Running::start(command, &format!("run-{signal:?}"));
    run.wait_for(&["\"scenario_finished\"", "long [row 1]"]);
    assert_eq!(marked(&run.mark).len(), 1, "the search sees hil itself");
    let quick = out.path().join("quick");
    assert_whole(&quick);
    let console = fs::read_to_string(quick.join("console.log")).unwrap();
    assert!(console.contains("MAC: "), "{console}");
    let lines = run.end_by(signal);

    for told in [
        "{\"event\":\"interrupted\"}",
        "error: interrupted: 1 of 1001 scenarios were judged; reports: ",
    ] {
        let is_told = lines.iter().any(|line| line.starts_with(told));
        assert!(is_told, "{}", lines.join("\n"));
    }
    assert_whole(&quick);
    let ended = summary(out.path());
    let verdict = |name: &str| {
        let mut named = ended.iter().filter(|entry| entry["name"] == name);
        named.next().map(|entry| entry["verdict"].clone())
    };
    assert_eq!(verdict("quick"), Some("passed".into()));
    assert_eq!(verdict("long [row 1]"), Some("error".into()));
    assert!(ended.len() <= 3, "no scenario begins after the signal");
    for entry in &ended {
        let name = entry["name"].as_str().unwrap();
        assert_whole(&out.path().join(az3166_event::folder_name(name)));
    }
    assert_no_temporary_files(out.path());
}

/// Says that a scenario's files are all there and none ends in the middle.
fn assert_whole(folder: &Path) {
    let trace = fs::read_to_string(folder.join("trace.jsonl")).unwrap();
    assert!(trace.is_empty() || trace.ends_with('\n'), "{trace}");
    for line in trace.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert!(folder.join("console.log").is_file());
    let png = fs::read(folder.join("display.png")).unwrap();
    assert!(png.ends_with(b"IEND\xae\x42\x60\x82"));
    let capture = fs::read(folder.join("network.pcapng")).unwrap();
    let mut rest = capture.as_slice();
    while !rest.is_empty() {
        // Each block says its length at both ends (pcapng, section 3.1).
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        let (block, after) = rest.split_at(length as usize);
        assert_eq!(block[block.len() - 4..], length.to_le_bytes());
        rest = after;
    }
}

fn assert_no_temporary_files(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.starts_with('.'), "{} was left", path.display());
        if path.is_dir() {
            assert_no_temporary_files(&path);
        }
    }
}

/// A crate whose build script starts a child and never ends.
fn slow_crate(folder: &Path) {
    let manifest =
        "[package]\nname = \"slow\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n";
    let script = "fn main() {\n    \
        std::process::Command::new(\"sleep\").arg(\"600\").status().unwrap();\n}\n";
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("build.rs"), script).unwrap();
    fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
}

#[rstest]
#[case::int(Signal::INT)]
#[case::term(Signal::TERM)]
#[case::hup(Signal::HUP)]
fn a_build_of_firmware_ends_with_its_children(#[case] signal: Signal) {
    let folder = tempfile::tempdir().unwrap();
    slow_crate(folder.path());
    let out = tempfile::tempdir().unwrap();
    let command = hil_run(folder.path(), out.path(), []);
    let run = Running::start(command, &format!("build-{signal:?}"));
    let started = Instant::now();
    let is_reached = || marked(&run.mark).iter().any(|it| it.contains("sleep 600"));
    while !is_reached() {
        assert!(started.elapsed() < LATE, "the build script did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        marked(&run.mark).len() >= 4,
        "hil, cargo, the script and its child"
    );
    let lines = run.end_by(signal);
    let told = "error: the build was cancelled".to_owned();
    assert!(lines.contains(&told), "{}", lines.join("\n"));
}
