//! Looks at this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use az3166_build::{Limits, Programs, StandardLibrary, TARGET, standard_library, version_of};
use az3166_rack::{DeviceAccess, UsbProbe, UsbTree};

use crate::workspace;

/// The programs that are looked for.
pub const PROGRAMS: [&str; 6] = [
    "cargo",
    "rustc",
    "rustup",
    "qemu-system-arm",
    "openssl",
    "arm-none-eabi-objdump",
];

/// A device file and whether this user may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What to call it: a probe's serial number, a port's path.
    pub name: String,
    /// Whether it can be opened for writing.
    pub access: DeviceAccess,
}

impl Device {
    fn probe(probe: UsbProbe) -> Self {
        Self {
            name: probe.serial,
            access: probe.access,
        }
    }

    fn console(probe: UsbProbe) -> Option<Self> {
        let path = probe.console?;
        Some(Self {
            access: match is_writable(&path) {
                true => DeviceAccess::Allowed,
                false => DeviceAccess::Denied,
            },
            name: path.display().to_string(),
        })
    }
}

/// Asks without opening: opening a serial port moves its control lines.
#[cfg(unix)]
pub fn is_writable(path: &Path) -> bool {
    let wanted = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    rustix::fs::access(path, wanted).is_ok()
}

#[cfg(not(unix))]
pub fn is_writable(path: &Path) -> bool {
    path.exists()
}

/// What this machine has.
#[derive(Debug)]
pub struct Facts {
    /// What each program that is there says of its version.
    pub versions: BTreeMap<&'static str, String>,
    /// Which Renode would run and how, or why none does.
    pub renode: Result<String, String>,
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
        let probes = UsbTree::of_this_machine().probes().into_iter();
        // It may be named by a variable, and not every version of it will do.
        let renode = az3166_renode::Program::find();
        let library = standard_library(TARGET, Path::new("."), &Programs::default(), limits);
        Self {
            versions: PROGRAMS.into_iter().filter_map(version).collect(),
            renode: renode
                .map(|program| describe(&program))
                .map_err(|none| none.to_string()),
            library: library.ok(),
            sources: workspace::root().map(|root| root.join("firmware").display().to_string()),
            st_links: probes.clone().map(Device::probe).collect(),
            serial_ports: probes.filter_map(Device::console).collect(),
        }
    }
}

/// Which Renode it is, how it would be run, and what is to be said against it.
fn describe(program: &az3166_renode::Program) -> String {
    let mut text = program.to_string();
    #[cfg(unix)]
    {
        let isolation = az3166_renode::guard::Isolation::best();
        text.push_str(&format!("; it would run {isolation}"));
    }
    if let Some(warning) = program.warning() {
        text.push_str("; ");
        text.push_str(&warning);
    }
    text
}
