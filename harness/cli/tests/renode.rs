//! `hil` and a Renode that is absent, wrong or breaks down. Stand-ins are shell scripts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;
use serde_json::{Value, json};
use support::{assert_exit, firmware, hil, hil_run, output, printed, summary};
use tempfile::TempDir;

const SCENARIO: &str = "scenarios/basics/configuration-screen.yaml";
const NOWHERE: &str = "Renode is neither in RENODE nor in PATH; unpack the Mono build of Renode";

/// A folder with stand-ins: `path/` is meant for PATH.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("path")).unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    /// A Renode of this version, which says `said` and dies when it is started.
    fn renode(&self, name: &str, version: &str, said: &str) -> PathBuf {
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{version}'; exit; fi\necho '{said}'; exit 7\n"
        );
        let path = self.at(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// `command` where only `path/` is searched.
    fn only(&self, mut command: Command) -> Command {
        command.env_remove("RENODE").env("PATH", self.at("path"));
        command
    }

    /// What `hil doctor` says of Renode: whether it is there, what was found, and the remedy.
    fn doctor(&self, set: impl Fn(&mut Command)) -> [String; 3] {
        let mut command = self.only(hil(["doctor", "--json"]));
        command.current_dir(self.at(""));
        set(&mut command);
        let output = output(command);
        let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let check = checks.iter().find(|check| check["what"] == "renode");
        ["state", "found", "remedy"].map(|name| {
            let value = &check.unwrap()[name];
            value.as_str().unwrap_or_default().to_owned()
        })
    }
}

#[test]
fn a_run_without_renode_says_what_is_missing() {
    let desk = Desk::new();
    let out = desk.at("out");
    let run = hil_run(firmware(), &out, ["--target", "renode", SCENARIO]);
    let output = output(desk.only(run));
    assert_exit(&output, 3);
    assert!(printed(&output).contains(NOWHERE), "{}", printed(&output));
    assert!(!out.exists());
}

#[rstest]
#[case::absolute(|desk: &Desk| desk.at("named").into_os_string())]
#[case::relative(|_: &Desk| "./named".into())]
fn the_variable_wins_over_the_path(#[case] named: impl Fn(&Desk) -> std::ffi::OsString) {
    let desk = Desk::new();
    desk.renode("path/renode", "Renode v1.16.0.1", "");
    desk.renode("named", "Renode v1.16.1.1", "");
    let [state, found, _] = desk.doctor(|command| {
        command.env("RENODE", named(&desk));
    });
    assert_eq!(state, "present");
    let path = desk.at("named");
    let expected = format!("1.16.1 (unknown runtime), {}; it would run", path.display());
    assert!(found.starts_with(&expected), "{found}");
}

#[rstest]
#[case::absolute(|desk: &Desk| desk.at("path").into_os_string())]
#[case::relative(|_: &Desk| "nowhere:path".into())]
fn the_path_is_searched(#[case] path: impl Fn(&Desk) -> std::ffi::OsString) {
    let desk = Desk::new();
    let renode = desk.renode("path/renode", "Renode v1.16.0.1", "");
    let [state, found, _] = desk.doctor(|command| {
        command.env("PATH", path(&desk));
    });
    assert_eq!(state, "present");
    let expected = format!(
        "1.16.0 (unknown runtime), {}; it would run",
        renode.display()
    );
    assert!(found.starts_with(&expected), "{found}");
}

#[rstest]
#[case::no_file("/no/such/renode", "RENODE names /no/such/renode, which is no file")]
#[case::no_version("/bin/echo", "/bin/echo does not say its version: ")]
#[case::absent("", "Renode is neither in RENODE nor in PATH")]
fn doctor_says_why_there_is_no_renode(#[case] renode: &str, #[case] why: &str) {
    let [state, found, remedy] = Desk::new().doctor(|command| {
        command.env("RENODE", renode);
    });
    assert_eq!(state, "missing");
    assert!(found.starts_with(why), "{found}");
    assert!(remedy.starts_with("unpack the Mono build"), "{remedy}");
    assert!(!found.contains("unpack"), "told once: {found}");
}

/// It is found relative to where the user is, and started in a folder of its own.
#[test]
fn the_log_of_a_renode_that_does_not_start_is_in_the_report() {
    let desk = Desk::new();
    desk.renode("named", "Renode v1.16.1.1", "no display");
    let out = desk.at("out");
    let scenario = support::root().join(SCENARIO);
    let mut run = hil_run(firmware(), &out, ["--target", "renode"]);
    run.arg(scenario)
        .env("RENODE", "./named")
        .current_dir(desk.at(""));
    let output = output(run);
    assert_exit(&output, 3);
    let seen = printed(&output);
    assert!(
        seen.contains("Renode ended by itself (exit status: 7)"),
        "{seen}"
    );
    let results = summary(&out);
    assert_eq!(results[0]["verdict"], "error");
    let [log] = &*files(&out, "renode.log") else {
        panic!("no log: {seen}");
    };
    assert_eq!(fs::read_to_string(log).unwrap(), "no display\n");
}

fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => files(&path, name),
        false => vec![path],
    });
    found.filter(|path| path.ends_with(name)).collect()
}

fn parity(desk: &Desk, arguments: &[&str], renode: Option<&str>) -> Output {
    let mut command = desk.only(hil(["parity", SCENARIO]));
    command.args(arguments).arg("--out").arg(desk.at("out"));
    command.envs(renode.map(|renode| ("RENODE", renode)));
    output(command)
}

#[test]
fn parity_without_renode_counts_what_it_skips() {
    let desk = Desk::new();
    let output = parity(&desk, &[], None);
    assert_exit(&output, 0);
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = format!("skipped: 1 scenarios on renode: {NOWHERE}");
    assert!(said.starts_with(&expected), "{said}");

    let output = parity(&desk, &["--json"], None);
    assert_exit(&output, 0);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["pairs"], json!([]));
    let skipped = said["skipped_targets"].as_array().unwrap();
    assert_eq!(
        (skipped.len(), &skipped[0]["target"]),
        (1, &json!("renode"))
    );
    let reason = skipped[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with(NOWHERE), "{reason}");

    let output = parity(&desk, &["--targets", "emulator,renode"], None);
    assert_exit(&output, 3);
    assert!(printed(&output).contains(NOWHERE), "{}", printed(&output));
}

/// Where it should run, a parity that compares nothing would pass unseen.
#[rstest]
#[case::no_file(
    Some("/no/such/renode"),
    "RENODE names /no/such/renode, which is no file; "
)]
#[case::no_version(Some("/bin/echo"), "/bin/echo does not say its version: ")]
#[case::broken_in_the_path(None, "path/renode does not say its version: it says `oops`; ")]
fn parity_with_a_wrong_renode_is_an_error(#[case] renode: Option<&str>, #[case] why: &str) {
    let desk = Desk::new();
    desk.renode("path/renode", "oops", "");
    let output = parity(&desk, &[], renode);
    assert_exit(&output, 3);
    assert!(printed(&output).contains(why), "{}", printed(&output));
}

#[cfg(not(feature = "board"))]
#[rstest]
#[case(&["parity", "--targets", "emulator,board:x", SCENARIO], "`cargo hil-board parity --targets emulator,board:x`")]
#[case(&["run", "--target", "board:x", SCENARIO], "`cargo hil-board run --target board:x`")]
fn a_build_without_boards_says_which_has_them(#[case] command: &[&str], #[case] advice: &str) {
    let output = output(hil(command.iter().copied()));
    assert_exit(&output, 3);
    assert!(printed(&output).contains(advice), "{}", printed(&output));
}
