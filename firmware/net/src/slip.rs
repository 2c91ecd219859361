//! Packets on a byte stream (RFC 1055).

use crate::environment::{BytePipe, Link, MTU};

const END: u8 = 0xC0;
const ESC: u8 = 0xDB;
const ESC_END: u8 = 0xDC;
const ESC_ESC: u8 = 0xDD;

/// Bytes of a frame that usually suffice for a packet of [`MTU`] bytes: both END marks, and
/// room for more escapes than ciphertext is ever seen to need. A packet that needs more is lost.
const USUAL_FRAME: usize = MTU + 2 + 128;

/// How many bytes `packet` takes on the wire, both END marks included.
pub fn encoded_len(packet: &[u8]) -> usize {
    2 + packet.len()
        + packet
            .iter()
            .filter(|&&byte| byte == END || byte == ESC)
            .count()
}

/// Hands the frame of `packet` to `write` in pieces. It starts with an END too, which flushes
/// line noise at the receiver.
pub fn encode(packet: &[u8], mut write: impl FnMut(&[u8])) {
    write(&[END]);
    for run in packet.split_inclusive(|&byte| byte == END || byte == ESC) {
        match run.split_last() {
            Some((&END, plain)) => {
                write(plain);
                write(&[ESC, ESC_END]);
            }
            Some((&ESC, plain)) => {
                write(plain);
                write(&[ESC, ESC_ESC]);
            }
            _ => write(run),
        }
    }
    write(&[END]);
}

/// Finds packets in a byte stream. Empty frames are skipped; a frame that is longer than the
/// MTU or holds a bad escape is dropped whole.
#[derive(Debug)]
pub struct Decoder {
    packet: [u8; MTU],
    length: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Inside,
    Escaped,
    /// The frame is spoilt: nothing counts until the next END.
    Skipping,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            packet: [0; MTU],
            length: 0,
            state: State::Inside,
        }
    }
}

impl Decoder {
    /// Takes the next byte; returns the packet that it completes.
    pub fn push(&mut self, byte: u8) -> Option<&[u8]> {
        let plain = match (self.state, byte) {
            (State::Skipping, END) => {
                (self.length, self.state) = (0, State::Inside);
                return None;
            }
            (State::Skipping, _) => return None,
            (State::Inside, END) => {
                let length = core::mem::take(&mut self.length);
                return (length > 0).then(|| &self.packet[..length]);
            }
            (State::Inside, ESC) => {
                self.state = State::Escaped;
                return None;
            }
            (State::Inside, byte) => byte,
            (State::Escaped, ESC_END) => END,
            (State::Escaped, ESC_ESC) => ESC,
            (State::Escaped, END) => {
                (self.length, self.state) = (0, State::Inside);
                return None;
            }
            (State::Escaped, _) => {
                self.state = State::Skipping;
                return None;
            }
        };
        match self.packet.get_mut(self.length) {
            Some(slot) => {
                *slot = plain;
                self.length += 1;
                self.state = State::Inside;
            }
            None => self.state = State::Skipping,
        }
        None
    }
}

/// A [`Link`] over two byte rings.
#[derive(Debug)]
pub struct SlipLink<P> {
    pipe: P,
    decoder: Decoder,
    /// Bytes that were read from the pipe and not yet decoded.
    waiting: [u8; 64],
    unread: core::ops::Range<usize>,
}

impl<P: BytePipe> SlipLink<P> {
    /// A link over `pipe`.
    pub fn new(pipe: P) -> Self {
        Self {
            pipe,
            decoder: Decoder::default(),
            waiting: [0; 64],
            unread: 0..0,
        }
    }
}

impl<P: BytePipe> Link for SlipLink<P> {
    fn ready(&self) -> bool {
        self.pipe.room() >= USUAL_FRAME
    }

    fn send(&mut self, packet: &[u8]) {
        if encoded_len(packet) <= self.pipe.room() {
            encode(packet, |bytes| self.pipe.write(bytes));
        }
    }

