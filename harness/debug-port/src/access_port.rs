//! The AHB access port of a Cortex-M4 (Cortex-M4 TRM r0p1, section 9.2; ADIv5.2, section C2).

use az3166_emulator::bus::Width;

use crate::bus::{BusError, SystemBus};
use crate::injection::Injected;

/// Identification register: Arm, AHB-AP, variant 2.
pub const AHB_AP_IDR: u32 = 0x2477_0011;
/// The ROM table's address, with the bits that say that one is there.
pub const AHB_AP_BASE: u32 = 0xE00F_F003;
/// Control and status word after power-on.
pub const AHB_AP_CSW: u32 = 0x2300_0040;

const CSW: u8 = 0x00;
const TAR: u8 = 0x04;
const DRW: u8 = 0x0C;
const BD0: u8 = 0x10;
const BD3: u8 = 0x1C;
const BASE: u8 = 0xF8;
const IDR: u8 = 0xFC;

/// CSW: Size, AddrInc, HPROT1 and MasterType can be written.
const CSW_WRITABLE: u32 = 0x2200_0037;
const CSW_SIZE: u32 = 0b111;
/// TAR's low bits, in which auto-increment stays (the smallest that ADIv5 demands; so here).
const INCREMENT_WRAP: u32 = 0x3FF;

/// What CSW.AddrInc does with TAR after a transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Increment {
    Off,
    Single,
    Packed,
}

/// Access port 0.
#[derive(Clone, Debug)]
pub(crate) struct AccessPort {
    csw: u32,
    tar: u32,
}

impl AccessPort {
    pub(crate) const fn new() -> Self {
        Self {
            csw: AHB_AP_CSW,
            tar: 0,
        }
    }

    /// Reads the register at `address`.
    pub(crate) fn read(
        &mut self,
        bus: &mut impl SystemBus,
        injected: &mut Injected,
        address: u8,
    ) -> Result<u32, BusError> {
        Ok(match address {
            CSW => self.csw,
            TAR => self.tar,
            DRW => {
                let mut value = 0;
                for _ in 0..self.accesses() {
                    value |= self.data_read(bus, injected)?;
                    self.increment();
                }
                value
            }
            BD0..=BD3 => {
                let at = self.banked(address);
                checked(injected, at, Width::Word, || bus.read(at, Width::Word))?
            }
            BASE => AHB_AP_BASE,
            IDR => AHB_AP_IDR,
            // CFG: little-endian, no large addresses.
            _ => 0,
        })
    }

    /// Writes the register at `address`.
    pub(crate) fn write(
        &mut self,
        bus: &mut impl SystemBus,
        injected: &mut Injected,
        address: u8,
        value: u32,
    ) -> Result<(), BusError> {
        match address {
            CSW => self.write_csw(value),
            TAR => self.tar = value,
            DRW => {
                for _ in 0..self.accesses() {
                    let (at, width) = (self.tar, self.width());
                    let lane = value >> (8 * (at & 3));
                    checked(injected, at, width, || bus.write(at, width, lane))?;
                    self.increment();
                }
            }
            BD0..=BD3 => {
                let at = self.banked(address);
                checked(injected, at, Width::Word, || {
                    bus.write(at, Width::Word, value)
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A size that the port does not have leaves the old one.
    fn write_csw(&mut self, value: u32) {
        let size = match value & CSW_SIZE {
            size @ 0..=2 => size,
            _ => self.csw & CSW_SIZE,
        };
        let kept = self.csw & !CSW_WRITABLE;
        self.csw = kept | value & CSW_WRITABLE & !CSW_SIZE | size;
    }

    fn data_read(
        &self,
        bus: &mut impl SystemBus,
        injected: &mut Injected,
    ) -> Result<u32, BusError> {
        let (at, width) = (self.tar, self.width());
        let value = checked(injected, at, width, || bus.read(at, width))?;
        // Narrow data travels in the byte lanes of its address.
        Ok(value << (8 * (at & 3)))
    }

    fn width(&self) -> Width {
        match self.csw & CSW_SIZE {
            0 => Width::Byte,
            1 => Width::Halfword,
            _ => Width::Word,
        }
    }

    fn address_increment(&self) -> Increment {
        match self.csw >> 4 & 3 {
            1 => Increment::Single,
            2 => Increment::Packed,
            _ => Increment::Off,
        }
    }

    /// Bus accesses per access to DRW: a packed transfer fills the word.
    fn accesses(&self) -> u32 {
        match self.address_increment() {
            Increment::Packed => (4 - (self.tar & 3)).div_ceil(self.width().bytes()),
            Increment::Off | Increment::Single => 1,
        }
    }

    fn increment(&mut self) {
        if self.address_increment() != Increment::Off {
            let next = self.tar.wrapping_add(self.width().bytes());
            self.tar = self.tar & !INCREMENT_WRAP | next & INCREMENT_WRAP;
        }
    }

    fn banked(&self, register: u8) -> u32 {
        self.tar & !0xF | u32::from(register & 0xC)
    }
}

/// An access to the bus. The port does not align addresses: one that is not aligned is refused,
/// so that a debugger that forgets to align is found out.
fn checked<T>(
    injected: &mut Injected,
    address: u32,
    width: Width,
    access: impl FnOnce() -> Result<T, BusError>,
) -> Result<T, BusError> {
    let broken = injected.breaks(address);
    if broken || !address.is_multiple_of(width.bytes()) {
        return Err(BusError);
    }
    access()
}
