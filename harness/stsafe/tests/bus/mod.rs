//! A host on the bus, for the tests.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part of this"
)]

use core::time::Duration;

use az3166_event::{SecureElementEvent, VirtualTime};
use az3166_stsafe::{Acknowledge, Configuration, Direction, NvmImage, Power, SecureElement, crc16};

pub const ADDRESS: u8 = 0x20;

/// A host that polls every millisecond, as the drivers do.
pub struct Host {
    pub chip: SecureElement,
    pub now: VirtualTime,
}

impl Host {
    /// A new DevKit's chip, powered and booted.
    pub fn new() -> Self {
        Self::with(Configuration::default(), NvmImage::default())
    }

    pub fn with(configuration: Configuration, nvm: NvmImage) -> Self {
        let mut chip = SecureElement::new(configuration, nvm);
        chip.set_power(VirtualTime::ZERO, Power::On);
        let now = VirtualTime::from_millis(50);
        Self { chip, now }
    }

    /// Polls the address up to 1260 times, a millisecond apart.
    pub fn select(&mut self, direction: Direction) -> Acknowledge {
        for _ in 0..1260 {
            if self.chip.address(self.now, ADDRESS, direction) == Acknowledge::Ack {
                return Acknowledge::Ack;
            }
            self.chip.stop(self.now);
            self.wait(1);
        }
        Acknowledge::Nack
    }

    pub fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// Writes a frame as it is.
    pub fn send(&mut self, frame: &[u8]) {
        assert_eq!(self.select(Direction::Write), Acknowledge::Ack);
        for byte in frame {
            assert_eq!(self.chip.write_byte(self.now, *byte), Acknowledge::Ack);
        }
        self.chip.stop(self.now);
    }

    /// Reads `length` bytes in one transaction; `None` where the chip never answers.
    pub fn receive(&mut self, length: usize) -> Option<Vec<u8>> {
        if self.select(Direction::Read) == Acknowledge::Nack {
            return None;
        }
        let bytes = (0..length).map(|_| self.chip.read_byte(self.now)).collect();
        self.chip.stop(self.now);
        Some(bytes)
    }

    /// Sends header and payload with their CRC; the whole response frame comes back.
    pub fn ask(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        self.send(&framed(command));
        let start = self.receive(3)?;
        let length = usize::from(u16::from_be_bytes([start[1], start[2]]));
        self.receive(length + 3)
    }

    /// The status and the payload of a command's response; 0xFF where the chip never answers.
    pub fn run(&mut self, command: &[u8]) -> (u8, Vec<u8>) {
        let Some(response) = self.ask(command) else {
            return (0xFF, Vec::new());
        };
        (response[0], response[3..response.len() - 2].to_vec())
    }

    pub fn update(&mut self, option: u8, zone: u8, offset: u16, data: &[u8]) -> u8 {
        let [high, low] = offset.to_be_bytes();
        self.run(&[&[0x06, option, zone, high, low], data].concat())
            .0
    }

    pub fn read(&mut self, zone: u8, offset: u16, length: u16) -> (u8, Vec<u8>) {
        let (offset, length) = (offset.to_be_bytes(), length.to_be_bytes());
        self.run(&[&[0x05, 0x00, zone], offset.as_slice(), &length].concat())
    }

    /// The names of the faults that struck since the last call.
    pub fn faults(&mut self) -> Vec<String> {
        let faults = self.chip.drain_events().into_iter();
        faults
            .filter_map(|(_, event)| match event {
                SecureElementEvent::Fault { fault } => Some(fault),
                _ => None,
            })
            .collect()
    }
}

pub fn framed(command: &[u8]) -> Vec<u8> {
    [command, &crc16(command).to_be_bytes()].concat()
}

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|letter| letter.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
