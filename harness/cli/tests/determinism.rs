//! The same image, scenario and seed give the same trace, whatever runs beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod support;

use std::collections::BTreeMap;

use support::{firmware, hil_run, output, printed, summary};

const LOSSY: &str = "20 % packet loss is got over";

const SCENARIOS: [&str; 5] = [
    "scenarios/basics/tutorial.yaml",
    "scenarios/network/packet-loss.yaml",
    "scenarios/network/damaged-packets.yaml",
    "scenarios/registration-mqtt/tutorial.yaml",
    "scenarios/tls/rsa-pss.yaml",
];

/// The hash of each scenario's trace. Not every seed lets every packet through in time, so here it
/// does not matter which scenarios pass.
fn traces(seed: &str, jobs: &str) -> BTreeMap<String, String> {
    let out = tempfile::tempdir().unwrap();
    let arguments = ["--seed", seed, "--jobs", jobs].into_iter();
    let command = hil_run(firmware(), out.path(), arguments.chain(SCENARIOS));
    let output = output(command);
    let shown = printed(&output);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{shown}");
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    summary(out.path())
        .iter()
        .map(|entry| (text(entry, "name"), text(entry, "trace_sha256")))
        .collect()
}

#[test]
fn a_seed_decides_everything() {
    let alone = traces("7", "1");
    assert_eq!(alone.len(), SCENARIOS.len());
    assert_eq!(alone, traces("7", "2"), "side by side");
    let other = traces("8", "2");
    assert_ne!(alone[LOSSY], other[LOSSY], "with another seed");
}
