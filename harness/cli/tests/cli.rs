//! `hil run` from outside: exit codes, choosing scenarios, reports, firmware of a user's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;
use serde_json::Value;
use support::{assert_exit, firmware, hil, hil_run, output, printed, scenario, summary};

const SCREEN: &str = "scenarios/basics/configuration-screen.yaml";
const SCREEN_NAME: &str = "button A at reset shows the configuration screen";

const PASSING: &str =
    "name: passing\nsteps:\n  - reset: {hold: A}\n  - console: {expect: \"MAC: \"}\n";
const FAILING: &str = "name: failing\nvars: {word: nonsense}\nsteps:\n  - reset: {hold: A}\n  \
    - console: {expect: \"${word}\", within: 1s}\n";
/// There is no enrolment that could be removed, whatever the device does.
const ERRONEOUS: &str = "name: erroneous\nsteps:\n  - unenrol: nobody\n";
/// A user's firmware is no mutant of ours.
const SKIPPED: &str = "name: skipped\nfirmware: leak-uds\nsteps: [reset: {}]\n";
const MALFORMED: &str = "name: malformed\nsteps:\n  - frobnicate\n";

/// A folder with scenario files, and one for reports.
struct Desk {
    folder: tempfile::TempDir,
    paths: Vec<String>,
}

impl Desk {
    fn new(texts: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &&str| {
            let name = text["name: ".len()..].lines().next().unwrap();
            scenario(folder.path(), name, text)
        };
        let paths = texts.iter().map(write).collect();
        Self { folder, paths }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        self.run_on(firmware(), arguments)
    }

    fn run_on(&self, elf: &Path, arguments: &[&str]) -> std::process::Output {
        let paths = self.paths.iter().map(String::as_str);
        let arguments = arguments.iter().copied().chain(paths);
        output(hil_run(elf, &self.out(), arguments))
    }
}

#[rstest]
#[case::passed(&[PASSING], 0)]
#[case::failed(&[PASSING, FAILING], 1)]
#[case::malformed(&[PASSING, FAILING, MALFORMED], 2)]
#[case::infrastructure(&[PASSING, FAILING, ERRONEOUS], 3)]
fn exit_codes(#[case] texts: &[&str], #[case] code: i32) {
    let desk = Desk::new(texts);
    assert_exit(&desk.run(&[]), code);
    assert_eq!(desk.out().join("summary.json").exists(), code != 2);
}

#[test]
fn a_failure_is_shown_where_it_stands() {
    let desk = Desk::new(&[FAILING]);
    let output = desk.run(&[]);
    let shown = printed(&output);
    for part in [
        "FAIL failing",
        "step 2, `console`, failed at ",
        "failing.yaml:5:5",
        "^^^^^^^",
        "expected: a console line with `nonsense`",
        "last lines: ",
        "1 scenario: 0 passed, 1 failed",
    ] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
}

#[rstest]
#[case::no_such_file("/nowhere/at/all.elf", "reading /nowhere/at/all.elf failed: ", 2)]
#[case::not_an_elf("README.md", "not a 32-bit little-endian ELF file", 2)]
#[case::no_crate("scenarios", "there is no Cargo.toml in scenarios", 2)]
fn firmware_that_is_none(#[case] path: &str, #[case] message: &str, #[case] code: i32) {
    let folder = tempfile::tempdir().unwrap();
    let output = output(hil_run(Path::new(path), folder.path(), [SCREEN]));
    assert_exit(&output, code);
    let shown = printed(&output);
    assert!(shown.contains(message), "{shown}");
}

#[test]
fn firmware_that_does_not_compile_is_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[package]\nname = \"broken\"\nversion = \"1.0.0\"\n[workspace]\n";
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(
        folder.path().join("src/main.rs"),
        "compile_error!(\"on purpose\");",
    )
    .unwrap();
    let desk = Desk::new(&[FAILING]);
    let output = desk.run_on(folder.path(), &[]);
    assert_exit(&output, 3);
    let shown = printed(&output);
    assert!(shown.contains("on purpose"), "{shown}");
}

#[test]
fn list_runs_nothing() {
    let output = output(hil(["run", "--list", "scenarios/basics"]));
    assert_exit(&output, 0);
    let shown = printed(&output);
    assert!(
        shown.contains(SCREEN_NAME) && shown.contains(SCREEN),
        "{shown}"
    );
    let listed = output_json(&["run", "--list", "--json", "scenarios/basics"]);
    let names = listed["scenarios"].as_array().unwrap();
    assert!(names.iter().any(|entry| entry["name"] == SCREEN_NAME));
}

