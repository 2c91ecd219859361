//! `hil run --cloud azure` against `hil serve` under its real host names: never against Azure.

#![cfg(all(unix, feature = "azure", feature = "serve"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use rstest::rstest;
use serde_json::Value;
use support::{firmware, hil, hil_run, output, printed};

const DPS: &str = "global.azure-devices-provisioning.net";
const SERVICE: &str = "hil-dps.azure-devices-provisioning.net";
const HUB: &str = "hil-hub.azure-devices.net";

/// A running `hil serve` and the environment of whoever uses it.
struct Served {
    child: Child,
    environment: BTreeMap<&'static str, String>,
}

impl Served {
    fn start(folder: &Path) -> Self {
        let ports = ["--https", "0", "--mqtt", "0", "--web", "0", "--proxy", "0"];
        let mut command = hil(["serve", "--json"]);
        command.args(ports).arg("--ca-dir").arg(folder);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        std::thread::spawn(move || lines.count());
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let string = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let (https, mqtt) = (text("https"), text("mqtt"));
        let environment = BTreeMap::from([
            ("HIL_DPS_ENDPOINT", DPS.to_owned()),
            ("HIL_DPS_ID_SCOPE", "0ne00000000".to_owned()),
            (
                "HIL_DPS_CONNECTION_STRING",
                string("provisioning-connection-string.txt"),
            ),
            (
                "HIL_HUB_CONNECTION_STRING",
                string("hub-connection-string.txt"),
            ),
            (
                "HIL_CLOUD_DETOURS",
                format!(
                    "{DPS}:443={https} {SERVICE}:443={https} {HUB}:443={https} {HUB}:8883={mqtt}"
                ),
            ),
            ("HIL_CLOUD_CA", text("ca_file")),
        ]);
        Self { child, environment }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

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
