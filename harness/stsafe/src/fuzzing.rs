//! Bodies for fuzzers: any bytes are allowed, and a panic is a finding.

use core::time::Duration;

use az3166_event::VirtualTime;

use crate::frame::crc16;
use crate::{Acknowledge, Configuration, Direction, NvmImage, Power, ReservedZones, SecureElement};

/// Sends `data` as command frames and checks that each answer is a well-formed response.
///
/// Each frame is a length byte and that many bytes; an odd length byte sends them with
/// their right CRC, which reaches further than random bytes do.
pub fn fuzz_commands(data: &[u8]) {
    let nvm = NvmImage::devkit(ReservedZones::Counters);
    let mut chip = SecureElement::new(Configuration::default(), nvm);
    let mut now = VirtualTime::ZERO;
    chip.set_power(now, Power::On);
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (body, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        let mut frame = body.to_vec();
        if length % 2 == 1 {
            frame.extend(crc16(body).to_be_bytes());
        }
        now += Duration::from_secs(1);
        if chip.address(now, 0x20, Direction::Write) == Acknowledge::Nack {
            continue;
        }
        for byte in &frame {
            chip.write_byte(now, *byte);
        }
        chip.stop(now);
        now += Duration::from_secs(1);
        if chip.address(now, 0x20, Direction::Read) == Acknowledge::Ack {
            check_response(&mut chip, now);
        }
        chip.stop(now);
    }
}

fn check_response(chip: &mut SecureElement, now: VirtualTime) {
    let header = chip.read_byte(now);
    let length = u16::from_be_bytes([chip.read_byte(now), chip.read_byte(now)]);
    let body: Vec<u8> = (0..length).map(|_| chip.read_byte(now)).collect();
    assert!((2..=504).contains(&length), "length field {length}");
    let (payload, crc) = body.split_at(body.len() - 2);
    let covered = core::iter::once(&header).chain(payload);
    assert_eq!(crc, crc16(covered).to_be_bytes());
    assert_eq!(chip.read_byte(now), 0xFF);
}

/// Reads `data` as an NVM image, which is written again if it is one.
pub fn fuzz_nvm_file(data: &[u8]) {
    if let Ok(image) = NvmImage::from_bytes(data) {
        let again = NvmImage::from_bytes(&image.to_bytes());
        assert_eq!(again.as_ref(), Ok(&image));
    }
}
