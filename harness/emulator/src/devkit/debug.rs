//! The debugger's view of memory and registers.

use super::{DevKit, Power};
use crate::bus::{Access, Bus as _, Width};
use crate::chip::{Halt, Place, UnmodelledPolicy, place};
use crate::cpu::{Cpu, Register};
use crate::memory::Memory;

/// A debugger's access that did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DebugError {
    /// Nothing answers at an address.
    #[error("nothing answers at {address:#010x}")]
    Fault {
        /// The address.
        address: u32,
    },
    /// The board has no power.
    #[error("the board has no power: switch it on first")]
    NoPower,
}

impl DevKit {
    /// Reads memory and registers as a debugger does, without the processor. Registers are read
    /// through the bus, with whatever a read does to them.
    ///
    /// # Errors
    /// [`DebugError`]; `bytes` is undefined then.
    pub fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), DebugError> {
        self.need_power()?;
        if let Some((Region::Ram, offset)) = region(address, bytes.len()) {
            bytes.copy_from_slice(&self.memory.ram()[offset..offset + bytes.len()]);
            return Ok(());
        }
        if let Some((Region::Flash, offset)) = region(address, bytes.len()) {
            bytes.copy_from_slice(&self.memory.flash()[offset..offset + bytes.len()]);
            return Ok(());
        }
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32);
            let width = widest(at, bytes.len() - done);
            let value = self.read_bus(at, width)?.to_le_bytes();
            let length = width.bytes() as usize;
            bytes[done..done + length].copy_from_slice(&value[..length]);
            done += length;
        }
        Ok(())
    }

    /// Writes memory and registers as a debugger does. Flash takes a write only as its controller
    /// lets it: use [`DevKit::program`] to load an image.
    ///
    /// # Errors
    /// [`DebugError`]; what came before the address that failed is written.
    pub fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), DebugError> {
        self.need_power()?;
        if let Some((Region::Ram, offset)) = region(address, bytes.len()) {
            self.memory.replace_ram(offset, bytes);
            return Ok(());
        }
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u32);
            let width = widest(at, bytes.len() - done);
            let length = width.bytes() as usize;
            let mut value = [0; 4];
            value[..length].copy_from_slice(&bytes[done..done + length]);
            self.write_bus(at, width, u32::from_le_bytes(value))?;
            done += length;
        }
        Ok(())
    }

    fn need_power(&self) -> Result<(), DebugError> {
        match self.power {
            Power::On => Ok(()),
            Power::Off => Err(DebugError::NoPower),
        }
    }

    fn access(&self, address: u32, width: Width) -> Access {
        Access {
            address,
            width,
            cycle: self.cpu.cycle(),
            pc: self.cpu.register(Register::Pc),
        }
    }

    fn read_bus(&mut self, address: u32, width: Width) -> Result<u32, DebugError> {
        let fault = DebugError::Fault { address };
        if is_private(address) {
            return self.cpu.debug_read(address, width).map_err(|_| fault);
        }
        let access = self.access(address, width);
        self.without_policy(|this| this.chip.read(&mut this.memory, access).map_err(|_| fault))
    }

    fn write_bus(&mut self, address: u32, width: Width, value: u32) -> Result<(), DebugError> {
        let fault = DebugError::Fault { address };
        if is_private(address) {
            return self
                .cpu
                .debug_write(address, width, value)
                .map_err(|_| fault);
        }
        let access = self.access(address, width);
        self.without_policy(|this| {
            this.chip
                .write(&mut this.memory, access, value)
                .map_err(|_| fault)
        })
    }

    /// A debugger may look at registers that the model does not have; it does not stop the firmware.
    fn without_policy<T>(&mut self, access: impl FnOnce(&mut Self) -> T) -> T {
        let policy = self.chip.set_policy(UnmodelledPolicy::Record);
        let result = access(self);
        self.chip.set_policy(policy);
        // The run loop recomputes its deadline anyway.
        if let Some(halt) = self.chip.take_halt()
            && halt != Halt::ClockChanged
        {
            self.chip.set_halt(halt);
        }
        result
    }

    /// The processor, for a debug port.
    pub fn cpu(&self) -> &Cpu {
        &self.cpu
    }

    /// The processor, for a debug port.
    pub fn cpu_mut(&mut self) -> &mut Cpu {
        &mut self.cpu
    }
}

enum Region {
    Ram,
    Flash,
}

fn region(address: u32, length: usize) -> Option<(Region, usize)> {
    let inside = |base: u32, size: usize| {
        let offset = address.checked_sub(base)? as usize;
        (offset.checked_add(length)? <= size).then_some(offset)
    };
    if let Some(offset) = inside(Memory::RAM_BASE, Memory::RAM_SIZE) {
        return Some((Region::Ram, offset));
    }
    inside(Memory::FLASH_BASE, Memory::FLASH_SIZE).map(|offset| (Region::Flash, offset))
}

/// The processor's own registers; DBGMCU lies among them and is ST's.
fn is_private(address: u32) -> bool {
    (0xE000_0000..0xE010_0000).contains(&address) && !matches!(place(address), Place::Block(..))
}

fn widest(address: u32, left: usize) -> Width {
    if address.is_multiple_of(4) && left >= 4 {
        Width::Word
    } else if address.is_multiple_of(2) && left >= 2 {
        Width::Halfword
    } else {
        Width::Byte
    }
}