    fn receive(&mut self, packet: &mut [u8; MTU]) -> Option<usize> {
        loop {
            for index in self.unread.clone() {
                self.unread.start = index + 1;
                if let Some(found) = self.decoder.push(self.waiting[index]) {
                    packet[..found.len()].copy_from_slice(found);
                    return Some(found.len());
                }
            }
            self.unread = 0..self.pipe.read(&mut self.waiting).min(self.waiting.len());
            if self.unread.is_empty() {
                return None;
            }
        }
    }

    fn drained(&self) -> bool {
        self.pipe.drained()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// A ring whose written bytes come back.
    #[derive(Default)]
    struct Loop {
        bytes: VecDeque<u8>,
        size: usize,
    }

    impl BytePipe for Loop {
        fn room(&self) -> usize {
            self.size - self.bytes.len()
        }
        fn write(&mut self, bytes: &[u8]) {
            assert!(bytes.len() <= self.room());
            self.bytes.extend(bytes);
        }
        fn read(&mut self, bytes: &mut [u8]) -> usize {
            let count = bytes.len().min(self.bytes.len());
            for (slot, byte) in bytes.iter_mut().zip(self.bytes.drain(..count)) {
                *slot = byte;
            }
            count
        }
        fn drained(&self) -> bool {
            self.bytes.is_empty()
        }
    }

    fn encoded(packet: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(packet, |piece| bytes.extend_from_slice(piece));
        bytes
    }

    fn decoded(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut decoder = Decoder::default();
        bytes
            .iter()
            .filter_map(|&byte| decoder.push(byte).map(<[u8]>::to_vec))
            .collect()
    }

    #[test]
    fn the_example_bytes_of_rfc_1055() {
        assert_eq!(
            encoded(&[1, 0o300, 2, 0o333, 3]),
            [0o300, 1, 0o333, 0o334, 2, 0o333, 0o335, 3, 0o300]
        );
    }

    #[test]
    fn noise_overlong_frames_and_bad_escapes_do_not_hurt_the_next_packet() {
        let noise: [&[u8]; 4] = [
            &[1, 2, 3, END],
            &[ESC, 7, 8, END],
            &[ESC, END],
            &[9; MTU + 1],
        ];
        for (index, bytes) in noise.iter().enumerate() {
            let stream = [bytes, encoded(b"next").as_slice()].concat();
            assert_eq!(
                decoded(&stream).last().map(Vec::as_slice),
                Some(&b"next"[..]),
                "{index}"
            );
        }
        assert_eq!(
            decoded(&[&[9; MTU + 1][..], &[END]].concat()),
            Vec::<Vec<u8>>::new()
        );
    }

    proptest! {
        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            crate::fuzzing::slip(&bytes);
        }

        #[test]
        fn packets_come_back(packets in prop::collection::vec(
            prop::collection::vec(prop_oneof![any::<u8>(), Just(END), Just(ESC)], 1..=MTU), 1..4))
        {
            let mut stream = Vec::new();
            for packet in &packets {
                let frame = encoded(packet);
                prop_assert_eq!(frame.len(), encoded_len(packet));
                stream.extend(frame);
            }
            prop_assert_eq!(decoded(&stream), packets.clone());

            let mut link = SlipLink::new(Loop { size: stream.len(), ..Loop::default() });
            packets.iter().for_each(|packet| link.send(packet));
            let mut buffer = [0; MTU];
            for packet in &packets {
                let length = link.receive(&mut buffer);
                prop_assert_eq!(length.map(|length| &buffer[..length]), Some(packet.as_slice()));
            }
            prop_assert!(link.receive(&mut buffer).is_none() && link.drained());
        }
    }

    #[test]
    fn a_packet_without_room_is_lost_whole() {
        let mut link = SlipLink::new(Loop {
            size: 5,
            ..Loop::default()
        });
        assert!(!link.ready());
        link.send(b"1234");
        assert!(link.drained());
        link.send(b"123");
        assert!(!link.drained());
    }
}
