//! Looks at this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use az3166_build::{Limits, Programs, StandardLibrary, TARGET, standard_library, version_of};

use super::usb::{Device, serial_ports, st_links};
use crate::workspace;

/// The programs that are looked for.
pub const PROGRAMS: [&str; 7] = [
    "cargo",
    "rustc",
    "rustup",
    "renode",
    "qemu-system-arm",
    "openssl",
    "arm-none-eabi-objdump",
];

/// What this machine has.
#[derive(Debug)]
pub struct Facts {
    /// What each program that is there says of its version.
    pub versions: BTreeMap<&'static str, String>,
    /// The firmware target's standard library; `None` if no compiler could be asked.
    pub library: Option<StandardLibrary>,
    /// Whether the firmware's sources were found.
    pub sources: Option<String>,
    /// Boards by their debug probes.
    pub st_links: Vec<Device>,
    /// The consoles of boards.
    pub serial_ports: Vec<Device>,
}

impl Facts {
    /// Asks programs and the system, each with a deadline.
    pub fn gather(cancel: &AtomicBool) -> Self {
        let limits = Limits {
            cancel,
            deadline: Duration::from_secs(20),
        };
        let version = |program| {
            let argument = match program {
                "openssl" => "version",
                _ => "--version",
            };
            Some((program, version_of(program, argument, limits)?))
        };
        let library = standard_library(TARGET, Path::new("."), &Programs::default(), limits);
        Self {
            versions: PROGRAMS.into_iter().filter_map(version).collect(),
            library: library.ok(),
            sources: workspace::root().map(|root| root.join("firmware").display().to_string()),
            st_links: st_links(Path::new("/")),
            serial_ports: serial_ports(Path::new("/")),
        }
    }
}
