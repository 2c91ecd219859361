//! The host's side of SEGGER's Real Time Transfer: ring buffers in the target's RAM.
//!
//! The control block holds the identifier `SEGGER RTT`, padded to 16 bytes, the counts of up and
//! down channels, then per channel six words: name, buffer, size, write offset, read offset,
//! flags.

use crate::{TargetError, TargetMemory};

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
    pub fn clear(target: &mut dyn TargetMemory, block: u32) -> Result<(), TargetError> {
        target.write_memory(block, &[0; 16])
    }

    /// Whether there is a block at `block` at all.
    pub fn is_at(target: &mut dyn TargetMemory, block: u32) -> Result<bool, TargetError> {
        let mut head = [0; IDENTIFIER.len()];
        target.read_memory(block, &mut head)?;
        Ok(head == *IDENTIFIER)
    }

    /// Attaches to the channels named `name`; `None` while the firmware has not set the block up.
    pub fn attach(
        target: &mut dyn TargetMemory,
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
            return Err(RttError::Damaged {
                address: block,
                what,
            });
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
    pub fn read(&self, target: &mut dyn TargetMemory) -> Result<Vec<u8>, RttError> {
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
    pub fn write(&self, target: &mut dyn TargetMemory, bytes: &[u8]) -> Result<usize, RttError> {
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

    fn offsets(&self, target: &mut dyn TargetMemory, ring: Ring) -> Result<(u32, u32), RttError> {
        let mut words = [0; 8];
        target.read_memory(ring.descriptor + 12, &mut words)?;
        let (write, read) = (word(&words, 0), word(&words, 4));
        if write >= ring.size || read >= ring.size {
            let what = format!(
                "offsets {write} and {read} in a buffer of {} bytes",
                ring.size
            );
            return Err(RttError::Damaged {
                address: self.block,
                what,
            });
        }
        Ok((write, read))
    }
}

fn find(
    target: &mut dyn TargetMemory,
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
            return Err(RttError::Damaged {
                address: block,
                what,
            });
        }
        return Ok(Some(Ring {
            descriptor,
            buffer,
            size,
        }));
    }
    Ok(None)
}

