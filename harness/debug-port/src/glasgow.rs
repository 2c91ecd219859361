//! The debug probe protocol of the Glasgow Interface Explorer's `probe-rs` applet, as probe-rs
//! speaks it over a socket (`src/probe/glasgow/proto.rs` in probe-rs 0.32): so that an unmodified
//! probe-rs, or an editor with it, attaches to an emulated chip.
//!
//! Packets are framed by COBS and end in a zero byte. The first byte names an endpoint; the rest
//! is for that endpoint, which knows no packet boundaries. One packet holds all transfers of one
//! batch of the driver.

use az3166_emulator::ResetPin;

use crate::debug_port::{Port, Refusal, Request};

/// What [`Glasgow`] drives: the pins of a target.
pub trait Swd {
    /// Clocks the low `count` bits of `bits` out on SWDIO, the lowest first.
    fn clock(&mut self, bits: u64, count: u32);

    /// One transfer.
    ///
    /// # Errors
    /// [`Refusal`], and nothing was done.
    fn transfer(&mut self, request: Request) -> Result<u32, Refusal>;

    /// Holds the reset pin low, or lets it go.
    fn set_reset_pin(&mut self, level: ResetPin);
}

/// The longest packet that is taken, in bytes: the driver's batches are far below.
const LONGEST_PACKET: usize = 1 << 20;
/// The clock from which the driver works out its divisors, in Hz.
const REFERENCE_CLOCK: u32 = 48_000_000;
/// How often a transfer is tried again after WAIT.
const WAIT_RETRIES: u32 = 100;

/// What the applet says when it is asked who it is.
const IDENTIFIER: &[u8] = b"probe-rs,v01";

/// Endpoints.
const ROOT: u8 = 0;
const SWD: u8 = 1;

/// Commands of the root endpoint.
mod root {
    pub(super) const IDENTIFY: u8 = 0x00;
    pub(super) const GET_REFERENCE_CLOCK: u8 = 0x10;
    pub(super) const GET_DIVISOR: u8 = 0x11;
    pub(super) const SET_DIVISOR: u8 = 0x12;
    pub(super) const ASSERT_RESET: u8 = 0x20;
    pub(super) const CLEAR_RESET: u8 = 0x21;
}

/// Commands and answers of the SWD endpoint.
mod swd {
    pub(super) const SEQUENCE: u8 = 0x20;
    pub(super) const TRANSFER_AP: u8 = 1 << 0;
    pub(super) const TRANSFER_READ: u8 = 1 << 1;
    pub(super) const DATA: u8 = 0x01;
    pub(super) const WRITTEN: u8 = 0x11;
    pub(super) const WAIT: u8 = 0x12;
    pub(super) const FAULT: u8 = 0x14;
    pub(super) const ERROR: u8 = 0x20;
}

/// Why a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlasgowError {
    /// a packet is not framed by COBS
    #[error("a packet is not framed by COBS")]
    Framing,
    /// a packet has more than 1 MiB
    #[error("a packet has more than 1 MiB")]
    TooLong,
    /// a packet is for an endpoint that does not exist
    #[error("a packet is for an endpoint that does not exist")]
    Endpoint,
    /// a command does not exist or is cut off
    #[error("a command does not exist or is cut off")]
    Command,
}

/// The probe's side of one connection: bytes in, bytes out.
#[derive(Debug, Default)]
pub struct Glasgow {
    packet: Vec<u8>,
    divisor: u16,
}