fn output_json(arguments: &[&str]) -> Value {
    let output = output(hil(arguments.iter().copied()));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The names that `hil run --list` gives for the scenarios of a desk.
fn listed(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let paths = desk.paths.iter().map(String::as_str);
    let arguments: Vec<&str> = ["run", "--list", "--json"]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(paths)
        .collect();
    let listed = output_json(&arguments);
    let names = listed["scenarios"].as_array().unwrap().iter();
    names
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

#[rstest]
#[case::all(&[], &["failing", "passing", "tagged"])]
#[case::one_glob(&["--filter", "*ing"], &["failing", "passing"])]
#[case::two_globs(&["--filter", "fail*", "--filter", "tag?ed"], &["failing", "tagged"])]
#[case::tag(&["--tag", "slow"], &["tagged"])]
#[case::nightly_only_by_tag(&["--tag", "nightly"], &["every night"])]
#[case::tag_and_glob(&["--tag", "slow", "--filter", "p*"], &[])]
fn choosing(#[case] arguments: &[&str], #[case] names: &[&str]) {
    let tagged = "name: tagged\ntags: [slow]\nsteps: [reset: {}]\n";
    let nightly = "name: every night\ntags: [nightly]\nsteps: [reset: {}]\n";
    let desk = Desk::new(&[PASSING, FAILING, tagged, nightly]);
    let mut found = listed(&desk, arguments);
    found.sort();
    assert_eq!(found, names);
}

#[rstest]
#[case::none_matches(&["--filter", "no such name"], "no scenario matches")]
#[case::glob(&["--filter", "a{b"], "--filter: ")]
#[case::unknown_variable(&["--set", "wurd=x"], "--set wurd: no scenario has this variable; there are word")]
#[case::no_value(&["--set", "word"], "give KEY=VALUE")]
#[case::jobs(&["--jobs", "0"], "--jobs")]
#[case::target(&["--target", "toaster"], "toaster")]
fn wrong_choices(#[case] arguments: &[&str], #[case] message: &str) {
    let output = Desk::new(&[FAILING]).run(arguments);
    assert_exit(&output, 2);
    let shown = printed(&output);
    assert!(shown.contains(message), "{shown}");
}

#[test]
fn a_variable_is_set() {
    let desk = Desk::new(&[FAILING]);
    let output = desk.run(&["--set", "word=Firmware version"]);
    assert_exit(&output, 0);
}

#[test]
fn json_is_one_object_a_line() {
    let desk = Desk::new(&[PASSING, FAILING]);
    let output = desk.run(&["--json", "--jobs", "1"]);
    assert_exit(&output, 1);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events = |name: &str| lines.iter().filter(|line| line["event"] == name).count();
    assert_eq!(lines[0]["event"], "run_started");
    assert_eq!(events("scenario_started"), 2);
    assert_eq!(events("scenario_finished"), 2);
    let last = lines.last().unwrap();
    assert_eq!(last["event"], "run_finished");
    assert_eq!(
        (&last["counts"]["passed"], &last["counts"]["failed"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn reports_lie_where_they_are_asked_for() {
    let desk = Desk::new(&[PASSING]);
    let junit = desk.folder.path().join("junit-elsewhere.xml");
    let output = desk.run(&["--seed", "5", "--junit", junit.to_str().unwrap()]);
    assert_exit(&output, 0);
    let folder = desk.out().join("passing");
    for file in [
        "trace.jsonl",
        "console.log",
        "display.png",
        "network.pcapng",
    ] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    let xml = fs::read_to_string(junit).unwrap();
    assert_eq!(
        xml,
        fs::read_to_string(desk.out().join("junit.xml")).unwrap()
    );
    for part in ["<testsuites", "passing", "\"seed\" value=\"5\""] {
        assert!(xml.contains(part), "`{part}` is not in\n{xml}");
    }
    let entry = &summary(&desk.out())[0];
    assert_eq!(
        (&entry["name"], &entry["verdict"]),
        (&"passing".into(), &"passed".into())
    );
    assert!(entry["virtual_seconds"].as_f64().unwrap() > 0.0);
    assert!(entry["instructions"].as_u64().unwrap() > 100_000);
    assert_eq!(entry["trace_sha256"].as_str().unwrap().len(), 64);
}

/// Our firmware with its link channel renamed, as a user's that has none.
fn firmware_without_link(folder: &Path) -> PathBuf {
    let mut elf = fs::read(firmware()).unwrap();
    let name = b"hil-link";
    let mut renamed = 0;
    for at in 0..elf.len() - name.len() {
        if &elf[at..at + name.len()] == name {
            elf[at] = b'x';
            renamed += 1;
        }
    }
    assert!(renamed > 0, "the ELF file does not name its channel");
    let path = folder.join("without-link.elf");
    fs::write(&path, elf).unwrap();
    path
}

#[test]
fn firmware_without_a_link_runs_what_needs_none() {
    let network = "name: network\nsteps:\n  - reset: {hold: A}\n  - console: {expect: \"MAC: \"}\n  \
        - expect_registration: {status: none}\n  - console: {send: version, expect: \"Firmware version\"}\n";
    let desk = Desk::new(&[PASSING, network]);
    let elf = firmware_without_link(desk.folder.path());
    let output = desk.run_on(&elf, &[]);
    assert_exit(&output, 0);
    let shown = printed(&output);
    assert!(shown.contains("firmware has no link channel"), "{shown}");
    assert!(shown.contains("1 passed"), "{shown}");
    assert!(shown.contains("1 skipped"), "{shown}");
    let console = fs::read_to_string(desk.out().join("network/console.log")).unwrap();
    assert!(
        console.matches("Firmware version").count() >= 2,
        "the last step ran: {console}"
    );
}

#[test]
fn what_needs_another_build_of_ours_is_skipped_with_a_users_firmware() {
    let mutant = "name: mutant\nfirmware: leak-uds\nsteps: [reset: {}]\n";
    let desk = Desk::new(&[PASSING, mutant]);
    let output = desk.run(&[]);
    assert_exit(&output, 0);
    let shown = printed(&output);
    assert!(
        shown.contains("this run has no firmware `leak-uds`"),
        "{shown}"
    );
}

/// Its reports are written whatever becomes of what it tells people.
#[cfg(target_os = "linux")]
#[rstest]
#[case::reader_gone(None)]
#[case::disk_full(Some("/dev/full"))]
fn a_run_that_nobody_hears_ends_all_the_same(#[case] heard_by: Option<&str>) {
    use std::process::Stdio;
    let stream = || match heard_by {
        Some(file) => Stdio::from(fs::OpenOptions::new().write(true).open(file).unwrap()),
        None => Stdio::piped(),
    };
    let desk = Desk::new(&[PASSING]);
    let mut command = hil_run(firmware(), &desk.out(), []);
    command.args(&desk.paths).stdout(stream()).stderr(stream());
    let mut child = command.spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(summary(&desk.out())[0]["verdict"], "passed");
}

#[test]
fn a_reader_that_goes_away_is_no_mistake() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_hil"))
        .arg("schema")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

/// The flake report, in the order of the files: name, then runs, passed, flaky, failed, errors,
/// skipped and traces.
#[rstest]
#[case::once(&["--repeat", "1"], &[PASSING, FAILING], &[])]
#[case::steady(&["--repeat", "3"], &[PASSING, FAILING, ERRONEOUS, SKIPPED], &[
    ("erroneous", [3, 0, 0, 0, 3, 0, 0]),
    ("failing", [3, 0, 0, 3, 0, 0, 1]),
    ("passing", [3, 3, 0, 0, 0, 0, 1]),
    ("skipped", [3, 0, 0, 0, 0, 3, 0]),
])]
#[case::tried_again(&["--repeat", "2", "--retries", "1"], &[FAILING], &[
    ("failing", [2, 0, 0, 2, 0, 0, 1]),
])]
fn repeated_runs_are_compared(
    #[case] arguments: &[&str],
    #[case] texts: &[&str],
    #[case] report: &[(&str, [u64; 7])],
) {
    let desk = Desk::new(texts);
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let output = desk.run(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let rows: Vec<(&str, [u64; 7])> = last["steadiness"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let members = [
                "runs", "passed", "flaky", "failed", "errors", "skipped", "traces",
            ];
            let numbers = members.map(|member| row[member].as_u64().unwrap());
            (row["name"].as_str().unwrap(), numbers)
        })
        .collect();
    assert_eq!(rows, report);
    // The same in the folder of the reports, where each run is told of by itself.
    let summary_text = fs::read(desk.out().join("summary.json")).unwrap();
    let whole: Value = serde_json::from_slice(&summary_text).unwrap();
    let written = &whole["steadiness"];
    match report.is_empty() {
        true => assert_eq!(*written, Value::Null),
        false => assert_eq!(*written, last["steadiness"]),
    }
    let page = fs::read_to_string(desk.out().join("index.html")).unwrap();
    assert_eq!(
        page.contains("Runs of the same scenario"),
        !report.is_empty()
    );
    for (name, [runs, ..]) in report {
        for run in 1..=*runs {
            let name = match run {
                1 => (*name).to_owned(),
                _ => format!("{name} (run {run})"),
            };
            let found = summary(&desk.out()).iter().any(|it| it["name"] == name);
            assert!(found, "{name} is not in summary.json");
        }
    }
}

#[test]
fn repeated_runs_that_end_alike_are_steady() {
    let output = Desk::new(&[PASSING, FAILING]).run(&["--repeat", "2"]);
    assert_exit(&output, 1);
    let shown = printed(&output);
    assert!(shown.contains("\nsteady: 2 of 2 scenarios\n\n"), "{shown}");
    assert!(
        shown.contains("\n4 scenarios: 2 passed, 2 failed"),
        "{shown}"
    );
}

/// Without the feature; with it the boards are looked for.
#[cfg(not(feature = "board"))]
#[test]
fn a_board_needs_a_build_that_can_reach_it() {
    let desk = Desk::new(&[PASSING]);
    let refused = desk.run(&["--target", "board:lab-1"]);
    assert_exit(&refused, 3);
    assert_eq!(
        printed(&refused),
        "error: this build of hil cannot reach boards; use `cargo hil-board run --target board:lab-1`\n"
    );
    assert!(!desk.out().exists(), "nothing was run");
}
