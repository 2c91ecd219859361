//! The host's side of SEGGER's Real Time Transfer: ring buffers in the target's RAM.
//!
//! The control block holds the identifier `SEGGER RTT`, padded to 16 bytes, the counts of up and
//! down channels, then per channel six words: name, buffer, size, write offset, read offset,
//! flags.

use crate::{Target, TargetError};

const IDENTIFIER: &[u8; 16] = b"SEGGER RTT\0\0\0\0\0\0";
const DESCRIPTORS: u32 = 24;
const DESCRIPTOR_SIZE: u32 = 24;
/// More channels than any firmware has; a larger count means a block that is not one.
const MOST_CHANNELS: u32 = 16;
const RAM: core::ops::Range<u32> = 0x2000_0000..0x2004_0000;

/// Why the debug channel cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RttError {
    /// the RTT control block at {address:#010x} is damaged: {what}
    #[error("the RTT control block at {address:#010x} is damaged: {what}")]
    Damaged {
        /// The block's address.
        address: u32,
        /// What is wrong in it.
        what: String,
    },
    /// the firmware has no RTT channel named {0:?} in both directions
    #[error("the firmware has no RTT channel named {0:?} in both directions")]
    NoChannel(String),
    /// {0}
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// One ring buffer as its descriptor describes it.
#[derive(Clone, Copy, Debug)]
struct Ring {
    descriptor: u32,
    buffer: u32,
    size: u32,
}

/// An attached pair of channels of one name.
#[derive(Clone, Copy, Debug)]
pub struct Rtt {
    block: u32,
    up: Ring,
    down: Ring,
}

impl Rtt {
    /// Makes a block that an earlier run left in RAM unreadable, so that only a fresh one is found.
    pub fn clear(target: &mut dyn Target, block: u32) -> Result<(), TargetError> {
        target.write_memory(block, &[0; 16])
    }

    /// Attaches to the channels named `name`; `None` while the firmware has not set the block up.
    pub fn attach(
        target: &mut dyn Target,
        block: u32,
        name: &str,
    ) -> Result<Option<Self>, RttError> {
        let mut head = [0; DESCRIPTORS as usize];
        target.read_memory(block, &mut head)?;
        if !head.starts_with(IDENTIFIER) {
            return Ok(None);
        }
        let (ups, downs) = (word(&head, 16), word(&head, 20));
        if ups > MOST_CHANNELS || downs > MOST_CHANNELS {
            let what = format!("it counts {ups} up and {downs} down channels");
            return Err(RttError::Damaged { address: block, what });
        }
        let first = block + DESCRIPTORS;
        let up = find(target, block, first, ups, name)?;
        let down = find(target, block, first + ups * DESCRIPTOR_SIZE, downs, name)?;
        match (up, down) {
            (Some(up), Some(down)) => Ok(Some(Self { block, up, down })),
            _ => Err(RttError::NoChannel(name.into())),
        }
    }

    /// Takes all bytes that the firmware has written.
    pub fn read(&self, target: &mut dyn Target) -> Result<Vec<u8>, RttError> {
        let (write, read) = self.offsets(target, self.up)?;
        let mut bytes = Vec::new();
        let pieces = if write >= read {
            [(read, write), (0, 0)]
        } else {
            [(read, self.up.size), (0, write)]
        };
        for (from, to) in pieces {
            let start = bytes.len();
            bytes.resize(start + (to - from) as usize, 0);
            if to > from {
                target.read_memory(self.up.buffer + from, &mut bytes[start..])?;
            }
        }
        if !bytes.is_empty() {
            target.write_memory(self.up.descriptor + 16, &write.to_le_bytes())?;
        }
        Ok(bytes)
    }

    /// Writes as much of `bytes` as fits; returns how much that was.
    pub fn write(&self, target: &mut dyn Target, bytes: &[u8]) -> Result<usize, RttError> {
        let (write, read) = self.offsets(target, self.down)?;
        let size = self.down.size;
        let free = (read + size - write - 1) % size;
        let count = bytes.len().min(free as usize);
        let (first, second) = bytes[..count].split_at(count.min((size - write) as usize));
        if !first.is_empty() {
            target.write_memory(self.down.buffer + write, first)?;
        }
        if !second.is_empty() {
            target.write_memory(self.down.buffer, second)?;
        }
        if count > 0 {
            // Below the buffer's size, which lies in RAM.
            let next = (write + count as u32) % size;
            target.write_memory(self.down.descriptor + 12, &next.to_le_bytes())?;
        }
        Ok(count)
    }

    fn offsets(&self, target: &mut dyn Target, ring: Ring) -> Result<(u32, u32), RttError> {
        let mut words = [0; 8];
        target.read_memory(ring.descriptor + 12, &mut words)?;
        let (write, read) = (word(&words, 0), word(&words, 4));
        if write >= ring.size || read >= ring.size {
            let what =
                format!("offsets {write} and {read} in a buffer of {} bytes", ring.size);
            return Err(RttError::Damaged { address: self.block, what });
        }
        Ok((write, read))
    }
}

fn find(
    target: &mut dyn Target,
    block: u32,
    first: u32,
    count: u32,
    name: &str,
) -> Result<Option<Ring>, RttError> {
    for index in 0..count {
        let descriptor = first + index * DESCRIPTOR_SIZE;
        let mut words = [0; DESCRIPTOR_SIZE as usize];
        target.read_memory(descriptor, &mut words)?;
        let (name_at, buffer, size) = (word(&words, 0), word(&words, 4), word(&words, 8));
        if size == 0 || !named(target, name_at, name)? {
            continue;
        }
        let inside = RAM.contains(&buffer) && size <= RAM.end - buffer;
        if !inside || size < 2 {
            let what = format!("channel {name:?} has {size} bytes at {buffer:#010x}");
            return Err(RttError::Damaged { address: block, what });
        }
        return Ok(Some(Ring { descriptor, buffer, size }));
    }
    Ok(None)
}

/// Whether the zero-ended string at `address` is `name`.
fn named(target: &mut dyn Target, address: u32, name: &str) -> Result<bool, RttError> {
    if address == 0 {
        return Ok(false);
    }
    let mut bytes = vec![0; name.len() + 1];
    target.read_memory(address, &mut bytes)?;
    Ok(bytes.split_last() == Some((&0, name.as_bytes())))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