/// Whether the zero-ended string at `address` is `name`.
fn named(target: &mut dyn TargetMemory, address: u32, name: &str) -> Result<bool, RttError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BLOCK: u32 = 0x2000_0100;
    const NAME: u32 = 0x2000_0010;
    const UP: u32 = 0x2000_1000;
    const DOWN: u32 = 0x2000_2000;

    struct Ram(Vec<u8>);

    impl Ram {
        /// A control block with one channel each way, in buffers of `size` bytes.
        fn with_channel(name: &str, size: u32) -> Self {
            let mut ram = Self(vec![0; 0x4000]);
            let mut put = |address: u32, bytes: &[u8]| ram.write_memory(address, bytes).unwrap();
            put(NAME, name.as_bytes());
            put(BLOCK, IDENTIFIER);
            let words = [1, 1, NAME, UP, size, 0, 0, 0, NAME, DOWN, size, 0, 0, 0];
            for (index, word) in words.into_iter().enumerate() {
                put(BLOCK + 16 + 4 * index as u32, &u32::to_le_bytes(word));
            }
            ram
        }

        fn word(&mut self, address: u32) -> u32 {
            let mut bytes = [0; 4];
            self.read_memory(address, &mut bytes).unwrap();
            u32::from_le_bytes(bytes)
        }

        /// The firmware's side of a ring: moves bytes between it and the host.
        fn firmware_write(&mut self, descriptor: u32, bytes: &[u8]) {
            let (buffer, size) = (self.word(descriptor + 4), self.word(descriptor + 8));
            let mut at = self.word(descriptor + 12);
            for byte in bytes {
                self.write_memory(buffer + at, &[*byte]).unwrap();
                at = (at + 1) % size;
            }
            self.write_memory(descriptor + 12, &at.to_le_bytes())
                .unwrap();
        }

        fn firmware_read(&mut self, descriptor: u32) -> Vec<u8> {
            let (buffer, size) = (self.word(descriptor + 4), self.word(descriptor + 8));
            let (write, mut at) = (self.word(descriptor + 12), self.word(descriptor + 16));
            let mut bytes = Vec::new();
            while at != write {
                let mut byte = [0];
                self.read_memory(buffer + at, &mut byte).unwrap();
                bytes.push(byte[0]);
                at = (at + 1) % size;
            }
            self.write_memory(descriptor + 16, &at.to_le_bytes())
                .unwrap();
            bytes
        }
    }

    impl TargetMemory for Ram {
        fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
            let start = (address - 0x2000_0000) as usize;
            bytes.copy_from_slice(self.0.get(start..start + bytes.len()).ok_or(
                TargetError::NoMemory {
                    what: "read",
                    address,
                },
            )?);
            Ok(())
        }

        fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
            let start = (address - 0x2000_0000) as usize;
            let room = self.0.get_mut(start..start + bytes.len());
            room.ok_or(TargetError::NoMemory {
                what: "write",
                address,
            })?
            .copy_from_slice(bytes);
            Ok(())
        }
    }

    #[test]
    fn before_the_firmware_is_ready_there_is_nothing() {
        let mut ram = Ram::with_channel("hil-link", 16);
        Rtt::clear(&mut ram, BLOCK).unwrap();
        assert!(Rtt::attach(&mut ram, BLOCK, "hil-link").unwrap().is_none());
    }

    #[test]
    fn another_name_is_no_channel() {
        let mut ram = Ram::with_channel("hil-linkx", 16);
        let attached = Rtt::attach(&mut ram, BLOCK, "hil-link");
        assert!(matches!(attached, Err(RttError::NoChannel(_))));
    }

    #[test]
    fn damage_is_named() {
        let mut ram = Ram::with_channel("hil-link", 16);
        let rtt = Rtt::attach(&mut ram, BLOCK, "hil-link").unwrap().unwrap();
        ram.write_memory(BLOCK + 24 + 12, &16u32.to_le_bytes())
            .unwrap();
        assert!(matches!(rtt.read(&mut ram), Err(RttError::Damaged { .. })));
        ram.write_memory(BLOCK + 24 + 8, &0x8_0000u32.to_le_bytes())
            .unwrap();
        let attached = Rtt::attach(&mut ram, BLOCK, "hil-link");
        assert!(matches!(attached, Err(RttError::Damaged { .. })));
    }

    proptest! {
        #[test]
        fn no_control_block_makes_the_host_panic(data: Vec<u8>, words: [u8; 6]) {
            crate::fuzzing::rtt(&data);
            // One channel each way, whose sizes and offsets come near to sound ones.
            let word = |index: usize| u32::from(words[index]).to_le_bytes();
            let ring = |at: usize| {
                let buffer = 0x2000_1000u32.to_le_bytes();
                [[0; 4], buffer, word(at), word(at + 1), word(at + 2), [0; 4]].concat()
            };
            let one = 1u32.to_le_bytes();
            let block = [one.to_vec(), one.to_vec(), ring(0), ring(3), data].concat();
            crate::fuzzing::rtt(&block);
        }

        #[test]
        fn rings_keep_every_byte(pieces in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..15), 0..20)) {
            let mut ram = Ram::with_channel("hil-link", 16);
            let rtt = Rtt::attach(&mut ram, BLOCK, "hil-link").unwrap().unwrap();
            for piece in pieces {
                ram.firmware_write(BLOCK + 24, &piece);
                prop_assert_eq!(rtt.read(&mut ram).unwrap(), &*piece);
                prop_assert_eq!(rtt.write(&mut ram, &[&*piece, &[0; 20]].concat()).unwrap(), 15);
                prop_assert_eq!(&ram.firmware_read(BLOCK + 48)[..piece.len()], &*piece);
            }
        }
    }
}
