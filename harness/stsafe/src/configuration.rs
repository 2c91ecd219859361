//! What one chip has instead of another: address, times, product data, and every
//! behaviour that no public source settles.

use core::time::Duration;

use crate::Status;

/// One chip's properties that are not in its NVM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// 7-bit I2C address.
    pub address: u8,
    /// How long it takes over each command.
    pub busy: BusyTimes,
    /// From power-on to the first acknowledged address.
    pub boot: Duration,
    /// Whether it does Updates with the atomic bit.
    pub atomic_update: AtomicUpdate,
    /// The answer to Query 11.
    pub product: ProductData,
    /// Low-power mode in Query 0A, bits 2..1 of the second byte.
    pub low_power_mode: u8,
    /// Seed of Generate Random.
    pub random_seed: [u8; 32],
    /// Behaviour that only a real chip can tell.
    pub unverified: Unverified,
}

/// Whether the chip does Updates with the atomic bit (0x80 of the option byte).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomicUpdate {
    /// Up to 64 bytes are written all or not at all.
    Supported,
    /// It answers [`Unverified::atomic_refused`].
    Refused,
}

/// Execution times. ST publishes none for the A100: the defaults are estimates between
/// the waiting times of ST's middlewares, all far below the 1260 ms that hosts poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyTimes {
    /// Echo.
    pub echo: Duration,
    /// Reset, up to the first acknowledged address.
    pub reset: Duration,
    /// Generate Random.
    pub random: Duration,
    /// Decrement.
    pub decrement: Duration,
    /// Read.
    pub read: Duration,
    /// Update, for each 64-byte NVM page that it touches.
    pub update_page: Duration,
    /// Hibernate, up to the low-power state.
    pub hibernate: Duration,
    /// Query.
    pub query: Duration,
    /// A command that is refused.
    pub refusal: Duration,
}

/// The product data of Query 11: eight TLVs, 39 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductData {
    /// Tag 01: mask identification.
    pub mask: [u8; 3],
    /// Tag 02: ST number, the chip's serial number.
    pub st_number: [u8; 9],
    /// Tag 03: the longest frame in bytes, header and CRC included.
    pub io_buffer: u16,
    /// Tag 04: the longest atomic Update in bytes.
    pub atomicity_buffer: u16,
    /// Tag 05: NVM size in bytes.
    pub nvm_size: u16,
    /// Tag 06: test date.
    pub test_date: u16,
    /// Tag 07: product version.
    pub version: u8,
    /// Tag 08: module date.
    pub module_date: u16,
}

/// Choices where public sources are silent: no byte of a real A100 settles them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// The status for a zone that the chip does not have (0x10 or 0x03).
    pub unknown_zone: Status,
    /// The status for a command frame longer than the I/O buffer (0x06 or 0x01).
    pub over_long_frame: Status,
    /// The status for a Read whose answer would not fit the I/O buffer.
    pub over_long_answer: Status,
    /// The status for an atomic Update where [`AtomicUpdate::Refused`].
    pub atomic_refused: Status,
    /// The status for an atomic Update longer than the atomicity buffer.
    pub atomic_over_buffer: Status,
    /// The status for a Query tag that the chip does not have.
    pub unknown_attribute: Status,
    /// The status for a frame with a MAC while the chip has no host key.
    pub protected_frame: Status,
    /// Whether a read is acknowledged while no response is pending.
    pub read_without_response: ReadWithoutResponse,
}

/// What an address with the read bit meets while no response is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadWithoutResponse {
    /// It is refused.
    Refused,
    /// It is acknowledged and 0xFF is read.
    Filler,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            address: 0x20,
            busy: BusyTimes::default(),
            boot: Duration::from_millis(10),
            atomic_update: AtomicUpdate::Supported,
            product: ProductData::default(),
            low_power_mode: 0,
            random_seed: [0; 32],
            unverified: Unverified::default(),
        }
    }
}

impl Default for BusyTimes {
    fn default() -> Self {
        Self {
            echo: Duration::from_millis(1),
            reset: Duration::from_millis(10),
            random: Duration::from_millis(5),
            decrement: Duration::from_millis(8),
            read: Duration::from_millis(2),
            update_page: Duration::from_millis(8),
            hibernate: Duration::from_millis(5),
            query: Duration::from_millis(1),
            refusal: Duration::from_millis(1),
        }
    }
}

impl Default for ProductData {
    /// Buffer sizes as a public log of an STSAFE-A110 shows them, NVM size from the
    /// A100's data sheet (DS12911); the rest is unknown for an A100 and says so by zeros.
    fn default() -> Self {
        Self {
            mask: [0; 3],
            st_number: [0; 9],
            io_buffer: 507,
            atomicity_buffer: 64,
            nvm_size: 6144,
            test_date: 0,
            version: 0,
            module_date: 0,
        }
    }
}

impl Default for Unverified {
    fn default() -> Self {
        Self {
            unknown_zone: Status::EntryNotFound,
            over_long_frame: Status::BufferLengthExceeded,
            over_long_answer: Status::BufferLengthExceeded,
            atomic_refused: Status::InconsistentCommandData,
            atomic_over_buffer: Status::BufferLengthExceeded,
            unknown_attribute: Status::ValueOutOfRange,
            protected_frame: Status::InvalidCMac,
            read_without_response: ReadWithoutResponse::Refused,
        }
    }
}
