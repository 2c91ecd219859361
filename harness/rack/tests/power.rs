//! Power through a program that behaves as uhubctl does, on a sysfs in a folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use az3166_rack::{Board, PowerAction, PowerError, PowerSwitch, Uhubctl, UsbTree, parse};
use az3166_yaml::Source;

fn board(power: &str) -> Board {
    let text = format!("boards: [{{id: lab-1, probe_serial: 066EFF{power}}}]\n");
    let mut rack = parse(&Source::new("rack.yaml", &text)).unwrap();
    rack.boards.remove(0)
}

/// A machine with one probe, and a `uhubctl` of this script beside it.
fn machine(folder: &Path, script: &str) -> Uhubctl {
    let device = folder.join("sys/bus/usb/devices/1-1.2");
    fs::create_dir_all(&device).unwrap();
    for (name, text) in [
        ("idVendor", "0483"),
        ("idProduct", "374b"),
        ("busnum", "1"),
        ("devnum", "7"),
        ("serial", "066EFF"),
    ] {
        fs::write(device.join(name), format!("{text}\n")).unwrap();
    }
    let program = folder.join("uhubctl");
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> {0}/calls\nD={0}/sys/bus/usb/devices\n{script}\n",
        folder.display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut uhubctl = Uhubctl::new(Default::default());
    uhubctl.program = program.into();
    uhubctl.usb = UsbTree::below(folder);
    uhubctl.dark = Duration::from_millis(10);
    uhubctl
}

const GOOD: &str = r#"
case "$*" in
  *"-a off"*) mv $D/1-1.2 $D/../away; echo "Current status for hub 1-1"; echo "  Port 2: 0503 power"; echo "Sent power off request"; echo "  Port 2: 0000 off";;
  *) mv $D/../away $D/1-1.2; echo "  Port 2: 0000 off"; echo "  Port 2: 0100 power";;
esac"#;

#[test]
fn a_cycle_is_off_and_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut uhubctl = machine(folder.path(), GOOD);
    let board = board(", power: {hub: 1-1, port: 2}");
    uhubctl.switch(&board, PowerAction::Cycle).unwrap();
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls, "-l 1-1 -p 2 -a off -r 3\n-l 1-1 -p 2 -a on -r 3\n");
    assert!(uhubctl.usb.has(&board.probe_serial));
    uhubctl.switch(&board, PowerAction::Off).unwrap();
    assert!(!uhubctl.usb.has(&board.probe_serial));
}

#[test]
fn a_hub_that_only_says_so_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut uhubctl = machine(folder.path(), "echo '  Port 2: 0000 off'");
    let refused = uhubctl.switch(&board(", power: {hub: 1-1, port: 2}"), PowerAction::Off);
    assert!(matches!(
        refused,
        Err(PowerError::StillThere { port: 2, .. })
    ));
}

#[test]
fn complaints_are_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 'No compatible devices detected at location 1-1!' >&2; exit 1";
    let mut uhubctl = machine(folder.path(), script);
    let wired = board(", power: {hub: 1-1, port: 2}");
    let refused = uhubctl.switch(&wired, PowerAction::On).unwrap_err();
    insta::assert_snapshot!(refused, @"uhubctl for hub 1-1, port 2 failed: No compatible devices detected at location 1-1! (exit status: 1)");
    uhubctl.program = "/no/such/uhubctl".into();
    let refused = uhubctl.switch(&wired, PowerAction::On);
    assert!(matches!(refused, Err(PowerError::NoUhubctl)));
    let refused = uhubctl.switch(&board(""), PowerAction::On);
    assert!(matches!(refused, Err(PowerError::NoPort(_))));
}
