use std::fs;
use std::path::Path;

use az3166_build::StandardLibrary;

use super::checks::{Check, State, checks};
use super::facts::{Facts, PROGRAMS};
use super::usb::{Access, Device, serial_ports, st_links};

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

fn device(name: &str, access: Access) -> Device {
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
        library: Some(StandardLibrary::Installed),
        sources: Some("/checkout/firmware".into()),
        st_links: vec![device("066E", Access::Allowed)],
        serial_ports: vec![device("/dev/serial/by-id/x", Access::Allowed)],
    };
    let checks = checks(&facts);
    assert!(checks.iter().all(|check| check.state == State::Present));
    insta::assert_snapshot!(show(&checks));
}

#[test]
fn a_bare_machine() {
    let facts = Facts {
        versions: Default::default(),
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
        library: Some(StandardLibrary::Missing),
        sources: None,
        st_links: vec![
            device("066E", Access::Denied),
            device("066F", Access::Allowed),
        ],
        serial_ports: Vec::new(),
    };
    insta::assert_snapshot!(show(&checks(&facts)));
}

#[test]
fn st_links_are_found_by_their_usb_ids() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (place, product) in [("1-2", "374b"), ("1-3", "5740")] {
        let folder = format!("sys/bus/usb/devices/{place}");
        write(&format!("{folder}/idVendor"), "0483\n");
        write(&format!("{folder}/idProduct"), &format!("{product}\n"));
        write(&format!("{folder}/busnum"), "1\n");
        write(&format!("{folder}/devnum"), "7\n");
        write(&format!("{folder}/serial"), "066EFF\n");
    }
    write("dev/bus/usb/001/007", "");
    write(
        "dev/serial/by-id/usb-STMicroelectronics_STM32_STLink_066EFF-if02",
        "",
    );
    write("dev/serial/by-id/usb-FTDI_1-if00", "");
    assert_eq!(st_links(root.path()), [device("066EFF", Access::Allowed)]);
    assert_eq!(
        serial_ports(root.path()),
        [device(
            "/dev/serial/by-id/usb-STMicroelectronics_STM32_STLink_066EFF-if02",
            Access::Allowed
        )]
    );
    assert!(st_links(Path::new("/no/such/root")).is_empty());
}
