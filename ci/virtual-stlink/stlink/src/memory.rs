//! Memory through the AHB access port (Arm IHI 0031, chapter C2).

use az3166_debug_port::{Port, Request};

use crate::command::{Access, Unit};
use crate::probe::ProbeWire;
use crate::status::Status;

const CSW: u8 = 0x00;
const TAR: u8 = 0x04;
const DRW: u8 = 0x0C;
const SELECT: u8 = 0x08;
const RDBUFF: u8 = 0x0C;

/// HPROT for privileged data, with the debug master's bit.
const CSW_BASE: u32 = 0x2300_0040;
const INCREMENT_SINGLE: u32 = 0x10;
/// TAR's increment wraps here.
const WRAP: u32 = 0x400;

const fn size(unit: Unit) -> u32 {
    match unit {
        Unit::Byte => 0,
        Unit::Halfword => 1,
        Unit::Word => 2,
    }
}

/// Writes a register; the answer has no value.
fn write(wire: &ProbeWire, port: Port, address: u8, value: u32) -> Result<(), Status> {
    let request = Request::Write {
        port,
        address,
        value,
    };
    wire.transfer(request).map(drop)
}

fn read(wire: &ProbeWire, port: Port, address: u8) -> Result<u32, Status> {
    wire.transfer(Request::Read { port, address })
}

/// Bytes before TAR must be written anew.
fn run_length(address: u32, left: u32) -> u32 {
    left.min(WRAP - address % WRAP)
}

/// The runs of an access between wraps: address and length in bytes.
fn runs(access: Access) -> impl Iterator<Item = (u32, u32)> {
    let mut address = access.address;
    let mut left = u32::from(access.length);
    core::iter::from_fn(move || {
        (left > 0).then(|| {
            let length = run_length(address, left);
            let run = (address, length);
            address = address.wrapping_add(length);
            left -= length;
            run
        })
    })
}

fn begin(wire: &ProbeWire, unit: Unit) -> Result<(), Status> {
    write(wire, Port::Debug, SELECT, 0)?;
    write(
        wire,
        Port::Access,
        CSW,
        CSW_BASE | INCREMENT_SINGLE | size(unit),
    )
}

/// Reads memory.
pub(crate) fn read_memory(wire: &ProbeWire, access: Access) -> Result<Vec<u8>, Status> {
    let step = access.unit.bytes();
    let mut bytes = Vec::with_capacity(access.length.into());
    begin(wire, access.unit)?;
    for (start, length) in runs(access) {
        write(wire, Port::Access, TAR, start)?;
        // Reads of an access port are posted: the first answer belongs to an earlier one.
        read(wire, Port::Access, DRW)?;
        let mut address = start;
        while address < start + length {
            let word = match address + step < start + length {
                true => read(wire, Port::Access, DRW)?,
                false => read(wire, Port::Debug, RDBUFF)?,
            };
            let lane = (address % 4) as usize;
            bytes.extend_from_slice(&word.to_le_bytes()[lane..lane + step as usize]);
            address += step;
        }
    }
    Ok(bytes)
}

/// Writes memory.
pub(crate) fn write_memory(wire: &ProbeWire, access: Access, bytes: &[u8]) -> Result<(), Status> {
    let step = access.unit.bytes();
    begin(wire, access.unit)?;
    let mut units = bytes.chunks(step as usize);
    for (start, length) in runs(access) {
        write(wire, Port::Access, TAR, start)?;
        let mut address = start;
        while address < start + length {
            let mut word = [0; 4];
            let lane = (address % 4) as usize;
            let unit = units.next().unwrap_or_default();
            word[lane..lane + unit.len()].copy_from_slice(unit);
            write(wire, Port::Access, DRW, u32::from_le_bytes(word))?;
            address += step;
        }
    }
    // The write buffer: only now is the last write known to have gone well.
    read(wire, Port::Debug, RDBUFF).map(drop)
}
