//! The seam between the access port and the chip's bus matrix.

use az3166_emulator::DevKit;
use az3166_emulator::bus::Width;

/// The bus answered an access with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusError;

/// The chip as the access port's bus master sees it. Addresses are aligned to the width.
pub trait SystemBus {
    /// Whether the chip has power: without it nothing answers on the wire.
    fn is_powered(&self) -> bool;

    /// Reads; the value is zero-extended.
    fn read(&mut self, address: u32, width: Width) -> Result<u32, BusError>;

    /// Writes the low bits of `value`.
    fn write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusError>;
}

impl SystemBus for DevKit {
    fn is_powered(&self) -> bool {
        Self::is_powered(self)
    }

    fn read(&mut self, address: u32, width: Width) -> Result<u32, BusError> {
        let mut bytes = [0; 4];
        self.read_memory(address, &mut bytes[..width.bytes() as usize])
            .map_err(|_| BusError)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusError> {
        self.write_memory(address, &value.to_le_bytes()[..width.bytes() as usize])
            .map_err(|_| BusError)
    }
}
