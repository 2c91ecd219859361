//! The parsers of outside bytes, each as one function that must not panic. For fuzz targets and
//! for bounded runs among the tests.
#![doc(hidden)]

use crate::slip::Decoder;
use crate::{dns, http, json, mqtt, sntp};

/// Feeds a SLIP decoder; whatever it finds fits into the MTU.
pub fn slip(data: &[u8]) {
    let mut decoder = Decoder::default();
    for byte in data {
        if let Some(packet) = decoder.push(*byte) {
            assert!((1..=crate::environment::MTU).contains(&packet.len()));
        }
    }
}

/// Reads a DNS answer.
pub fn dns(data: &[u8]) {
    let id = data.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    let _ = dns::answer(id, "a.example", data);
}

/// Reads an SNTP answer.
pub fn sntp(data: &[u8]) {
    let nonce = data.get(24..).and_then(<[u8]>::first_chunk);
    let _ = sntp::answer(nonce.map_or(0, |nonce| u64::from_be_bytes(*nonce)), data);
}

/// Reads an HTTP response whole and in two pieces: the result is the same.
pub fn http(data: &[u8]) {
    let whole = http::ResponseReader::default().push(data);
    let (first, second) = data.split_at(data.len() / 2);
    let mut reader = http::ResponseReader::default();
    // A response that ends in the first half leaves the second to be refused or to start anew.
    if let Ok(None) = reader.push(first) {
        assert_eq!(reader.push(second), whole);
    }
}

/// Reads a JSON document and looks members up.
pub fn json(data: &[u8]) {
    if let Ok(document) = json::Document::parse(data) {
        let _ = document.string(&["registrationState", "assignedHub"]);
        let _ = document.number(&["errorCode"]);
    }
}

/// Reads MQTT packets.
pub fn mqtt(data: &[u8]) {
    let mut rest = data;
    while let Ok(Some((_, length))) = mqtt::packet::decode(rest) {
        rest = &rest[length..];
    }
}
