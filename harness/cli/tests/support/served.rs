//! `hil serve` under Azure's host names, for a run with a cloud elsewhere.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::hil;

const DPS: &str = "global.azure-devices-provisioning.net";
const SERVICE: &str = "hil-dps.azure-devices-provisioning.net";
const HUB: &str = "hil-hub.azure-devices.net";

/// A running `hil serve` and the environment of whoever uses it.
pub struct Served {
    child: Child,
    pub environment: BTreeMap<&'static str, String>,
}

impl Served {
    pub fn start(folder: &Path) -> Self {
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
