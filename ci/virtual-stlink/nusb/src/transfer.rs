//! Transfers and their buffers.

use core::ops::{Deref, DerefMut};
use std::fmt;
use std::io;

use crate::descriptors::TransferType;

/// Which way data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the device.
    Out,
    /// To the host.
    In,
}

/// Data to the host.
#[derive(Debug)]
pub enum In {}

/// Data to the device.
#[derive(Debug)]
pub enum Out {}

/// A bulk endpoint.
#[derive(Debug)]
pub enum Bulk {}

/// A direction as a type.
pub trait EndpointDirection: Send {
    /// The direction.
    const DIR: Direction;
}

impl EndpointDirection for In {
    const DIR: Direction = Direction::In;
}

impl EndpointDirection for Out {
    const DIR: Direction = Direction::Out;
}

/// A kind of endpoint as a type.
pub trait BulkOrInterrupt: Send {
    /// The kind.
    const TYPE: TransferType;
}

impl BulkOrInterrupt for Bulk {
    const TYPE: TransferType = TransferType::Bulk;
}

/// Who defines a control request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlType {
    /// The USB specification.
    Standard,
    /// A device class.
    Class,
    /// The vendor.
    Vendor,
}

/// What a control request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The device.
    Device,
    /// An interface.
    Interface,
    /// An endpoint.
    Endpoint,
    /// Something else.
    Other,
}

/// A control request with data for the device.
#[derive(Clone, Copy, Debug)]
pub struct ControlOut<'a> {
    /// Who defines it.
    pub control_type: ControlType,
    /// What it is for.
    pub recipient: Recipient,
    /// Its number.
    pub request: u8,
    /// Its first parameter.
    pub value: u16,
    /// Its second parameter.
    pub index: u16,
    /// Its data.
    pub data: &'a [u8],
}

/// A control request for data from the device.
#[derive(Clone, Copy, Debug)]
pub struct ControlIn {
    /// Who defines it.
    pub control_type: ControlType,
    /// What it is for.
    pub recipient: Recipient,
    /// Its number.
    pub request: u8,
    /// Its first parameter.
    pub value: u16,
    /// Its second parameter.
    pub index: u16,
    /// How much data is asked for.
    pub length: u16,
}

/// Why a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferError {
    /// It was cancelled.
    Cancelled,
    /// The endpoint is stalled.
    Stall,
    /// The device is gone.
    Disconnected,
    /// The bus is broken.
    Fault,
    /// The software USB has no such transfer.
    InvalidArgument,
    /// Something else.
    Unknown(u32),
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("transfer was cancelled"),
            Self::Stall => f.write_str("endpoint stalled"),
            Self::Disconnected => f.write_str("device disconnected"),
            Self::Fault => f.write_str("hardware fault or protocol violation"),
            Self::InvalidArgument => f.write_str("invalid or unsupported argument"),
            Self::Unknown(code) => write!(f, "unknown ({code})"),
        }
    }
}

impl std::error::Error for TransferError {}

impl From<TransferError> for io::Error {
    fn from(error: TransferError) -> Self {
        let kind = match error {
            TransferError::Cancelled => io::ErrorKind::Interrupted,
            TransferError::Stall => io::ErrorKind::ConnectionReset,
            TransferError::Disconnected => io::ErrorKind::ConnectionAborted,
            TransferError::InvalidArgument => io::ErrorKind::InvalidInput,
            TransferError::Fault | TransferError::Unknown(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// A transfer's bytes: those to send, or room for those that come.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    requested: usize,
}

impl Buffer {
    /// Room for `requested` bytes.
    pub fn new(requested: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(requested),
            requested,
        }
    }

    /// How many bytes are asked for.
    pub fn requested_len(&self) -> usize {
        self.requested
    }

    /// Appends bytes.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Removes all bytes.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The bytes.
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        let requested = bytes.len();
        Self { bytes, requested }
    }
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// A transfer that is over.
#[derive(Debug)]
pub struct Completion {
    /// Its bytes.
    pub buffer: Buffer,
    /// How many were transferred.
    pub actual_len: usize,
    /// Whether it went well.
    pub status: Result<(), TransferError>,
}
