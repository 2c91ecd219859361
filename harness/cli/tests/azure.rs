//! `hil run --cloud azure` against `hil serve` under its real host names: never against Azure.

#![cfg(all(unix, feature = "azure", feature = "serve"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/served.rs"]
mod served;
mod support;

use rstest::rstest;
use served::Served;
use support::{firmware, hil, hil_run, output, printed};

#[test]
fn the_emulated_board_registers_with_a_cloud_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("cloud"));
    let journal = folder.path().join("journal");
    let out = folder.path().join("out");
    let mut command = hil_run(firmware(), &out, ["--cloud", "azure", "--json"]);
    command.arg("--journal").arg(&journal);
    command.args(["scenarios/outside", "scenarios/basics/tutorial.yaml"]);
    let run = output({
        command.envs(&served.environment);
        command
    });
    let printed = printed(&run);
    assert_eq!(run.status.code(), Some(0), "{printed}");
    assert!(printed.contains("local-cloud"), "{printed}");
    for name in ["HIL_DPS_CONNECTION_STRING", "HIL_HUB_CONNECTION_STRING"] {
        let (_, key) = served.environment[name]
            .rsplit_once("SharedAccessKey=")
            .unwrap();
        assert!(!printed.contains(key.trim()));
    }
    assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 0);
    let mut sweep = hil(["cloud", "sweep", "--journal"]);
    sweep.arg(&journal).envs(&served.environment);
    assert_eq!(output(sweep).status.code(), Some(0));
}

#[rstest]
#[case("HIL_DPS_ENDPOINT")]
#[case("HIL_DPS_ID_SCOPE")]
#[case("HIL_DPS_CONNECTION_STRING")]
#[case("HIL_HUB_CONNECTION_STRING")]
fn a_variable_that_is_not_set_is_named(#[case] missing: &str) {
    let string = "HostName=a.example;SharedAccessKeyName=b;SharedAccessKey=c2VjcmV0";
    let all = [
        ("HIL_DPS_ENDPOINT", "a.example"),
        ("HIL_DPS_ID_SCOPE", "0ne00000000"),
        ("HIL_DPS_CONNECTION_STRING", string),
        ("HIL_HUB_CONNECTION_STRING", string),
    ];
    let mut command = hil(["run", "--cloud", "azure", "scenarios/outside"]);
    command.envs(all).env_remove(missing);
    let run = output(command);
    let printed = printed(&run);
    assert_eq!(run.status.code(), Some(2), "{printed}");
    assert!(
        printed.contains(&format!("{missing} is not set")),
        "{printed}"
    );
}
