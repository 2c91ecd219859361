//! `hil rack` from outside, with real processes: locks, waits, the death of a holder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{assert_exit, hil, output, printed};

/// How long anything may take on a machine that has much else to do.
const LATE: Duration = Duration::from_secs(60);

const RACK: &str = "boards:
  - {id: lab-1, probe_serial: 066EFF, chip_uid: 31002f000d51373239363832, tags: [lab]}
  - {id: lab-2, probe_serial: 066F, tags: [lab], quarantine: {until: 2999-12-31, ticket: '#12'}}
";

/// A rack in a folder of its own.
struct Rack(tempfile::TempDir);

impl Rack {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rack.yaml"), RACK).unwrap();
        for name in ["locks", "state"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn hil(&self, arguments: &[&str]) -> Command {
        let mut command = hil(["rack"]);
        command
            .args(arguments)
            .env("HIL_RACK", self.path().join("rack.yaml"))
            .env("HIL_LOCK_DIR", self.path().join("locks"))
            .env("HIL_STATE_DIR", self.path().join("state"))
            .env("HIL_JOB", "a test")
            .stdin(Stdio::null());
        command
    }

    /// `hil` holding lab-1 while a shell script runs.
    fn lease(&self, script: &str) -> Command {
        self.hil(&["lease", "lab-1", "--wait", "60s", "--", "sh", "-c", script])
    }

    /// Starts a holder of lab-1 and waits until it holds it.
    fn hold(&self, script: &str) -> Child {
        let marker = self.path().join("held");
        let script = format!("echo $$ > {}; {script}", marker.display());
        let child = self.lease(&script).spawn().unwrap();
        wait_until(|| fs::read_to_string(&marker).is_ok_and(|pid| pid.ends_with('\n')));
        child
    }

    fn held_by(&self) -> i32 {
        let pid = fs::read_to_string(self.path().join("held")).unwrap();
        pid.trim().parse().unwrap()
    }
}

fn wait_until(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LATE, "it does not come about");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_command_hears_of_its_board_and_its_code_is_ours() {
    let rack = Rack::new();
    let script = "echo $HIL_BOARD_ID $HIL_PROBE_SERIAL $HIL_CHIP $HIL_SPEED_KHZ $HIL_CHIP_UID $HIL_BOARD_TAGS; exit 42";
    let done = output(rack.lease(script));
    assert_exit(&done, 42);
    assert_eq!(
        String::from_utf8_lossy(&done.stdout),
        "lab-1 066EFF STM32F412ZG 4600 31002f000d51373239363832 lab\n"
    );
    let killed = output(rack.lease("kill -TERM $$"));
    assert_exit(&killed, 128 + 15);
}

#[test]
fn a_held_board_is_shown_and_not_given_away() {
    let rack = Rack::new();
    let mut holder = rack.hold("exec sleep 600");
    let list = output(rack.hil(&["list", "--json"]));
    assert_exit(&list, 0);
    let rows: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(rows[0]["held"], true);
    assert_eq!(rows[0]["holder"]["pid"], holder.id());
    assert_eq!(rows[0]["holder"]["job"], "a test");
    assert_eq!(rows[1]["held"], false);

    let refused = output(rack.hil(&["lease", "lab-1", "--wait", "200ms", "--", "true"]));
    assert_exit(&refused, 3);
    let told = printed(&refused);
    assert!(told.contains("the board lab-1 is held by"), "{told}");
    assert!(told.contains(&format!("pid {}", holder.id())), "{told}");
    kill_process(Pid::from_raw(rack.held_by()).unwrap(), Signal::KILL).unwrap();
    assert_eq!(holder.wait().unwrap().code(), Some(128 + 9));
}

#[test]
fn a_killed_holder_leaves_the_board_once_its_command_ends() {
    let rack = Rack::new();
    let mut holder = rack.hold("exec sleep 600");
    holder.kill().unwrap();
    holder.wait().unwrap();
    let refused = output(rack.hil(&["lease", "lab-1", "--wait", "100ms", "--", "true"]));
    assert_exit(&refused, 3);
    kill_process(Pid::from_raw(rack.held_by()).unwrap(), Signal::KILL).unwrap();
    assert_exit(&output(rack.lease("true")), 0);
}

/// `hil rack lease x -- cargo hil-board run --target board:x` must not wait for itself.
#[test]
fn a_child_uses_the_board_by_the_lease_of_its_parent() {
    let rack = Rack::new();
    let hil = env!("CARGO_BIN_EXE_hil");
    let inner = |script: &str| format!("{hil} rack lease lab-1 --wait 300ms -- {script}");
    assert_exit(&output(rack.lease(&inner("true"))), 0);
    // Through a shell, and again by a child of its own.
    let deep = inner(&format!("sh -c '{}; exit 9'", inner("true")));
    assert_exit(&output(rack.lease(&deep)), 9);
    // After it the board is held by the parent still.
    let list = format!("{}; {hil} rack list --json", inner("true"));
    let listed = output(rack.lease(&list));
    let rows: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(rows[0]["held"], true);
    // And free when the parent has ended.
    assert_exit(&output(rack.lease("true")), 0);
}

#[test]
fn children_of_one_lease_exclude_each_other() {
    let rack = Rack::new();
    let hil = env!("CARGO_BIN_EXE_hil");
    let script = format!(
        "{hil} rack lease lab-1 -- sleep 2 & sleep 0.5; {hil} rack lease lab-1 --wait 100ms -- true; code=$?; wait; exit $code"
    );
    assert_exit(&output(rack.lease(&script)), 3);
}

/// A handle on the lock file is no lease.
#[test]
fn nobody_inherits_what_another_holds() {
    let rack = Rack::new();
    let mut holder = rack.hold("exec sleep 600");
    let hil = env!("CARGO_BIN_EXE_hil");
    let lock = rack.path().join("locks/066EFF.lock");
    let script = format!(
        "exec 9<>{}; exec {hil} rack lease lab-1 --wait 200ms -- true",
        lock.display()
    );
    let mut thief = rack.hil(&[]);
    let environment: Vec<_> = thief
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    thief = Command::new("sh");
    thief.args(["-c", &script]).envs(environment);
    assert_exit(&output(thief), 3);
    kill_process(Pid::from_raw(rack.held_by()).unwrap(), Signal::KILL).unwrap();
    holder.wait().unwrap();
}

#[test]
fn a_signal_goes_on_to_the_command() {
    let rack = Rack::new();
    let mut holder = rack.hold("trap 'exit 7' TERM; while :; do sleep 0.05; done");
    kill_process(Pid::from_child(&holder), Signal::TERM).unwrap();
    assert_eq!(holder.wait().unwrap().code(), Some(7));
    assert_exit(&output(rack.lease("true")), 0);
}

#[test]
fn a_daemon_of_the_command_does_not_keep_the_board() {
    let rack = Rack::new();
    let marker = rack.path().join("daemon");
    let script = format!("sleep 600 >/dev/null 2>&1 & echo $! > {}", marker.display());
    assert_exit(&output(rack.lease(&script)), 0);
    assert_exit(&output(rack.lease("true")), 0);
    let pid: i32 = fs::read_to_string(marker).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_wedged_board_is_refused() {
    let rack = Rack::new();
    let marker = rack.path().join("locks/066EFF.wedged");
    fs::write(
        &marker,
        "{\"since\":\"2026-02-01T00:00:00Z\",\"reason\":\"no ack\"}\n",
    )
    .unwrap();
    let refused = output(rack.lease("true"));
    assert_exit(&refused, 3);
    insta::assert_snapshot!(printed(&refused), @"error: the board lab-1 is wedged since 2026-02-01 (no ack); bring it back with `hil rack recover lab-1`, or by hand");
    let doctor = printed(&output(rack.hil(&["doctor"])));
    assert!(
        doctor.contains("wedged since 2026-02-01 (no ack)"),
        "{doctor}"
    );
    fs::write(&marker, "").unwrap();
    assert_exit(&output(rack.lease("true")), 0);
}

/// 2 processes at a time, 100 jobs each, one board: the body would notice another of its kind.
#[test]
fn two_processes_never_overlap() {
    let rack = Rack::new();
    let alone = rack.path().join("alone");
    let count = rack.path().join("count");
    let body = format!(
        "mkdir {alone} || exit 99; echo x >> {count}; rmdir {alone}",
        alone = alone.display(),
        count = count.display()
    );
    let jobs = 100;
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..jobs {
                    assert_exit(&output(rack.lease(&body)), 0);
                }
            });
        }
    });
    let lines = fs::read_to_string(&count).unwrap().lines().count();
    assert_eq!(lines, 2 * jobs);
    println!(
        "{} jobs of 2 processes on 1 board: {:.1} s, 0 overlaps",
        lines,
        started.elapsed().as_secs_f64()
    );
}

