//! Plain mode: lines in, lines out.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::UDS;

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `hil console` on `input`; it ends by itself, each of its waits has a deadline.
fn console(arguments: &[&str], input: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hil"))
        .arg("console")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Checks that all `parts` are printed in this order, and no UDS anywhere.
fn check(arguments: &[&str], input: &str, parts: &[&str]) {
    let ended = console(arguments, input);
    let all = format!("{}\n--- standard error:\n{}", ended.out, ended.err);
    assert_eq!(ended.code, Some(0), "{all}");
    assert!(!all.contains(UDS), "the UDS is shown");
    let mut rest = ended.out.as_str();
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => panic!("{part:?} is missing, or not in its place, in:\n{all}"),
        }
    }
}

#[test]
fn configuration_mode_answers_commands() {
    check(
        &["--hold", "A"],
        "help\nversion\nnonsense\n",
        &[
            "[hil] not enrolled: the device has no UDS",
            "AZ3166 DevKit open firmware\n",
            "[hil] display: IoT DevKit | id:",
            " | Configuration\n",
            "# help\n",
            "set_dps_uds",
            "# version\nMAC: ",
            "Firmware version: 1.0.0\n",
            "Error:Invalid command: nonsense\n",
        ],
    );
}

#[test]
fn the_tutorial_ends_at_the_hub() {
    check(
        &["--hold", "a"],
        &format!("set_dps_uds {UDS}\n~reset\n"),
        &[
            &format!("# set_dps_uds {}\n", "*".repeat(64)),
            "INFO: Set DPS UDS successfully.\n",
            "[hil] enrolled az-",
            "v1v0v0 as AZ3166, certificate SHA-1 ",
            "Registration Information received from service: hil-hub.azure-devices.net!\n",
            "IoT Hub: connected as AZ3166\n",
            "IoT Hub: telemetry sent\n",
        ],
    );
}

#[test]
fn settings_count_after_the_devices_own_reset_and_a_power_cycle() {
    check(
        &["--hold", "A"],
        &format!(
            "set_registration_id lab-7\nset_dps_uds {UDS}\nexit\n\
             ~hold A\n~power\n~release A\nset_dps_scope 0ne12345678\n~power off\nversion\n~power on\n"
        ),
        &[
            "Reboot\n",
            "[hil] enrolled lab-7 as AZ3166, certificate SHA-1 ",
            "IoT Hub: connected as AZ3166\n",
            "# set_dps_scope 0ne12345678\n",
            "[hil] the device's ID scope is 0ne12345678, the local cloud's is 0ne00000000",
            "registration failed!\n",
        ],
    );
}

#[test]
fn mistakes_are_named_and_secrets_in_them_are_not() {
    let ended = console(&[], &format!("\n~set_dps_uds {UDS}\n"));
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.err.contains("line 2 of standard input: "),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("~reset"), "{}", ended.err);
    assert!(!ended.err.contains(UDS) && !ended.out.contains(UDS));
    let ended = console(&["--firmware", "no/such.elf"], "");
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("no/such.elf"), "{}", ended.err);
}

/// The bytes of the probe's protocol for "who are you?".
#[cfg(unix)]
const IDENTIFY: &[u8] = b"\x01\x01\x01\0";

#[cfg(unix)]
#[test]
fn a_debugger_attaches_a_second_is_refused_and_an_interrupt_leaves_nothing() {
    use std::io::{BufRead, BufReader, Read};
    use std::net::TcpStream;
    use std::time::Duration;

    use rustix::process::{Pid, Signal, kill_process};

    let mut child = Command::new(env!("CARGO_BIN_EXE_hil"))
        .args(["console", "--probe", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines
        .find_map(|line| Some(line.unwrap().split_once("20b7:9db1:tcp:")?.1.to_owned()))
        .unwrap();
    let address = told.trim_end_matches('`');
    let connect = || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(IDENTIFY).unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        (stream, answer)
    };
    let (first, answer) = connect();
    assert_eq!(&answer, b"\x01\x0dprobe-rs,v01\0");
    let (mut second, answer) = connect();
    assert_eq!(&answer, b"\x01\x0dprobe in use\0");
    assert_eq!(second.read(&mut [0; 8]).unwrap(), 0, "and closed");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(address).is_err());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let refused = |line: &String| line.contains("was turned away");
    assert!(rest.iter().any(refused), "{rest:?}");
    drop(first);
}

#[test]
fn the_probe_is_for_this_machine_alone() {
    let ended = console(&["--probe", "0.0.0.0:9412"], "");
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("127.0.0.1:9412"), "{}", ended.err);
}
