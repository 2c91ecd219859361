//! Flash and RAM of the STM32F412.

/// Flash and RAM, and which pages of them hold decoded code.
#[derive(Clone, Debug)]
pub struct Memory {
    flash: Vec<u8>,
    ram: Vec<u8>,
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
            flash: vec![0xFF; Self::FLASH_SIZE],
            ram: vec![0; Self::RAM_SIZE],
        }
    }

    /// The bytes of flash.
    pub fn flash(&self) -> &[u8] {
        &self.flash
    }

    /// The bytes of RAM.
    pub fn ram(&self) -> &[u8] {
        &self.ram
    }

    /// Replaces bytes of flash from `offset` on, whatever they were; what was decoded there is dropped.
    pub fn replace_flash(&mut self, offset: usize, bytes: &[u8]) {
        self.flash[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// Replaces bytes of RAM from `offset` on; what was decoded there is dropped.
    pub fn replace_ram(&mut self, offset: usize, bytes: &[u8]) {
        self.ram[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}
