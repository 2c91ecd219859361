//! The chip's non-volatile memory: what survives a loss of power.

mod access;
mod file;
mod zone;

use core::fmt;
use std::collections::BTreeMap;

pub use access::{AccessCondition, ChangeRight, Condition};
pub use file::NvmFileError;
pub use zone::{Content, Zone};

/// The zones, counters, life cycle and key states of one chip.
///
/// It holds secrets (on the DevKit, the UDS in zone 6): its `Debug` shows no zone's
/// content, and zones are wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct NvmImage {
    /// Life cycle state.
    pub life_cycle: LifeCycle,
    /// State of the two local envelope key slots.
    pub envelope_keys: [EnvelopeKey; 2],
    /// State of the host key slot.
    pub host_key: HostKey,
    zones: BTreeMap<u8, Zone>,
}

/// Life cycle state, as Query 08 tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LifeCycle {
    /// Not personalised.
    Born = 0x01,
    /// In use.
    Operational = 0x03,
    /// For ever out of use.
    Terminated = 0x04,
    /// Born and locked.
    BornLocked = 0x81,
    /// Operational and locked.
    OperationalLocked = 0x83,
}

impl LifeCycle {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Born,
        Self::Operational,
        Self::Terminated,
        Self::BornLocked,
        Self::OperationalLocked,
    ];

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A local envelope key slot, as Query 07 tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeKey {
    /// No key.
    Absent,
    /// An AES-128 key (key type 0).
    Aes128,
    /// An AES-256 key (key type 1).
    Aes256,
}

/// The host key slot, as Query 17 tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKey {
    /// No key.
    Absent,
    /// A key, with its C-MAC counter of 24 bits.
    Present {
        /// The C-MAC counter.
        counter: u32,
    },
}

/// What the DevKit's chip has as zones 1, 4 and 9, which no public source describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservedZones {
    /// Nothing.
    Absent,
    /// Counter zones of 64 bytes.
    Counters,
}

impl NvmImage {
    /// A chip without zones, keys or counters.
    pub fn empty() -> Self {
        Self {
            life_cycle: LifeCycle::Operational,
            envelope_keys: [EnvelopeKey::Absent; 2],
            host_key: HostKey::Absent,
            zones: BTreeMap::new(),
        }
    }

    /// The DevKit's chip as new: its zones (from the public DevKit SDK), filled with zeros.
    pub fn devkit(reserved: ReservedZones) -> Self {
        const DATA: [(u8, u16); 8] = [
            (0, 1000),
            (2, 200),
            (3, 128),
            (5, 600),
            (6, 700),
            (7, 800),
            (8, 900),
            (10, 100),
        ];
        let mut image = Self::empty();
        for (index, size) in DATA {
            image.zones.insert(index, Zone::new(Content::Data, size));
        }
        if reserved == ReservedZones::Counters {
            for index in [1, 4, 9] {
                let counter = Content::Counter(u32::MAX);
                image.zones.insert(index, Zone::new(counter, 64));
            }
        }
        image
    }

    /// Adds or replaces a zone.
    pub fn insert(&mut self, index: u8, zone: Zone) {
        self.zones.insert(index, zone);
    }

    /// The zone, where the chip has it.
    pub fn zone(&self, index: u8) -> Option<&Zone> {
        self.zones.get(&index)
    }

    /// The zone, where the chip has it, to change it without the chip's rules.
    pub fn zone_mut(&mut self, index: u8) -> Option<&mut Zone> {
        self.zones.get_mut(&index)
    }

    /// All zones by index.
    pub fn zones(&self) -> impl ExactSizeIterator<Item = (u8, &Zone)> {
        self.zones.iter().map(|(index, zone)| (*index, zone))
    }
}

impl Default for NvmImage {
    /// The DevKit's chip as new, without the zones that nobody knows.
    fn default() -> Self {
        Self::devkit(ReservedZones::Absent)
    }
}

impl fmt::Debug for NvmImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NvmImage")
            .field("life_cycle", &self.life_cycle)
            .field("envelope_keys", &self.envelope_keys)
            .field("host_key", &self.host_key)
            .field("zones", &self.zones)
            .finish()
    }
}
