//! Judges what was found. No I/O here.

use std::fmt;

use az3166_build::{StandardLibrary, TARGET};
use az3166_rack::DeviceAccess;
use serde::Serialize;

use super::facts::{Device, Facts};

/// What something is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To build the firmware and run it on the emulator.
    Emulator,
    /// To run on Renode.
    Renode,
    /// To run on a board.
    Board,
    /// For the checks that have a second opinion.
    Checks,
}

impl Purpose {
    pub const ALL: [Self; 4] = [Self::Emulator, Self::Renode, Self::Board, Self::Checks];

    /// Whether `hil run` cannot do without it.
    pub fn is_required(self) -> bool {
        self == Self::Emulator
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emulator => "Firmware and the emulator (needed)",
            Self::Renode => "Renode (optional)",
            Self::Board => "Physical boards (optional)",
            Self::Checks => "Second opinions in this project's own checks (optional)",
        })
    }
}

/// Whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Present,
    Missing,
}

/// One thing that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub purpose: Purpose,
    pub what: String,
    pub state: State,
    /// What was found.
    pub found: String,
    /// How to get it, where it is missing.
    pub remedy: Option<String>,
}

impl Check {
    pub fn present(purpose: Purpose, what: &str, found: impl Into<String>) -> Self {
        Self {
            purpose,
            what: what.into(),
            state: State::Present,
            found: found.into(),
            remedy: None,
        }
    }

    pub fn missing(purpose: Purpose, what: &str, found: &str, remedy: &str) -> Self {
        Self {
            purpose,
            what: what.into(),
            state: State::Missing,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Judges all facts.
pub fn checks(facts: &Facts) -> Vec<Check> {
    let program = |purpose, name: &str, remedy: &str| match facts.versions.get(name) {
        Some(version) => Check::present(purpose, name, version),
        None => Check::missing(purpose, name, "not in PATH", remedy),
    };
    let rust = "install Rust from https://rustup.rs";
    let mut checks = vec![
        program(Purpose::Emulator, "cargo", rust),
        program(Purpose::Emulator, "rustc", rust),
        standard_library(facts),
        match &facts.sources {
            Some(folder) => Check::present(Purpose::Emulator, "firmware sources", folder),
            None => Check::missing(
                Purpose::Emulator,
                "firmware sources",
                "no checkout above this folder",
                "go into a checkout of the harness, or run with --firmware",
            ),
        },
        match &facts.renode {
            Ok(found) => Check::present(Purpose::Renode, "renode", found),
            Err(why) => Check::missing(Purpose::Renode, "renode", why, az3166_renode::INSTALL),
        },
    ];
    checks.push(devices(
        "ST-Link",
        &facts.st_links,
        "connect a DevKit by USB",
        "allow it by udev: SUBSYSTEM==\"usb\", ATTRS{idVendor}==\"0483\", TAG+=\"uaccess\"",
    ));
    checks.push(devices(
        "serial port",
        &facts.serial_ports,
        "connect a DevKit by USB",
        "sudo usermod -aG dialout $USER, then log in again",
    ));
    let apt = |package: &str| format!("sudo apt-get install {package}");
    for (name, package) in [
        ("qemu-system-arm", "qemu-system-arm"),
        ("openssl", "openssl"),
        ("arm-none-eabi-objdump", "binutils-arm-none-eabi"),
    ] {
        checks.push(program(Purpose::Checks, name, &apt(package)));
    }
    checks
}

fn standard_library(facts: &Facts) -> Check {
    let what = format!("target {TARGET}");
    let add = format!("rustup target add {TARGET}");
    let rustup = facts.versions.contains_key("rustup");
    match (&facts.library, rustup) {
        (Some(StandardLibrary::Installed), _) => {
            Check::present(Purpose::Emulator, &what, "installed")
        }
        (Some(StandardLibrary::Source(_)), _) => Check::present(
            Purpose::Emulator,
            &what,
            "not installed; it is built from the component rust-src",
        ),
        (_, true) => Check::missing(
            Purpose::Emulator,
            &what,
            "not installed; the first build adds it",
            &add,
        ),
        (_, false) => Check::missing(
            Purpose::Emulator,
            &what,
            "not installed, and no rustup to add it",
            &format!("install rustup from https://rustup.rs, then {add}"),
        ),
    }
}

fn devices(what: &str, found: &[Device], connect: &str, allow: &str) -> Check {
    let names = |access: DeviceAccess| {
        let devices = found.iter().filter(|device| device.access == access);
        let names: Vec<&str> = devices.map(|device| device.name.as_str()).collect();
        names.join(", ")
    };
    let denied = names(DeviceAccess::Denied);
    if found.is_empty() {
        Check::missing(Purpose::Board, what, "none found", connect)
    } else if denied.is_empty() {
        Check::present(Purpose::Board, what, names(DeviceAccess::Allowed))
    } else {
        let found = format!("no permission to use {denied}");
        Check::missing(Purpose::Board, what, &found, allow)
    }
}
