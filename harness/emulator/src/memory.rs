//! Flash and RAM of the STM32F412.

use crate::cpu::CodeCache;
use std::sync::Arc;

/// Flash and RAM, and what was decoded of the code in them.
///
/// Clones share flash until one of them changes it.
#[derive(Clone, Debug)]
pub struct Memory {
    pub(crate) flash: Arc<[u8; Self::FLASH_SIZE]>,
    pub(crate) ram: Box<[u8; Self::RAM_SIZE]>,
    pub(crate) code: CodeCache,
}

impl Memory {
    /// First address of flash.
    pub const FLASH_BASE: u32 = 0x0800_0000;
    /// Size of flash in bytes: 1 MiB.
    pub const FLASH_SIZE: usize = 0x10_0000;
    /// First address of RAM.
    pub const RAM_BASE: u32 = 0x2000_0000;
    /// Size of RAM in bytes: 256 KiB.
    pub const RAM_SIZE: usize = 0x4_0000;

    /// Erased flash and zeroed RAM.
    pub fn new() -> Self {
        Self {
            flash: Arc::from(boxed::<{ Self::FLASH_SIZE }>(0xFF)),
            ram: boxed(0),
            code: CodeCache::new(),
        }
    }

    /// The bytes of flash.
    pub fn flash(&self) -> &[u8] {
        &self.flash[..]
    }

    /// The bytes of RAM.
    pub fn ram(&self) -> &[u8] {
        &self.ram[..]
    }

    /// Replaces bytes of flash from `offset` on, whatever they were; what was decoded there is dropped.
    ///
    /// # Panics
    /// When the bytes reach beyond the end of flash.
    pub fn replace_flash(&mut self, offset: usize, bytes: &[u8]) {
        Arc::make_mut(&mut self.flash)[offset..offset + bytes.len()].copy_from_slice(bytes);
        self.code.drop_flash(offset, bytes.len());
    }

    /// Replaces bytes of RAM from `offset` on; what was decoded there is dropped.
    ///
    /// # Panics
    /// When the bytes reach beyond the end of RAM.
    pub fn replace_ram(&mut self, offset: usize, bytes: &[u8]) {
        self.ram[offset..offset + bytes.len()].copy_from_slice(bytes);
        self.code.drop_ram(offset, bytes.len());
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// An array on the heap that never was on the stack.
fn boxed<const N: usize>(byte: u8) -> Box<[u8; N]> {
    match vec![byte; N].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("a vector of N bytes is an array of N bytes"),
    }
}
