//! Finds boards by their ST-Link, through Linux's sysfs and device files.

use std::fs;
use std::path::Path;

/// A device file and whether this user may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What to call it: a probe's serial number, a port's path.
    pub name: String,
    /// Whether it can be opened for writing.
    pub access: Access,
}

/// Whether a device file may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Allowed,
    Denied,
}

/// STMicroelectronics.
const VENDOR: &str = "0483";
/// ST-Link/V2, V2-1 (the DevKit's), and V3 in its forms.
const PRODUCTS: [&str; 6] = ["3748", "374b", "374e", "374f", "3752", "3753"];

/// All ST-Links on USB. `root` is `/` but in tests.
pub fn st_links(root: &Path) -> Vec<Device> {
    let mut found = Vec::new();
    for folder in entries(&root.join("sys/bus/usb/devices")) {
        let folder = root.join("sys/bus/usb/devices").join(folder);
        let read = |name: &str| {
            let text = fs::read_to_string(folder.join(name)).ok()?;
            Some(text.trim().to_owned())
        };
        let known = read("idVendor").as_deref() == Some(VENDOR)
            && read("idProduct").is_some_and(|product| PRODUCTS.contains(&product.as_str()));
        let place = read("busnum").zip(read("devnum"));
        if let (true, Some((bus, device))) = (known, place) {
            let node = format!("dev/bus/usb/{bus:0>3}/{device:0>3}");
            found.push(Device {
                name: read("serial").unwrap_or_else(|| format!("bus {bus} device {device}")),
                access: access(&root.join(node)),
            });
        }
    }
    found
}

/// The virtual COM ports of ST-Links.
pub fn serial_ports(root: &Path) -> Vec<Device> {
    let folder = root.join("dev/serial/by-id");
    let names = entries(&folder);
    let ports = names
        .iter()
        .filter(|name| name.contains("STLink") || name.contains("ST-LINK"));
    ports
        .map(|name| Device {
            name: format!("/dev/serial/by-id/{name}"),
            access: access(&folder.join(name)),
        })
        .collect()
}

fn entries(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = all
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Asks without opening: opening a serial port moves its control lines.
#[cfg(unix)]
fn access(path: &Path) -> Access {
    match rustix::fs::access(
        path,
        rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK,
    ) {
        Ok(()) => Access::Allowed,
        Err(_) => Access::Denied,
    }
}

#[cfg(not(unix))]
fn access(_: &Path) -> Access {
    Access::Allowed
}
