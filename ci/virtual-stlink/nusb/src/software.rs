//! The software side: devices that are plugged in, and what they do.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::transfer::{Direction, TransferError};

/// What a device says of itself.
#[derive(Clone, Debug)]
pub struct DeviceSpec {
    /// Its vendor's number.
    pub vendor_id: u16,
    /// Its product number.
    pub product_id: u16,
    /// Its name.
    pub product: &'static str,
    /// Its serial number; cheap copies have none.
    pub serial: Option<String>,
    /// Its interfaces.
    pub interfaces: Vec<InterfaceSpec>,
}

/// What an interface says of itself.
#[derive(Clone, Debug)]
pub struct InterfaceSpec {
    /// Its number.
    pub number: u8,
    /// Its class.
    pub class: u8,
    /// Its subclass.
    pub subclass: u8,
    /// Its name.
    pub name: Option<&'static str>,
    /// Its endpoints, all bulk.
    pub endpoints: Vec<EndpointSpec>,
}

/// What an endpoint says of itself.
#[derive(Clone, Copy, Debug)]
pub struct EndpointSpec {
    /// Its address, the direction in bit 7.
    pub address: u8,
    /// Bytes in a packet.
    pub max_packet_size: usize,
}

impl EndpointSpec {
    pub(crate) fn direction(self) -> Direction {
        match self.address & 0x80 {
            0 => Direction::Out,
            _ => Direction::In,
        }
    }
}

/// What a device does.
pub trait Function: Send {
    /// Takes bytes that the host sent to the endpoint `address`.
    ///
    /// # Errors
    /// The transfer fails so.
    fn take(&mut self, address: u8, bytes: &[u8]) -> Result<(), TransferError>;

    /// Gives up to `length` bytes from the endpoint `address`; none means that the transfer waits
    /// for ever.
    ///
    /// # Errors
    /// The transfer fails so.
    fn give(&mut self, address: u8, length: usize) -> Result<Option<Vec<u8>>, TransferError>;

    /// The host reset the device.
    fn reset(&mut self) {}
}

/// Whether the user may open a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Permission {
    /// They may.
    #[default]
    Granted,
    /// They may not.
    Denied,
}

pub(crate) struct State {
    pub(crate) plugged: bool,
    pub(crate) permission: Permission,
    pub(crate) claimed: bool,
    pub(crate) function: Box<dyn Function>,
}

/// A device that was plugged in.
#[derive(Clone)]
pub struct Plugged {
    pub(crate) spec: Arc<DeviceSpec>,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) address: u8,
}

impl fmt::Debug for Plugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

impl Plugged {
    /// Pulls it out: it is listed no more, and every transfer on it fails.
    pub fn unplug(&self) {
        self.with(|state| state.plugged = false);
        let mut bus = BUS.lock().unwrap_or_else(PoisonError::into_inner);
        bus.devices
            .retain(|other| !Arc::ptr_eq(&other.state, &self.state));
    }

    /// Says whether the user may open it.
    pub fn permit(&self, permission: Permission) {
        self.with(|state| state.permission = permission);
    }

    /// Whether a driver has claimed its interface.
    pub fn is_claimed(&self) -> bool {
        self.with(|state| state.claimed)
    }

    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Bus {
    devices: Vec<Plugged>,
    next_address: u8,
}

static BUS: Mutex<Bus> = Mutex::new(Bus {
    devices: Vec::new(),
    next_address: 1,
});

/// Plugs a device in.
pub fn plug(spec: DeviceSpec, function: Box<dyn Function>) -> Plugged {
    let mut bus = BUS.lock().unwrap_or_else(PoisonError::into_inner);
    let device = Plugged {
        spec: Arc::new(spec),
        state: Arc::new(Mutex::new(State {
            plugged: true,
            permission: Permission::default(),
            claimed: false,
            function,
        })),
        address: bus.next_address,
    };
    bus.next_address = bus.next_address.wrapping_add(1);
    bus.devices.push(device.clone());
    device
}

pub(crate) fn devices() -> Vec<Plugged> {
    let bus = BUS.lock().unwrap_or_else(PoisonError::into_inner);
    bus.devices.clone()
}
