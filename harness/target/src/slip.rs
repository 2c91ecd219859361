//! SLIP, RFC 1055: packets on a byte stream.

const END: u8 = 0xC0;
const ESC: u8 = 0xDB;
const ESC_END: u8 = 0xDC;
const ESC_ESC: u8 = 0xDD;

/// `packet` as one SLIP frame, with an END on both sides so that noise before it is dropped.
pub fn slip_encode(packet: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(packet.len() + 16);
    frame.push(END);
    for &byte in packet {
        match byte {
            END => frame.extend([ESC, ESC_END]),
            ESC => frame.extend([ESC, ESC_ESC]),
            _ => frame.push(byte),
        }
    }
    frame.push(END);
    frame
}

/// Collects packets from a SLIP stream that comes in pieces of any size.
#[derive(Clone, Debug)]
pub struct SlipDecoder {
    largest: usize,
    packet: Vec<u8>,
    escaped: bool,
    spoiled: bool,
}

impl SlipDecoder {
    /// A decoder that drops packets of more than `largest` bytes.
    pub fn new(largest: usize) -> Self {
        Self {
            largest,
            packet: Vec::new(),
            escaped: false,
            spoiled: false,
        }
    }

    /// The packets that end in `bytes`; `None` stands for a frame that was dropped.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut packets = Vec::new();
        for &byte in bytes {
            if byte == END {
                let packet = core::mem::take(&mut self.packet);
                let spoiled = core::mem::take(&mut self.spoiled) || self.escaped;
                self.escaped = false;
                match (spoiled, packet.is_empty()) {
                    (true, _) => packets.push(None),
                    (false, true) => {}
                    (false, false) => packets.push(Some(packet)),
                }
                continue;
            }
            let plain = match (core::mem::take(&mut self.escaped), byte) {
                (false, ESC) => {
                    self.escaped = true;
                    continue;
                }
                (true, ESC_END) => END,
                (true, ESC_ESC) => ESC,
                (true, _) => {
                    self.spoiled = true;
                    continue;
                }
                (false, plain) => plain,
            };
            if self.packet.len() == self.largest {
                self.spoiled = true;
            } else {
                self.packet.push(plain);
            }
        }
        packets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain(&[1, 2, END], &[Some(vec![1, 2])])]
    #[case::escapes(&[END, ESC, ESC_END, ESC, ESC_ESC, END], &[Some(vec![END, ESC])])]
    #[case::bad_escape(&[ESC, 7, END, 1, END], &[None, Some(vec![1])])]
    #[case::cut_escape(&[1, ESC, END], &[None])]
    #[case::too_long(&[1, 2, 3, 4, 5, END], &[None])]
    #[case::nothing(&[END, END, END], &[])]
    fn frames(#[case] bytes: &[u8], #[case] packets: &[Option<Vec<u8>>]) {
        assert_eq!(SlipDecoder::new(4).push(bytes), packets);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..100), 0..5),
            piece in 1usize..30,
        ) {
            let stream: Vec<u8> = packets.iter().flat_map(|packet| slip_encode(packet)).collect();
            let mut decoder = SlipDecoder::new(100);
            let seen: Vec<_> =
                stream.chunks(piece).flat_map(|piece| decoder.push(piece)).flatten().collect();
            prop_assert_eq!(seen, packets);
        }

        #[test]
        fn any_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..300)) {
            crate::fuzzing::slip(&data);
        }
    }
}
