//! Bodies for fuzzing; each must return without a panic for any input.

use crate::{Image, Rtt, SlipDecoder, TargetError, TargetMemory};

/// An ELF file of any bytes.
pub fn image(data: &[u8]) {
    if let Ok(image) = Image::parse(data) {
        let _ = image.symbol("main");
        let _ = image.function_at(0x0800_C000);
    }
}

/// A SLIP stream of any bytes.
pub fn slip(data: &[u8]) {
    let mut decoder = SlipDecoder::new(1500);
    let _ = decoder.push(data);
}

/// A device's RAM: 64 KiB are there, as a wrong pointer may lead outside.
struct Ram(Vec<u8>);

const RAM: u32 = 0x2000_0000;
const SIZE: usize = 0x1_0000;

impl Ram {
    fn place(&mut self, address: u32, length: usize) -> Option<&mut [u8]> {
        let start = address.checked_sub(RAM)? as usize;
        self.0.get_mut(start..start.checked_add(length)?)
    }
}

impl TargetMemory for Ram {
    fn read_memory(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), TargetError> {
        let what = "read";
        let place = self.place(address, bytes.len());
        bytes.copy_from_slice(place.ok_or(TargetError::NoMemory { what, address })?);
        Ok(())
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), TargetError> {
        let what = "write";
        let place = self.place(address, bytes.len());
        place
            .ok_or(TargetError::NoMemory { what, address })?
            .copy_from_slice(bytes);
        Ok(())
    }
}

/// An RTT control block of any content but for its identifier, and names that lead to the channel.
pub fn rtt(data: &[u8]) {
    const NAME: u32 = RAM + 0x8000;
    let mut ram = Ram(vec![0; SIZE]);
    let block = b"SEGGER RTT\0\0\0\0\0\0".iter().chain(data).copied();
    for (place, byte) in ram.0.iter_mut().zip(block) {
        *place = byte;
    }
    // Two channels of the right name are beyond chance.
    for descriptor in [24, 48] {
        ram.0[descriptor..descriptor + 4].copy_from_slice(&NAME.to_le_bytes());
    }
    ram.0[0x8000..0x8005].copy_from_slice(b"name\0");
    if let Ok(Some(rtt)) = Rtt::attach(&mut ram, RAM, "name") {
        let _ = rtt.read(&mut ram);
        let _ = rtt.write(&mut ram, data);
        let _ = rtt.read(&mut ram);
    }
}
