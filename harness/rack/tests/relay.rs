//! Relays that work, fail, hang or are not there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

use std::fs;
use std::time::Duration;

use az3166_rack::{Relay, RelayAction, RelayCommand};
use rstest::rstest;

fn relay(words: &[&str]) -> Relay {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Relay::new(RelayCommand::try_from(words).unwrap())
}

#[rstest]
#[case(4, RelayAction::Press, "4=pressed\n")]
#[case(10, RelayAction::Release, "10=released\n")]
fn a_relay_hears_button_and_state(
    #[case] pin: u32,
    #[case] action: RelayAction,
    #[case] heard: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let log = log.to_str().unwrap();
    let script = r#"echo "$1=$2" >> "$0"; echo what nobody must hear"#;
    let relay = relay(&["sh", "-c", script, log, "{pin}", "{state}"]);
    relay.work(pin, action).unwrap();
    assert_eq!(fs::read_to_string(log).unwrap(), heard);
}

#[rstest]
#[case::fails(&["sh", "-c", "exit 3", "{pin}", "{state}"], "sh: exit status: 3")]
#[case::says_why(
    &["sh", "-c", "echo no relay 4 >&2; echo; exit 1", "{pin}", "{state}"],
    "sh: no relay 4 (exit status: 1)"
)]
#[case::hangs(&["sh", "-c", "sleep 600 & wait", "{pin}", "{state}"], "sh: it took more than 300ms")]
#[case::is_killed(&["sh", "-c", "kill -9 $$", "{pin}", "{state}"], "sh: signal: 9 (SIGKILL)")]
#[case::is_not_there(
    &["/no/such/program", "{pin}", "{state}"],
    "/no/such/program: No such file or directory (os error 2)"
)]
fn a_relay_that_does_not_work_says_why(#[case] words: &[&str], #[case] why: &str) {
    let mut relay = relay(words);
    if why.contains("300ms") {
        relay.limit = Duration::from_millis(300);
    }
    let refused = relay.work(4, RelayAction::Press).unwrap_err();
    assert_eq!(refused.to_string(), why);
}
