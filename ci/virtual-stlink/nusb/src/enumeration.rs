//! Finding devices.

use std::path::{Path, PathBuf};

use crate::device::Device;
use crate::error::{Error, ErrorKind};
use crate::maybe_future::{MaybeFuture, Ready};
use crate::software::{InterfaceSpec, Permission, Plugged, devices};

/// A bus number that no machine has, so that no real device node is meant.
const BUS_NUMBER: u8 = 255;

/// The devices that are plugged in.
pub fn list_devices() -> impl MaybeFuture<Output = Result<impl Iterator<Item = DeviceInfo>, Error>>
{
    let found: Vec<DeviceInfo> = devices().into_iter().map(DeviceInfo::new).collect();
    Ready(Ok(found.into_iter()))
}

/// A device that was found.
#[derive(Clone, Debug)]
pub struct DeviceInfo {
    device: Plugged,
    interfaces: Vec<InterfaceInfo>,
}

impl DeviceInfo {
    fn new(device: Plugged) -> Self {
        let interfaces = device.spec.interfaces.iter().cloned();
        let interfaces = interfaces.map(InterfaceInfo).collect();
        Self { device, interfaces }
    }

    /// Its vendor's number.
    pub fn vendor_id(&self) -> u16 {
        self.device.spec.vendor_id
    }

    /// Its product number.
    pub fn product_id(&self) -> u16 {
        self.device.spec.product_id
    }

    /// Its release.
    pub fn device_version(&self) -> u16 {
        0x0100
    }

    /// Its name.
    pub fn product_string(&self) -> Option<&str> {
        Some(self.device.spec.product)
    }

    /// Its maker's name.
    pub fn manufacturer_string(&self) -> Option<&str> {
        None
    }

    /// Its serial number.
    pub fn serial_number(&self) -> Option<&str> {
        self.device.spec.serial.as_deref()
    }

    /// The number of its bus.
    pub fn busnum(&self) -> u8 {
        BUS_NUMBER
    }

    /// The name of its bus.
    pub fn bus_id(&self) -> &str {
        "255"
    }

    /// Its address on the bus.
    pub fn device_address(&self) -> u8 {
        self.device.address
    }

    /// The ports that lead to it.
    pub fn port_chain(&self) -> &[u8] {
        core::slice::from_ref(&self.device.address)
    }

    /// Where a kernel would show it.
    pub fn sysfs_path(&self) -> PathBuf {
        Path::new("/sys/bus/usb/devices").join(format!("{BUS_NUMBER}-{}", self.device.address))
    }

    /// Its interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = &InterfaceInfo> {
        self.interfaces.iter()
    }

    /// Opens it.
    pub fn open(&self) -> impl MaybeFuture<Output = Result<Device, Error>> {
        let (plugged, permission) = (self.device).with(|state| (state.plugged, state.permission));
        Ready(match (plugged, permission) {
            (false, _) => Err(Error::new(ErrorKind::Disconnected, "device disconnected")),
            (true, Permission::Denied) => Err(Error::new(
                ErrorKind::PermissionDenied,
                "no permission to open the device",
            )),
            (true, Permission::Granted) => Ok(Device::new(self.device.clone())),
        })
    }
}

/// An interface of a device that was found.
#[derive(Clone, Debug)]
pub struct InterfaceInfo(InterfaceSpec);

impl InterfaceInfo {
    /// Its number.
    pub fn interface_number(&self) -> u8 {
        self.0.number
    }

    /// Its class.
    pub fn class(&self) -> u8 {
        self.0.class
    }

    /// Its subclass.
    pub fn subclass(&self) -> u8 {
        self.0.subclass
    }

    /// Its name.
    pub fn interface_string(&self) -> Option<&str> {
        self.0.name
    }
}
