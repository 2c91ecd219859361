//! Bodies for fuzzers: any bytes are allowed, and a panic is a finding.

use az3166_event::VirtualTime;
use az3166_stsafe::{Configuration, NvmImage, SecureElement};

use crate::bridge::{Bridge, Frames, Then};
use crate::wire::{control, http, xml_rpc as xml};

/// Reads `data` as an answer to `run_keyword`.
pub fn xml_rpc(data: &[u8]) {
    let _ = xml::parse(&String::from_utf8_lossy(data));
}

/// Reads `data` as an HTTP answer.
pub fn http(data: &[u8]) {
    let _ = http::parse(data);
}

/// Reads `data` as answers of the External Control server, one after another.
pub fn control(mut data: &[u8]) {
    while let Ok(Some((_, length))) = control::parse(data) {
        assert!((1..=data.len()).contains(&length));
        data = &data[length..];
    }
}

/// Serves `data` as the bytes of a bridge's connection, after a proper *hello*.
pub fn bridge(data: &[u8]) {
    let mut model = SecureElement::new(Configuration::default(), NvmImage::default());
    let mut bridge = Bridge::new(VirtualTime::ZERO);
    let mut frames = Frames::default();
    frames.push(b"\x13\0\x01\0\0\0\0\0\0\0\0HILSTSFE\x01\0");
    frames.push(data);
    while let Ok(Some(request)) = frames.pop() {
        let answer = bridge.serve(&request, &mut model);
        let length = usize::from(u16::from_le_bytes([answer.bytes[0], answer.bytes[1]]));
        assert_eq!(length + 2, answer.bytes.len());
        if answer.then != Then::Continue {
            break;
        }
    }
    bridge.close(&mut model);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_request_makes_the_server_panic(
            data: Vec<u8>,
            requests in prop::collection::vec((1u8..9, 0u64..9, prop::collection::vec(any::<u8>(), 0..20)), 0..20),
        ) {
            super::bridge(&data);
            let mut time = 0;
            let wire: Vec<u8> = requests
                .into_iter()
                .flat_map(|(kind, later, payload)| {
                    time += later;
                    let length = (9 + payload.len() as u16).to_le_bytes();
                    [&length[..], &[kind], &u64::to_le_bytes(time), &payload].concat()
                })
                .collect();
            super::bridge(&wire);
        }
    }
}