impl Glasgow {
    /// Takes bytes from the socket, does what they ask for, and gives the bytes of the answer.
    ///
    /// # Errors
    /// [`GlasgowError`]: close the connection.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        target: &mut impl Swd,
    ) -> Result<Vec<u8>, GlasgowError> {
        let mut answer = Vec::new();
        for &byte in bytes {
            if byte != 0 {
                if self.packet.len() >= LONGEST_PACKET {
                    return Err(GlasgowError::TooLong);
                }
                self.packet.push(byte);
                continue;
            }
            let packet = decode(&core::mem::take(&mut self.packet))?;
            let Some((&endpoint, commands)) = packet.split_first() else {
                continue;
            };
            let said = match endpoint {
                ROOT => self.root(commands, target)?,
                SWD => swd_batch(commands, target)?,
                _ => return Err(GlasgowError::Endpoint),
            };
            if !said.is_empty() {
                answer.extend(encode(&[&[endpoint], said.as_slice()].concat()));
            }
        }
        Ok(answer)
    }

    fn root(&mut self, commands: &[u8], target: &mut impl Swd) -> Result<Vec<u8>, GlasgowError> {
        let mut answer = Vec::new();
        let mut rest = commands;
        while let Some((&command, after)) = rest.split_first() {
            rest = after;
            match command {
                root::IDENTIFY => answer.extend_from_slice(IDENTIFIER),
                root::GET_REFERENCE_CLOCK => answer.extend(REFERENCE_CLOCK.to_le_bytes()),
                root::GET_DIVISOR => answer.extend(self.divisor.to_le_bytes()),
                root::SET_DIVISOR => {
                    let (divisor, after) = rest.split_first_chunk().ok_or(GlasgowError::Command)?;
                    self.divisor = u16::from_le_bytes(*divisor);
                    rest = after;
                }
                root::ASSERT_RESET => target.set_reset_pin(ResetPin::Held),
                root::CLEAR_RESET => target.set_reset_pin(ResetPin::Released),
                _ => return Err(GlasgowError::Command),
            }
        }
        Ok(answer)
    }
}

/// Does the transfers of one batch. The driver stops reading answers at the first that is not OK,
/// so what comes after it is dropped.
fn swd_batch(commands: &[u8], target: &mut impl Swd) -> Result<Vec<u8>, GlasgowError> {
    let mut answer = Vec::new();
    let mut rest = commands;
    while let Some((&command, after)) = rest.split_first() {
        rest = after;
        if command & swd::SEQUENCE != 0 {
            let bits = word(&mut rest)?;
            let count = match command & 0x1F {
                0 => 32,
                count => u32::from(count),
            };
            target.clock(u64::from(bits), count);
            continue;
        }
        let port = match command & swd::TRANSFER_AP {
            0 => Port::Debug,
            _ => Port::Access,
        };
        let address = command & 0xC;
        let request = match command & swd::TRANSFER_READ {
            0 => Request::Write {
                port,
                address,
                value: word(&mut rest)?,
            },
            _ => Request::Read { port, address },
        };
        match patiently(target, request) {
            Ok(value) if matches!(request, Request::Read { .. }) => {
                answer.push(swd::DATA);
                answer.extend(value.to_le_bytes());
            }
            Ok(_) => answer.push(swd::WRITTEN),
            Err(refusal) => {
                answer.push(refused(target, refusal));
                break;
            }
        }
    }
    Ok(answer)
}

fn patiently(target: &mut impl Swd, request: Request) -> Result<u32, Refusal> {
    let mut result = target.transfer(request);
    for _ in 0..WAIT_RETRIES {
        if result != Err(Refusal::Wait) {
            break;
        }
        result = target.transfer(request);
    }
    result
}

/// The answer for a refusal. The driver leaves it to the probe to clear sticky flags.
fn refused(target: &mut impl Swd, refusal: Refusal) -> u8 {
    const CLEAR_STICKY: Request = Request::Write {
        port: Port::Debug,
        address: 0,
        value: 0x1E,
    };
    match refusal {
        Refusal::Wait => swd::WAIT,
        Refusal::Fault => {
            let _ = target.transfer(CLEAR_STICKY);
            swd::FAULT
        }
        Refusal::Silence => swd::ERROR,
    }
}

fn word(rest: &mut &[u8]) -> Result<u32, GlasgowError> {
    let (word, after) = rest.split_first_chunk().ok_or(GlasgowError::Command)?;
    *rest = after;
    Ok(u32::from_le_bytes(*word))
}

