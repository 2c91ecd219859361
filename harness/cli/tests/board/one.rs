//! One board: its first use, its return, its wedging, and who may use it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use az3166_board::virtual_board::Injection;
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::rack::{Rack, TAG, tutorial};
use crate::served::Served;
use crate::support::{assert_exit, firmware, hil, hil_run, printed, root, summary};

#[test]
fn a_board_is_taken_over_provisioned_and_given_back() {
    let rack = Rack::new();
    let vendor = b"what the vendor left";
    rack.board()
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
    let wear = format!("state/wear/{}.json", rack.seats[0].uid);
    assert_eq!(rack.text(&wear), "{\"zones\":{\"6\":1}}\n");

    // By tag, and nothing is written again.
    let mut command = rack.command(TAG, &[]);
    command.arg(tutorial());
    assert_exit(&command.output().unwrap(), 0);
    assert_eq!(rack.text(&wear), "{\"zones\":{\"6\":1}}\n");

    rack.rack(&["restore", "desk"], 0);
    let mut there = vec![0; vendor.len()];
    rack.board()
        .with(|kit| kit.read_memory(0x0800_C000, &mut there))
        .unwrap();
    assert_eq!(there, vendor);
}

/// The emulator is given the board's chip, so that both are the same device to the services. A board
/// may say more: it also runs between two steps.
#[test]
fn a_board_is_compared_with_the_emulator() {
    let rack = Rack::new();
    let out = rack.path("out");
    let targets = "emulator,board:desk";
    let mut command = hil(["parity", "--targets", targets, "--take-over", "--json"]);
    command.arg(tutorial()).arg("--out").arg(&out);
    command.arg("--firmware").arg(firmware());
    let output = rack.here(command).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let pair = &said["pairs"][0];
    let holds = pair["holds"].as_bool().unwrap();
    assert_exit(&output, i32::from(!holds));
    assert_eq!(pair["targets"], "emulator and board:desk");
    assert_eq!(pair["parity"]["compared"], 1, "{said}");
    let differences = pair["parity"]["differences"].as_array().unwrap();
    let mut aspects = differences.iter().map(|it| &it["aspect"]);
    assert!(aspects.all(|aspect| aspect == "console"), "{said}");
    for folder in ["emulator", "board-desk"] {
        assert!(out.join(folder).is_dir(), "{folder}");
    }
}

#[rstest]
#[case::interrupted(Signal::INT)]
#[case::terminated(Signal::TERM)]
#[case::killed(Signal::KILL)]
fn a_signal_leaves_the_board_free(#[case] signal: Signal) {
    let rack = Rack::new();
    let long = "needs: [console]\ndeadline: 8000h\nsteps:\n  - reset: {}\n  - advance: 8000h\n";
    let file = rack.scenario("long", long);
    let mut command = rack.command("desk", &["--take-over"]);
    command
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
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
    let quick = "needs: [console]\nsteps:\n  - reset: {}\n  - console: {expect: \"MAC: \"}\n";
    let file = rack.scenario("quick", quick);
    assert_exit(&rack.run(&file, &["--wait", "5s", "--take-over"]), 0);
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
    let marker = rack.path(&format!("locks/{}.wedged", rack.board().serial()));
    rack.board().inject(Injection::Silence { count: u32::MAX });
    let lost = rack.rack(&["recover", "desk"], 3);
    assert!(lost.contains("the board desk is wedged"), "{lost}");
    assert!(marker.exists());
    rack.board().clear_injections();
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
    let mut sweep = hil(["cloud", "sweep", "--journal"]);
    sweep.arg(&journal).envs(&served.environment);
    assert_exit(&sweep.output().unwrap(), 0);
    assert_eq!(left(), 0);
    rack.until("a free probe", |board| !board.is_claimed());
}

/// A board keeps what a run has written, and a scenario that rests on a new one tells in the flake
/// report.
#[test]
fn repeated_runs_that_do_not_end_alike_are_told() {
    let rack = Rack::new();
    let first_use = "needs: [console, buttons]\nsteps:\n  - reset: {}\n  \
        - console: {expect: \"ERROR: no-uds: \", within: 10s}\n  - reset: {hold: A}\n  \
        - console: {send: \"set_dps_uds 0000000000000000000000000000000000000000000000000000000000000007\", \
        expect: \"INFO: Set DPS UDS successfully.\"}\n";
    let always = "needs: [console]\nsteps:\n  - reset: {}\n  - console: {expect: \"MAC: \"}\n";
    let files = [
        rack.scenario("first use", first_use),
        rack.scenario("always", always),
    ];
    let start = |more: &[&str]| {
        let mut command = rack.command("desk", more);
        command.args(&files);
        command
    };
    let told = start(&["--take-over", "--repeat", "2"]).output().unwrap();
    assert_exit(&told, 1);
    let told = printed(&told);
    let table = "\nsteady: 1 of 2 scenarios\n  flaky first use: of 2 runs 1 passed, 0 of these \
        flaky, 1 failed, 0 not judged\n";
    assert!(told.contains(table), "{told}");
}

/// Whoever shares the rack can use a board after one who lets nobody see his own files.
#[test]
fn what_a_run_leaves_is_for_all_who_share_the_rack() {
    let rack = Rack::new();
    for (folder, mode) in [("locks", 0o3775), ("state", 0o2775)] {
        fs::set_permissions(rack.path(folder), Permissions::from_mode(mode)).unwrap();
    }
    let quick = "needs: [console]\nsteps:\n  - reset: {}\n  - console: {expect: \"MAC: \"}\n";
    let run = rack.command("desk", &["--take-over"]);
    let mut private = Command::new("sh");
    private
        .args(["-c", "umask 077; exec \"$0\" \"$@\""])
        .arg(run.get_program())
        .args(run.get_args())
        .arg(rack.scenario("quick", quick))
        .current_dir(root());
    assert_exit(&rack.here(private).output().unwrap(), 0);
    let (serial, uid) = (rack.board().serial(), &rack.seats[0].uid);
    let modes = [
        (format!("locks/{serial}.gate"), 0o664),
        (format!("locks/{serial}.lock"), 0o664),
        ("state/boards".into(), 0o2775),
        (format!("state/boards/{serial}.json"), 0o664),
        ("state/backup".into(), 0o2775),
        // The firmware of a board may hold secrets.
        (format!("state/backup/{uid}.bin"), 0o640),
    ];
    for (path, expected) in modes {
        let mode = fs::metadata(rack.path(&path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, expected, "{path} has mode {mode:04o}");
    }
}
