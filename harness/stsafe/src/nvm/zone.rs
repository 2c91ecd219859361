//! One zone of the data partition.

use core::fmt;

use zeroize::Zeroizing;

use super::AccessCondition;

/// What a zone is made of besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Bytes alone (type 0).
    Data,
    /// A one-way counter before the bytes (type 1).
    Counter(u32),
}

/// One zone: its type, bytes, access conditions and wear.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its type, with the counter's value.
    pub content: Content,
    /// Who may read it.
    pub read: AccessCondition,
    /// Who may update or decrement it.
    pub update: AccessCondition,
    /// How many Updates and Decrements began to write to it: its wear.
    pub writes: u32,
    bytes: Zeroizing<Vec<u8>>,
}

impl Zone {
    /// A zone of `size` zero bytes, open to everybody.
    pub fn new(content: Content, size: u16) -> Self {
        Self::with_bytes(content, Zeroizing::new(vec![0; usize::from(size)]))
    }

    pub(super) fn with_bytes(content: Content, bytes: Zeroizing<Vec<u8>>) -> Self {
        Self {
            content,
            read: AccessCondition::OPEN,
            update: AccessCondition::OPEN,
            writes: 0,
            bytes,
        }
    }

    /// The bytes; the caller answers for where they go.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of bytes.
    pub fn size(&self) -> u16 {
        // Both ways to make a zone count its bytes in 16 bits.
        u16::try_from(self.bytes.len()).unwrap_or(u16::MAX)
    }

    /// The bytes, to change them without the chip's rules and without wear.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zone")
            .field("content", &self.content)
            .field("read", &self.read)
            .field("update", &self.update)
            .field("writes", &self.writes)
            .field("size", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