/// Takes the COBS framing off a packet without its zero byte (Cheshire and Baker, 1999).
fn decode(packet: &[u8]) -> Result<Vec<u8>, GlasgowError> {
    let mut bytes = Vec::with_capacity(packet.len());
    let mut rest = packet;
    while let Some((&code, after)) = rest.split_first() {
        let length = usize::from(code) - 1;
        let (run, after) = after
            .split_at_checked(length)
            .ok_or(GlasgowError::Framing)?;
        bytes.extend_from_slice(run);
        if code != 0xFF && !after.is_empty() {
            bytes.push(0);
        }
        rest = after;
    }
    Ok(bytes)
}

/// Frames a packet by COBS, its zero byte included.
fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(bytes.len() + bytes.len() / 254 + 2);
    let mut runs = bytes.split(|byte| *byte == 0).peekable();
    while let Some(mut run) = runs.next() {
        while run.len() >= 254 {
            packet.push(0xFF);
            packet.extend_from_slice(&run[..254]);
            run = &run[254..];
            if run.is_empty() && runs.peek().is_none() {
                packet.push(0);
                return packet;
            }
        }
        packet.push(run.len() as u8 + 1);
        packet.extend_from_slice(run);
    }
    packet.push(0);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], &[1, 0])]
    #[case(&[0], &[1, 1, 0])]
    #[case(&[1], &[2, 1, 0])]
    #[case(&[0x11, 0x22, 0, 0x33], &[3, 0x11, 0x22, 2, 0x33, 0])]
    fn framing_is_that_of_the_paper(#[case] bytes: &[u8], #[case] packet: &[u8]) {
        assert_eq!(encode(bytes), packet);
        assert_eq!(decode(&packet[..packet.len() - 1]).as_deref(), Ok(bytes));
    }

    struct Nothing;

    impl Swd for Nothing {
        fn clock(&mut self, _: u64, _: u32) {}

        fn transfer(&mut self, _: Request) -> Result<u32, Refusal> {
            Ok(0x1234_5678)
        }

        fn set_reset_pin(&mut self, _: ResetPin) {}
    }

    #[test]
    fn a_batch_ends_at_the_first_refusal() {
        struct Faulty(u32);
        impl Swd for Faulty {
            fn clock(&mut self, _: u64, _: u32) {}
            fn transfer(&mut self, request: Request) -> Result<u32, Refusal> {
                if matches!(request, Request::Read { .. }) {
                    self.0 += 1;
                }
                match self.0 {
                    2 => Err(Refusal::Fault),
                    _ => Ok(7),
                }
            }
            fn set_reset_pin(&mut self, _: ResetPin) {}
        }
        let mut target = Faulty(0);
        let batch = encode(&[SWD, 0x0F, 0x0F, 0x0F]);
        let answer = Glasgow::default().receive(&batch, &mut target);
        assert_eq!(answer, Ok(encode(&[SWD, 0x01, 7, 0, 0, 0, 0x14])));
        assert_eq!(target.0, 2, "the third was not made");
    }

    proptest! {
        #[test]
        fn framing_leads_back(bytes in prop::collection::vec(0u8..3, 0..1100)) {
            let packet = encode(&bytes);
            prop_assert!(!packet[..packet.len() - 1].contains(&0));
            prop_assert_eq!(decode(&packet[..packet.len() - 1]).unwrap(), bytes);
        }

        #[test]
        fn pieces_of_any_size_give_the_same_answer(size in 1usize..9) {
            let batch = [encode(&[ROOT, 0x00, 0x10, 0x12, 5, 0, 0x11]), encode(&[SWD, 0x02])].concat();
            let whole = Glasgow::default().receive(&batch, &mut Nothing).unwrap();
            let mut glasgow = Glasgow::default();
            let mut pieces = Vec::new();
            for piece in batch.chunks(size) {
                pieces.extend(glasgow.receive(piece, &mut Nothing).unwrap());
            }
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Glasgow::default().receive(&bytes, &mut Nothing);
            let _ = Glasgow::default().receive(&encode(&bytes), &mut Nothing);
        }
    }
}
