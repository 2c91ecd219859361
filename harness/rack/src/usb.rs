//! Probes and consoles, by Linux's sysfs and device files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{HubPlace, PortNumber, PowerPort, ProbeSerial};

/// STMicroelectronics.
const VENDOR: &str = "0483";
/// ST-Link/V2, V2-1 (the DevKit's), and V3 in its forms.
const PRODUCTS: [&str; 6] = ["3748", "374b", "374e", "374f", "3752", "3753"];

/// Whether a device file may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceAccess {
    /// It can be opened for reading and writing.
    Allowed,
    /// It cannot.
    Denied,
}

/// A debug probe on USB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbProbe {
    /// Its serial number, as it says it.
    pub serial: String,
    /// Whether it can be used.
    pub access: DeviceAccess,
    /// The hub's port that it hangs on; `None` at a port of the machine itself.
    pub port: Option<PowerPort>,
    /// Its serial port, where the kernel has made one.
    pub console: Option<PathBuf>,
}

/// Where devices are looked for: `/`, but in tests.
#[derive(Clone, Debug)]
pub struct UsbTree(PathBuf);

impl UsbTree {
    /// The devices of this machine.
    pub fn of_this_machine() -> Self {
        Self("/".into())
    }

    /// The devices below another root.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// All ST-Links, sorted by their place.
    pub fn probes(&self) -> Vec<UsbProbe> {
        let devices = self.0.join("sys/bus/usb/devices");
        let places = entries(&devices);
        let found = places.iter().map(|place| self.probe(&devices, place));
        found.flatten().collect()
    }

    /// Whether a ST-Link with this serial number is there.
    pub fn has(&self, serial: &ProbeSerial) -> bool {
        let mut probes = self.probes().into_iter();
        probes.any(|probe| probe.serial.eq_ignore_ascii_case(serial.as_str()))
    }

    /// The serial port of the ST-Link with this serial number.
    pub fn console(&self, serial: &ProbeSerial) -> Option<PathBuf> {
        let probes = self.probes().into_iter();
        let mut named = probes.filter(|probe| probe.serial.eq_ignore_ascii_case(serial.as_str()));
        named.next()?.console
    }

    fn probe(&self, devices: &Path, place: &str) -> Option<UsbProbe> {
        let folder = devices.join(place);
        let read = |name: &str| {
            let text = fs::read_to_string(folder.join(name)).ok()?;
            Some(text.trim().to_owned())
        };
        let known = read("idVendor")? == VENDOR && PRODUCTS.contains(&read("idProduct")?.as_str());
        if !known {
            return None;
        }
        let (bus, device) = (read("busnum")?, read("devnum")?);
        let node = self.0.join(format!("dev/bus/usb/{bus:0>3}/{device:0>3}"));
        Some(UsbProbe {
            serial: read("serial").unwrap_or_else(|| format!("bus {bus} device {device}")),
            access: access(&node),
            port: port(place),
            console: self.tty(&folder),
        })
    }

    /// The serial port among the interfaces of the device at `folder`: `1-1.4:1.2/tty/ttyACM0`.
    fn tty(&self, folder: &Path) -> Option<PathBuf> {
        let interfaces = entries(folder).into_iter();
        let mut names = interfaces
            .filter(|name| name.contains(':'))
            .flat_map(|interface| entries(&folder.join(interface).join("tty")));
        names.next().map(|name| Path::new("/dev").join(name))
    }
}

/// The hub and port of a device's place: `1-1.4` hangs on port 4 of the hub `1-1`.
fn port(place: &str) -> Option<PowerPort> {
    let (hub, number) = place.rsplit_once('.')?;
    Some(PowerPort {
        hub: HubPlace::try_from(hub.to_owned()).ok()?,
        port: PortNumber::try_from(number.parse::<u8>().ok()?).ok()?,
    })
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
fn access(path: &Path) -> DeviceAccess {
    let wanted = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    match rustix::fs::access(path, wanted) {
        Ok(()) => DeviceAccess::Allowed,
        Err(_) => DeviceAccess::Denied,
    }
}

#[cfg(not(unix))]
fn access(_: &Path) -> DeviceAccess {
    DeviceAccess::Allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_has_a_port_and_a_console() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (place, product, serial) in [
            ("1-1.4", "374b", "066eff"),
            ("2-1", "374b", "066F"),
            ("1-3", "5740", "X"),
        ] {
            let folder = format!("sys/bus/usb/devices/{place}");
            write(&format!("{folder}/idVendor"), "0483\n");
            write(&format!("{folder}/idProduct"), &format!("{product}\n"));
            write(&format!("{folder}/busnum"), "1\n");
            write(&format!("{folder}/devnum"), "7\n");
            write(&format!("{folder}/serial"), &format!("{serial}\n"));
        }
        write(
            "sys/bus/usb/devices/1-1.4/1-1.4:1.2/tty/ttyACM0/dev",
            "166:0\n",
        );
        write("dev/bus/usb/001/007", "");
        let tree = UsbTree::below(root.path());
        let probes = tree.probes();
        assert_eq!(probes.len(), 2);
        assert_eq!(probes[0].serial, "066eff");
        assert_eq!(probes[0].access, DeviceAccess::Allowed);
        let port = probes[0].port.as_ref().unwrap();
        assert_eq!((port.hub.as_str(), u8::from(port.port)), ("1-1", 4));
        assert_eq!(probes[1].port, None);
        let serial = ProbeSerial::try_from("066EFF".to_owned()).unwrap();
        assert!(tree.has(&serial));
        assert_eq!(tree.console(&serial), Some("/dev/ttyACM0".into()));
        assert!(UsbTree::below("/no/such/root").probes().is_empty());
    }
}