/// Why a check that needs it cannot be made here.
fn lacks(program: &str, arguments: &[&str]) -> Option<String> {
    let run = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("{program}: {}", printed(&output).trim())),
        Err(error) => Some(format!("{program}: {error}")),
    }
}

/// What another user has made is opened by `open` without `O_CREAT`, which the kernel may refuse in
/// a sticky folder (`fs.protected_regular`), and no link is followed.
#[test]
fn files_that_are_there_are_not_created_again() {
    if let Some(why) = lacks("strace", &["-e", "trace=openat", "true"]) {
        println!("skipped: {why}");
        return;
    }
    let rack = Rack::new();
    let trace = rack.path().join("trace");
    let opened = || {
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-s", "4096", "-e", "trace=open,openat", "-o"]);
        traced.arg(&trace);
        let lease = rack.lease("true");
        traced.arg(lease.get_program()).args(lease.get_args());
        traced.current_dir(support::root());
        traced.envs(
            lease
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        assert_exit(&output(traced), 0);
        let text = fs::read_to_string(&trace).unwrap();
        let ours = |line: &&str| line.contains("/locks/066EFF.") && line.contains("O_RDWR");
        let lines: Vec<String> = text.lines().filter(ours).map(str::to_owned).collect();
        for kind in ["gate", "lock"] {
            let file = format!("066EFF.{kind}");
            assert!(
                lines.iter().any(|line| line.contains(&file)),
                "{file}: {text}"
            );
        }
        for line in &lines {
            assert!(line.contains("O_NOFOLLOW"), "{line}");
        }
        lines
    };
    let creates = |line: &String| line.contains("O_CREAT");
    // The first to come makes them, and only if nobody else did in between.
    let first = opened();
    assert!(!creates(&first[0]), "{first:#?}");
    let made: Vec<&String> = first.iter().filter(|line| creates(line)).collect();
    assert_eq!(made.len(), 2, "{first:#?}");
    assert!(made.iter().all(|line| line.contains("O_EXCL")), "{made:#?}");
    let second = opened();
    assert!(!second.iter().any(creates), "{second:#?}");
}

/// Two users of one group, the first of whom lets nobody see his own files.
#[test]
fn users_of_one_group_share_a_board() {
    const GROUP: u32 = 54_321;
    let user = |number: u32| {
        let ids = [format!("--reuid={number}"), format!("--regid={number}")];
        ids.into_iter().chain([format!("--groups={GROUP}")])
    };
    // Whoever may become another user, and finds this program as that one.
    let hil_as = |number: u32| -> Vec<String> {
        let program = env!("CARGO_BIN_EXE_hil").to_owned();
        user(number).chain([program]).collect()
    };
    let words = hil_as(54_322);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.push("--version");
    if let Some(why) = lacks("setpriv", &words) {
        println!("skipped: {why}");
        return;
    }
    let rack = Rack::new();
    let open = |name: &str, mode: u32| {
        let path = rack.path().join(name);
        std::os::unix::fs::chown(&path, None, Some(GROUP)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open("", 0o755);
    open("locks", 0o3775);
    open("state", 0o2775);
    for (number, umask) in [(54_322, "077"), (54_323, "022"), (54_322, "022")] {
        let lease = rack.lease("true");
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("umask {umask}; exec setpriv \"$@\""), "sh"])
            .args(hil_as(number))
            .args(lease.get_args())
            .envs(
                lease
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir("/");
        assert_exit(&output(command), 0);
    }
    let owner = |name: &str| fs::metadata(rack.path().join("locks").join(name)).unwrap();
    for name in ["066EFF.gate", "066EFF.lock"] {
        let file = owner(name);
        assert_eq!((file.uid(), file.gid()), (54_322, GROUP), "{name}");
        assert_eq!(file.permissions().mode() & 0o7777, 0o664, "{name}");
    }
}

#[cfg(not(feature = "board"))]
#[test]
fn what_needs_a_probe_says_where_it_is() {
    let rack = Rack::new();
    for (arguments, command) in [
        (vec!["scan"], "rack scan"),
        (vec!["recover", "lab-1"], "rack recover lab-1"),
        (vec!["restore", "lab-1"], "rack restore lab-1"),
    ] {
        let refused = output(rack.hil(&arguments));
        assert_exit(&refused, 3);
        let told = printed(&refused);
        assert!(
            told.contains(&format!("cargo hil-board {command}")),
            "{told}"
        );
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let rack = Rack::new();
    let unknown = output(rack.hil(&["lease", "lab-3", "--", "true"]));
    assert_exit(&unknown, 2);
    insta::assert_snapshot!(printed(&unknown), @"error: unknown board `lab-3`; did you mean `lab-2`?");

    let power = output(rack.hil(&["power", "lab-1", "off"]));
    assert_exit(&power, 2);
    insta::assert_snapshot!(printed(&power), @"error: the rack file names no hub that powers the board lab-1; add `power: {hub: ..., port: ...}`");

    let quarantined = output(rack.hil(&["lease", "lab-2", "--", "true"]));
    assert_exit(&quarantined, 0);
    insta::assert_snapshot!(printed(&quarantined), @"warning: the board lab-2 is in quarantine until 2999-12-31: #12");

    fs::write(
        rack.path().join("rack.yaml"),
        "boards: [{id: a, probe: 1}]\n",
    )
    .unwrap();
    let wrong = output(rack.hil(&["list"]));
    assert_exit(&wrong, 2);
    assert!(printed(&wrong).contains("did you mean `probe_serial`?"));

    let none = output({
        let mut command = rack.hil(&["list"]);
        command
            .env("HIL_LOCK_DIR", "/no/such/folder")
            .env("HIL_RACK", "/no/such/file");
        command
    });
    assert_exit(&none, 2);
}
