//! `hil` on a board: another process holds the virtual board, and `hil` reaches it by socket and
//! pseudo-terminal as it reaches a real one by USB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(all(unix, feature = "virtual-board"))]

#[path = "support/served.rs"]
mod served;
mod support;

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use az3166_board::VIRTUAL_PROBES;
use az3166_board::virtual_board::{Injection, Pace, VirtualBoard, VirtualBoardConfig};
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use served::Served;
use support::{assert_exit, firmware, hil, hil_run, printed, root, scenario, summary};
use tempfile::TempDir;

const SERIAL: &str = "0123456789ABCDEF01234567";
const UID: [u8; 12] = *b"a-test-board";
const PACE: u32 = 10;
const SOON: Duration = Duration::from_secs(60);

/// A rack with one virtual board.
struct Rack {
    board: VirtualBoard,
    folder: TempDir,
    pace: u32,
}

impl Rack {
    fn new() -> Self {
        Self::at_pace(PACE)
    }

    fn at_pace(pace: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let mut board = VirtualBoard::start(VirtualBoardConfig {
            serial: SERIAL.into(),
            uid: UID,
            seed: 1,
            pace: Pace::times(NonZeroU32::new(pace).unwrap()),
        })
        .unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["probes", "locks", "state"] {
            fs::create_dir(at(name)).unwrap();
        }
        board
            .serve_probe(&at("probes").join(format!("{SERIAL}.swd")))
            .unwrap();
        let uid: String = UID.iter().map(|byte| format!("{byte:02x}")).collect();
        let rack = format!(
            "boards:\n  - id: desk\n    probe_serial: {SERIAL}\n    chip_uid: {uid}\n    console: {}\n    tags: [virtual]\n",
            board.console_path()
        );
        fs::write(at("rack.yaml"), rack).unwrap();
        Self {
            board,
            folder,
            pace,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn here(&self, mut command: Command) -> Command {
        command
            .env("HIL_RACK", self.path("rack.yaml"))
            .env("HIL_LOCK_DIR", self.path("locks"))
            .env("HIL_STATE_DIR", self.path("state"))
            .env(VIRTUAL_PROBES, self.path("probes"))
            .env("HIL_VIRTUAL_PACE", self.pace.to_string());
        command
    }

    /// `hil rack` with its outcome.
    fn rack(&self, arguments: &[&str], code: i32) -> String {
        let mut command = hil(["rack"]);
        command.args(arguments);
        let output = self.here(command).output().unwrap();
        assert_exit(&output, code);
        printed(&output)
    }

    fn run(&self, file: &Path, more: &[&str]) -> Output {
        let mut command = hil_run(firmware(), &self.path("out"), ["--target", "board:desk"]);
        command.arg(file).args(more);
        self.here(command).output().unwrap()
    }

    fn until(&self, what: &str, condition: impl Fn(&VirtualBoard) -> bool) {
        let started = Instant::now();
        while !condition(&self.board) {
            assert!(started.elapsed() < SOON, "never came: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn tutorial() -> std::path::PathBuf {
    root().join("scenarios/basics/any-board.yaml")
}

#[test]
fn a_board_is_taken_over_provisioned_and_given_back() {
    let rack = Rack::new();
    let vendor = b"what the vendor left";
    rack.board
        .with(|kit| kit.program(0x0800_C000, vendor))
        .unwrap();

    // Not without being told.
    let refused = rack.run(&tutorial(), &[]);
    assert_exit(&refused, 3);
    assert!(
        printed(&refused).contains("--take-over"),
        "{}",
        printed(&refused)
    );

    let output = rack.run(&tutorial(), &["--take-over"]);
    assert_exit(&output, 0);
    let summary = summary(&rack.path("out"));
    assert_eq!(summary[0]["target"], "board:desk");
    let uid: String = UID.iter().map(|byte| format!("{byte:02x}")).collect();
    let wear = fs::read_to_string(rack.path("state").join("wear").join(format!("{uid}.json")));
    assert_eq!(wear.unwrap().trim_end(), r#"{"zones":{"6":1}}"#);

    // By tag, and nothing is written again.
    let mut command = hil_run(firmware(), &rack.path("out"), ["--target", "board:virtual"]);
    command.arg(tutorial());
    assert_exit(&rack.here(command).output().unwrap(), 0);
    let wear = fs::read_to_string(rack.path("state").join("wear").join(format!("{uid}.json")));
    assert_eq!(wear.unwrap().trim_end(), r#"{"zones":{"6":1}}"#);

    rack.rack(&["restore", "desk"], 0);
    let mut there = vec![0; vendor.len()];
    rack.board
        .with(|kit| kit.read_memory(0x0800_C000, &mut there))
        .unwrap();
    assert_eq!(there, vendor);
}

#[rstest]
#[case::interrupted(Signal::INT)]
#[case::terminated(Signal::TERM)]
#[case::killed(Signal::KILL)]
fn a_signal_leaves_the_board_free(#[case] signal: Signal) {
    let rack = Rack::new();
    let long = "name: long\nneeds: [console]\ndeadline: 8000h\nsteps:\n  - reset: {}\n  - advance: 8000h\n";
    let file = scenario(rack.folder.path(), "long", long);
    let mut command = hil_run(
        firmware(),
        &rack.path("out"),
        ["--target", "board:desk", "--take-over", &file],
    );
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = rack.here(command).spawn().unwrap();
    rack.until("a running firmware", |board| {
        let mut vector = [0; 4];
        let read = board.with(|kit| kit.read_memory(0x0800_C004, &mut vector));
        board.is_claimed() && read.is_ok() && vector != [0xFF; 4]
    });
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    if signal != Signal::KILL {
        assert_eq!(status.code(), Some(3));
    }
    rack.until("a free probe", |board| !board.is_claimed());
    // Lease, probe and console: the next run has them all.
    let quick =
        "name: quick\nneeds: [console]\nsteps:\n  - reset: {}\n  - console: {expect: \"MAC: \"}\n";
    let file = scenario(rack.folder.path(), "quick", quick);
    assert_exit(
        &rack.run(Path::new(&file), &["--wait", "5s", "--take-over"]),
        0,
    );
}

/// A script or a person may hold the board around several runs.
#[test]
fn a_run_has_the_board_by_the_lease_that_it_runs_under() {
    let rack = Rack::new();
    let out = rack.path("out");
    let script = r#"exec "$HIL" run --firmware "$ELF" --out "$OUT" --target board:desk --take-over --wait 5s "$FILE""#;
    let mut command = hil(["rack", "lease", "desk", "--", "sh", "-c", script]);
    command
        .env("HIL", env!("CARGO_BIN_EXE_hil"))
        .env("ELF", firmware())
        .env("OUT", &out)
        .env("FILE", tutorial());
    assert_exit(&rack.here(command).output().unwrap(), 0);
    assert_eq!(summary(&out)[0]["verdict"], "passed");
}

#[test]
fn a_board_that_does_not_answer_is_wedged_until_it_is_brought_back() {
    let rack = Rack::new();
    let marker = rack.path("locks").join(format!("{SERIAL}.wedged"));
    rack.board.inject(Injection::Silence { count: u32::MAX });
    let lost = rack.rack(&["recover", "desk"], 3);
    assert!(lost.contains("the board desk is wedged"), "{lost}");
    assert!(marker.exists());
    rack.board.clear_injections();
    let refused = rack.rack(&["lease", "desk", "--", "true"], 3);
    assert!(refused.contains("hil rack recover desk"), "{refused}");
    let back = rack.rack(&["recover", "desk"], 0);
    assert!(back.contains("the board desk answers"), "{back}");
    assert!(back.contains("612d746573742d626f617264"), "{back}");
    rack.rack(&["lease", "desk", "--", "true"], 0);
}

/// A board and services that run elsewhere, both in real time.
#[test]
fn a_board_registers_with_a_cloud_elsewhere() {
    let rack = Rack::at_pace(1);
    let served = Served::start(&rack.path("cloud"));
    let journal = rack.path("journal");
    let start = |out: &str| {
        let mut command = hil_run(
            firmware(),
            &rack.path(out),
            ["--target", "board:desk", "--cloud", "azure", "--take-over"],
        );
        command.arg(root().join("scenarios/outside"));
        command.arg("--journal").arg(&journal);
        command.envs(&served.environment);
        rack.here(command)
    };
    let left = || fs::read_dir(&journal).map_or(0, Iterator::count);
    let run = start("out").output().unwrap();
    assert_exit(&run, 0);
    assert_eq!(summary(&rack.path("out"))[0]["target"], "board:desk");
    assert_eq!(left(), 0, "what was made is gone");

    // A run that is killed leaves its journal, and a sweep nothing.
    let mut killed = start("killed").stderr(Stdio::null()).spawn().unwrap();
    rack.until("an entry of the journal", |_| left() > 0);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let mut sweep = support::hil(["cloud", "sweep", "--journal"]);
    sweep.arg(&journal).envs(&served.environment);
    assert_exit(&sweep.output().unwrap(), 0);
    assert_eq!(left(), 0);
    rack.until("a free probe", |board| !board.is_claimed());
}
