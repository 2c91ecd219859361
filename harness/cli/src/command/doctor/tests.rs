use az3166_build::StandardLibrary;
use az3166_rack::{DeviceAccess, FolderState, Rack, UsbProbe, Wedged, parse};
use az3166_renode::NoRenode;
use az3166_scenario::Source;
use time::macros::date;

use super::checks::{Check, State, checks};
use super::facts::{Device, Facts, PROGRAMS};
use super::rack::{RackFacts, rack_checks};

fn show(checks: &[Check]) -> String {
    let line = |check: &Check| {
        let remedy = check.remedy.as_deref().unwrap_or("-");
        let Check {
            what, state, found, ..
        } = check;
        format!("{state:?} | {what} | {found} | {remedy}\n")
    };
    checks.iter().map(line).collect()
}

fn device(name: &str, access: DeviceAccess) -> Device {
    Device {
        name: name.into(),
        access,
    }
}

#[test]
fn a_machine_with_everything() {
    let facts = Facts {
        versions: PROGRAMS
            .into_iter()
            .map(|name| (name, format!("{name} 1.2.3")))
            .collect(),
        renode: Ok("1.16.1 (Mono), /opt/renode/renode".into()),
        library: Some(StandardLibrary::Installed),
        sources: Some("/checkout/firmware".into()),
        st_links: vec![device("066E", DeviceAccess::Allowed)],
        serial_ports: vec![device("/dev/serial/by-id/x", DeviceAccess::Allowed)],
    };
    let checks = checks(&facts);
    assert!(checks.iter().all(|check| check.state == State::Present));
    insta::assert_snapshot!(show(&checks));
}

#[test]
fn a_bare_machine() {
    let facts = Facts {
        versions: Default::default(),
        renode: Err(NoRenode::NotFound.to_string()),
        library: None,
        sources: None,
        st_links: Vec::new(),
        serial_ports: Vec::new(),
    };
    insta::assert_snapshot!(show(&checks(&facts)));
}

#[test]
fn a_machine_with_half_of_it() {
    let facts = Facts {
        versions: [("cargo", "cargo 1".into()), ("rustup", "rustup 1".into())].into(),
        renode: Err(NoRenode::NoFile("/opt/renode".into()).to_string()),
        library: Some(StandardLibrary::Missing),
        sources: None,
        st_links: vec![
            device("066E", DeviceAccess::Denied),
            device("066F", DeviceAccess::Allowed),
        ],
        serial_ports: Vec::new(),
    };
    insta::assert_snapshot!(show(&checks(&facts)));
}

/// A rack of three boards: the first is well.
fn rack() -> Rack {
    let text = "boards:
  - {id: lab-1, probe_serial: 066E, power: {hub: 1-1, port: 2}}
  - {id: lab-2, probe_serial: 066F, power: {hub: 1-1, port: 3}, console: /dev/ttyS9}
  - {id: lab-3, probe_serial: '0670', quarantine: {until: 2026-01-31, ticket: '#12'}}
";
    parse(&Source::new("rack.yaml", text)).unwrap()
}

fn probe(serial: &str, access: DeviceAccess) -> UsbProbe {
    UsbProbe {
        serial: serial.into(),
        access,
        port: rack().boards[0].power.clone(),
        console: Some("/dev/ttyACM0".into()),
    }
}

#[test]
fn a_rack_that_is_well() {
    let mut rack = rack();
    rack.boards.truncate(1);
    let facts = RackFacts {
        rack,
        today: date!(2026 - 02 - 01),
        leases: (
            "/run/lock/hil".into(),
            FolderState::Shared {
                mode: 0o3775,
                group: 46,
            },
        ),
        state: ("/var/lib/hil".into(), true),
        probes: vec![probe("066e", DeviceAccess::Allowed)],
        consoles: Vec::new(),
        uhubctl: Some("2.6.0".into()),
        wedged: vec![None],
    };
    let checks = rack_checks(&facts);
    assert!(checks.iter().all(|check| check.state == State::Present));
    insta::assert_snapshot!(show(&checks));
}

#[test]
fn a_rack_with_every_trouble() {
    let facts = RackFacts {
        rack: rack(),
        today: date!(2026 - 02 - 01),
        leases: ("/run/lock/hil".into(), FolderState::Missing),
        state: ("/var/lib/hil".into(), false),
        probes: vec![
            probe("066F", DeviceAccess::Denied),
            probe("0670", DeviceAccess::Allowed),
            probe("0670", DeviceAccess::Allowed),
        ],
        consoles: vec![("/dev/ttyS9".into(), false)],
        uhubctl: None,
        wedged: vec![Some(Wedged::now("nothing helped")), None, None],
    };
    let checks = rack_checks(&facts);
    let shown = show(&checks).replace(&az3166_rack::today().to_string(), "TODAY");
    insta::assert_snapshot!(shown);
}
