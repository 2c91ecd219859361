//! What a device says of itself.

use crate::software::{EndpointSpec, InterfaceSpec};
use crate::transfer::Direction;

/// How an endpoint transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferType {
    /// Requests on endpoint 0.
    Control,
    /// At fixed times, without repetition.
    Isochronous,
    /// Whenever there is room.
    Bulk,
    /// Polled.
    Interrupt,
}

/// A configuration: one with all interfaces.
#[derive(Clone, Copy, Debug)]
pub struct ConfigurationDescriptor<'a>(pub(crate) &'a [InterfaceSpec]);

impl<'a> ConfigurationDescriptor<'a> {
    /// Its number.
    pub fn configuration_value(&self) -> u8 {
        1
    }

    /// Its interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = InterfaceDescriptors<'a>> + use<'a> {
        self.0.iter().map(InterfaceDescriptors)
    }

    /// The settings of all its interfaces.
    pub fn interface_alt_settings(
        &self,
    ) -> impl Iterator<Item = InterfaceDescriptor<'a>> + use<'a> {
        self.0.iter().map(InterfaceDescriptor)
    }
}

/// An interface with its settings: one.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceDescriptors<'a>(&'a InterfaceSpec);

impl<'a> InterfaceDescriptors<'a> {
    /// Its number.
    pub fn interface_number(&self) -> u8 {
        self.0.number
    }

    /// Its settings.
    pub fn alt_settings(&self) -> impl Iterator<Item = InterfaceDescriptor<'a>> + use<'a> {
        core::iter::once(InterfaceDescriptor(self.0))
    }

    /// Its first setting.
    pub fn first_alt_setting(&self) -> InterfaceDescriptor<'a> {
        InterfaceDescriptor(self.0)
    }
}

/// A setting of an interface.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceDescriptor<'a>(pub(crate) &'a InterfaceSpec);

impl<'a> InterfaceDescriptor<'a> {
    /// The interface's number.
    pub fn interface_number(&self) -> u8 {
        self.0.number
    }

    /// The setting's number.
    pub fn alternate_setting(&self) -> u8 {
        0
    }

    /// How many endpoints it has.
    pub fn num_endpoints(&self) -> u8 {
        u8::try_from(self.0.endpoints.len()).unwrap_or(u8::MAX)
    }

    /// Its class.
    pub fn class(&self) -> u8 {
        self.0.class
    }

    /// Its subclass.
    pub fn subclass(&self) -> u8 {
        self.0.subclass
    }

    /// Its protocol.
    pub fn protocol(&self) -> u8 {
        0
    }

    /// Its endpoints.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointDescriptor<'a>> + use<'a> {
        self.0.endpoints.iter().map(EndpointDescriptor)
    }
}

/// An endpoint.
#[derive(Clone, Copy, Debug)]
pub struct EndpointDescriptor<'a>(&'a EndpointSpec);

impl EndpointDescriptor<'_> {
    /// Its address, the direction in bit 7.
    pub fn address(&self) -> u8 {
        self.0.address
    }

    /// Which way its data goes.
    pub fn direction(&self) -> Direction {
        self.0.direction()
    }

    /// How it transfers.
    pub fn transfer_type(&self) -> TransferType {
        TransferType::Bulk
    }

    /// Bytes in a packet.
    pub fn max_packet_size(&self) -> usize {
        self.0.max_packet_size
    }
}
