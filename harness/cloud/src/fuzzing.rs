//! Bodies of fuzz targets: whatever bytes come in, nothing panics and nothing contradicts itself.

use az3166_event::VirtualTime;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::behaviour::Behaviour;
use crate::certificate::DeviceCertificate;
use crate::clock::{Epoch, VIRTUAL_EPOCH};
use crate::device_api::DeviceApi;
use crate::fault::{CloudFault, Exchange, FaultBook, Outlet};
use crate::http::RequestReader;
use crate::hub::Hubs;
use crate::mqtt::{Packet, PacketReader};
use crate::provisioning::{Course, Proof, Provisioning, Quotas, Settings};
use crate::websocket::Frames;

/// Verifies no signature: nothing that is fuzzed here has a good one.
const NO_ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[],
    mapping: &[],
};

/// A stream of HTTP requests to the device API.
pub fn fuzz_device_api(data: &[u8]) {
    let mut reader = RequestReader::default();
    let behaviour = Behaviour::default();
    let hubs = ["hil-hub.azure-devices.net".to_owned()];
    let mut provisioning = Provisioning::new(Settings {
        id_scope: "0ne00000000".into(),
        hubs: hubs.to_vec(),
        behaviour: behaviour.clone(),
        epoch: Epoch(VIRTUAL_EPOCH),
        verifier: NO_ALGORITHMS,
        quotas: Quotas::default(),
    });
    let mut entropy = ChaCha20Rng::from_seed([0; 32]);
    let mut api = DeviceApi {
        provisioning: &mut provisioning,
        behaviour: &behaviour,
        epoch: Epoch(VIRTUAL_EPOCH),
        entropy: &mut entropy,
        host: "global.azure-devices-provisioning.net",
    };
    reader.push(data);
    loop {
        match reader.next(|_| 96 * 1024) {
            Ok(Some(request)) => {
                let course = Course::Normal;
                api.answer(VirtualTime::ZERO, &request, Proof::Nothing, course);
            }
            Ok(None) => return,
            Err(error) => {
                api.malformed(VirtualTime::ZERO, error);
                return;
            }
        }
    }
}

/// A stream of MQTT packets: what is read is what would be written, and the hub takes it all.
pub fn fuzz_mqtt(data: &[u8]) {
    let mut reader = PacketReader::default();
    let mut hubs = Hubs::default();
    reader.push(data);
    while let Ok(Some(packet)) = reader.next() {
        let mut again = PacketReader::default();
        again.push(&packet.encode());
        assert_eq!(again.next(), Ok(Some(packet.clone())));
        match packet {
            Packet::Connect(connect) => {
                let hub = "hil-hub.azure-devices.net";
                let _ = hubs.connect(VirtualTime::ZERO, 1, hub, &connect, None);
            }
            Packet::Publish(message) => {
                let _ = hubs.publish(VirtualTime::ZERO, 1, &message);
            }
            Packet::Subscribe { subscriptions, .. } => {
                hubs.subscribe(1, &subscriptions);
            }
            _ => {}
        }
    }
}

/// A fault file: what reads is written so that it reads the same, and strikes without a panic.
pub fn fuzz_faults(data: &[u8]) {
    let Ok(faults) = serde_json::from_slice::<Vec<CloudFault>>(data) else {
        return;
    };
    for fault in faults {
        let text = serde_json::to_string(&fault).unwrap_or_default();
        assert_eq!(serde_json::from_str(&text).ok(), Some(fault.clone()));
        let mut book = FaultBook::default();
        if book.inject(fault).is_ok() {
            let exchange = Exchange::request("host", "PUT", "/0ne/registrations/a/register");
            book.strike(&exchange.by(Some("a")));
            let strike = book.strike(&Exchange::handshake("host"));
            let mut outlet = Outlet::default();
            outlet.put(VirtualTime::ZERO, vec![0; 9], &strike.shaping);
            outlet.release(VirtualTime::MAX);
            assert_eq!((outlet.take().len(), outlet.next()), (9, None));
        }
    }
}

/// Frames from a WebSocket client, in pieces that the first byte chooses the size of: the pieces
/// change nothing, and what is sent back is whole frames of a server.
pub fn fuzz_websocket(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else {
        return;
    };
    let mut whole = Frames::new();
    let expected = whole.receive(data);
    let mut frames = Frames::new();
    let (mut payload, mut ended) = (Vec::new(), None);
    for piece in data.chunks(usize::from(size).max(1)) {
        let (more, end) = frames.receive(piece);
        payload.extend(more);
        ended = end;
        if ended.is_some() {
            break;
        }
    }
    assert_eq!((payload, ended), expected);
    let output = frames.take_output();
    assert_eq!(output, whole.take_output());
    let mut rest = output.as_slice();
    while let [_, length, after @ ..] = rest {
        assert!(*length < 126, "control frames are short and unmasked");
        rest = &after[usize::from(*length)..];
    }
}

/// A device's certificate.
pub fn fuzz_certificate(data: &[u8]) {
    if let Ok(certificate) = DeviceCertificate::from_der(data) {
        assert_eq!(certificate.der(), data);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A good input with a few bytes changed gets further than noise does.
    fn damaged(good: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
        let changes = prop::collection::vec((0..good.len(), any::<u8>()), 0..4);
        (changes, 0..=good.len()).prop_map(move |(changes, length)| {
            let mut bytes = good.to_vec();
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            bytes.truncate(length);
            bytes
        })
    }

    const REQUEST: &[u8] =
        b"PUT /0ne00000000/registrations/a/register?api-version=2021-06-01 HTTP/1.1\r\n\
        Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    const PACKETS: &[u8] =
        b"\x10\x11\0\x04MQTT\x04\x82\0\xf0\0\x01d\0\x02u/\x82\x08\0\x0a\0\x03a/b\x01\
        \x32\x0a\0\x03a/b\0\x01{}!";
    const FAULTS: &[u8] =
        br#"[{"device":"a*","nth":2,"times":3,"answer":{"status":429,"retry_after":"5"}},
        {"method":"TLS","segments":{"bytes":1,"every_ms":9}},{"delay":{"ms":99}}]"#;
    const FRAMES: &[u8] = b"\x02\x81\0\0\0\0a\x89\x80\x01\x02\x03\x04\x80\x81\x01\x02\x03\x04b\
        \x82\xfe\0\x02\x01\x02\x03\x04ab\x88\x82\0\0\0\0\x03\xe8";
    const CERTIFICATE: &[u8] = include_bytes!("../tests/fixtures/alias-devkit.der");

    proptest! {
        #[test]
        fn noise(data: Vec<u8>) {
            fuzz_device_api(&data);
            fuzz_mqtt(&data);
            fuzz_certificate(&data);
            fuzz_faults(&data);
            fuzz_websocket(&data);
        }

        #[test]
        fn damaged_fault_files(data in damaged(FAULTS)) {
            fuzz_faults(&data);
        }

        #[test]
        fn damaged_frames(size in 1u8..9, data in damaged(FRAMES)) {
            fuzz_websocket(&[&[size], data.as_slice()].concat());
        }

        #[test]
        fn damaged_requests(data in damaged(REQUEST)) {
            fuzz_device_api(&data);
        }

        #[test]
        fn damaged_packets(data in damaged(PACKETS)) {
            fuzz_mqtt(&data);
        }

        #[test]
        fn damaged_certificates(data in damaged(CERTIFICATE)) {
            fuzz_certificate(&data);
        }
    }
}
