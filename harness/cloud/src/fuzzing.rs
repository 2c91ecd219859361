//! Bodies of fuzz targets: whatever bytes come in, nothing panics and nothing contradicts itself.

mod interfaces;

pub use interfaces::{fuzz_hub_http, fuzz_registry, fuzz_service_api};

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
use crate::hub::{self, Hubs, Shown};
use crate::mqtt::{Packet, PacketReader};
use crate::provisioning::{
    Course, EnrolmentGroup, GroupAttestation, Proof, Provisioning, Quotas, Register, Settings,
};
use crate::retention::Retention;
use crate::sas::{SymmetricKey, SymmetricKeys, Token};
use crate::service_api::model::{Group, IndividualEnrollment, Supplement};
use crate::state::Change;
use crate::tpm::PublicArea;
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
    let mut provisioning = provisioning();
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
    let mut hubs = Hubs::new(hub::Settings {
        epoch: Epoch(VIRTUAL_EPOCH),
        retention: Retention::SERVICE,
        policy: None,
    });
    reader.push(data);
    while let Ok(Some(packet)) = reader.next() {
        let mut again = PacketReader::default();
        again.push(&packet.encode());
        assert_eq!(again.next(), Ok(Some(packet.clone())));
        match packet {
            Packet::Connect(connect) => {
                let hub = "hil-hub.azure-devices.net";
                let shown = Shown {
                    certificate: None,
                    token: None,
                };
                let _ = hubs.connect(VirtualTime::ZERO, 1, hub, &connect, shown);
            }
            Packet::Publish(message) => {
                let _ = hubs.publish(VirtualTime::ZERO, 1, &message);
            }
            Packet::Subscribe { subscriptions, .. } => {
                hubs.subscribe(VirtualTime::ZERO, 1, &subscriptions);
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

/// A shared access signature: what is read says nothing of its signature in the log.
pub fn fuzz_sas(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(token) = Token::parse(text) {
        let Ok(key) = SymmetricKey::new(vec![7; 32]) else {
            return;
        };
        assert!(!token.is_signed_by(&key), "nobody signs by chance");
        assert!(!format!("{token:?}").contains("signature"));
    }
}

/// A JSON body of the service API: what the service takes, it can write down and read again.
pub fn fuzz_enrolment(data: &[u8]) {
    let mut entropy = ChaCha20Rng::from_seed([0; 32]);
    let mut provisioning = provisioning();
    if let Ok(model) = serde_json::from_slice::<IndividualEnrollment>(data) {
        let supplement = Supplement {
            former: None,
            keys: Some(SymmetricKeys::generate(&mut entropy)),
        };
        if let Ok(enrolment) = model.read(supplement) {
            let _ = provisioning.enrol(enrolment);
        }
    }
    if let Ok(model) = serde_json::from_slice::<Group>(data) {
        let supplement = Supplement {
            former: None,
            keys: Some(SymmetricKeys::generate(&mut entropy)),
        };
        if let Ok(group) = model.read(supplement) {
            let _ = provisioning.enrol_group(group);
        }
    }
    for change in provisioning.take_changes() {
        let again = Change::from_line(&change.expose_line());
        assert_eq!(again.as_ref(), Ok(&change));
    }
}

/// A line of a state file: what is read is what would be written.
pub fn fuzz_state(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(change) = Change::from_line(text) {
        assert_eq!(Change::from_line(&change.expose_line()), Ok(change));
    }
}

/// A TPM's public key, whole and as the modulus of a storage key.
pub fn fuzz_tpm(data: &[u8]) {
    const STORAGE_KEY: &[u8] = b"\0\x01\0\x0b\0\x03\x04\x72\0\0\0\x06\0\x80\0\x43\0\x10\
        \x08\0\0\0\0\0\x01\0";
    let _ = PublicArea::parse(data);
    let area = [STORAGE_KEY, data].concat();
    let length = u16::try_from(area.len()).unwrap_or(u16::MAX);
    let parsed = PublicArea::parse(&[&length.to_be_bytes(), area.as_slice()].concat());
    assert!(parsed.is_none() || data.len() == 256);
}

/// A chain of certificates, each after its length in two bytes, at a service with a group: where
/// no signature can be verified, nobody gets in.
pub fn fuzz_chain(data: &[u8]) {
    const CA: &[u8] = include_bytes!("pki/certificates/ec-root.der");
    let (Ok(ca), Some(chain)) = (DeviceCertificate::from_der(CA), split(data)) else {
        return;
    };
    let Some((Ok(leaf), issuers)) = chain
        .split_first()
        .map(|(leaf, issuers)| (DeviceCertificate::from_der(leaf), issuers))
    else {
        return;
    };
    let mut provisioning = provisioning();
    let attestation = GroupAttestation::X509 {
        primary: ca,
        secondary: None,
    };
    let enrolled = provisioning.enrol_group(EnrolmentGroup::new("group", attestation));
    assert_eq!(enrolled, Ok(()));
    let register = Register {
        id_scope: "0ne00000000",
        registration_id: "a",
        proof: Proof::Certificate {
            leaf: &leaf,
            intermediates: issuers,
        },
        course: Course::Normal,
    };
    let mut entropy = ChaCha20Rng::from_seed([0; 32]);
    let result = provisioning.register(VirtualTime::ZERO, register, &mut entropy);
    assert!(result.is_err());
}

/// The pieces of `data`, each after its length.
fn split(mut data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    while let [high, low, rest @ ..] = data {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (piece, after) = rest.split_at_checked(length)?;
        pieces.push(piece.to_vec());
        data = after;
    }
    Some(pieces)
}

fn provisioning() -> Provisioning {
    Provisioning::new(Settings {
        id_scope: "0ne00000000".into(),
        hubs: vec!["hil-hub.azure-devices.net".into()],
        behaviour: Behaviour::default(),
        epoch: Epoch(VIRTUAL_EPOCH),
        verifier: NO_ALGORITHMS,
        quotas: Quotas::default(),
    })
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
    const TOKEN: &[u8] = b"SharedAccessSignature sr=0ne00000000%2fregistrations%2fa&\
        sig=hwgBlMB6G2Zg5ZcYtwmtLVKRbifiSCPfUMyscbVWa8o%3D&se=1591921306&skn=registration";
    const ENROLMENT: &[u8] = br#"{"registrationId":"a","enrollmentGroupId":"a","deviceId":"b",
        "attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"AAAAAAAAAAAAAAAAAAAAAA=="}},
        "reprovisionPolicy":{"updateHubAssignment":true},"initialTwin":{"tags":{"a":1.5}},
        "iotHubs":["hil-hub.azure-devices.net"],"allocationPolicy":"static"}"#;
    const BULK: &[u8] = br#"{"mode":"create","enrollments":[{"registrationId":"a",
        "attestation":{"type":"tpm","tpm":{"endorsementKey":"AAAA"}}},{"etag":"x"}]}"#;
    const QUERY: &[u8] =
        br#"{"query":"SELECT * FROM devices WHERE tags.a = 'b' AND NOT version IN [1, 2]"}"#;
    const DEVICE: &[u8] = br#"{"deviceId":"a","status":"disabled","authentication":{"type":
        "selfSigned","x509Thumbprint":{"primaryThumbprint":"0123456789abcdef0123456789abcdef01234567"}}}"#;
    const TWIN: &[u8] =
        br#"{"tags":{"a":{"b":[1,null]}},"properties":{"desired":{"c":{"d":1.5e3}},"$version":7}}"#;
    const METHOD: &[u8] = br#"{"methodName":"m","payload":{"a":1},
        "responseTimeoutInSeconds":5,"connectTimeoutInSeconds":0}"#;
    const UPGRADE: &[u8] = b"GET /$iothub/websocket HTTP/1.1\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const STATE: &[u8] = br#"{"version":1,"put":{"registration":{"registrationId":"a",
        "createdDateTimeUtc":"2026-01-01T00:00:00.0000000Z","etag":"x","operationId":"y",
        "lastUpdatedDateTimeUtc":"2026-01-01T00:00:04.0000000Z","attestation":"x509",
        "state":{"assigned":{"hub":"h","deviceId":"d","substatus":"initialAssignment"}}}}}"#;
    const CA: &[u8] = include_bytes!("pki/certificates/ec-root.der");
    const LEAF: &[u8] = include_bytes!("pki/certificates/ec-leaf.der");
    const CERTIFICATE: &[u8] = include_bytes!("../tests/fixtures/alias-devkit.der");

    proptest! {
        #[test]
        fn noise(data: Vec<u8>) {
            fuzz_device_api(&data);
            fuzz_mqtt(&data);
            fuzz_certificate(&data);
            fuzz_faults(&data);
            fuzz_websocket(&data);
            fuzz_sas(&data);
            fuzz_enrolment(&data);
            fuzz_state(&data);
            fuzz_chain(&data);
            fuzz_tpm(&data);
            fuzz_service_api(&data);
            fuzz_registry(&data);
            fuzz_hub_http(&data);
        }

        #[test]
        fn damaged_bodies(which: u8, data in prop_oneof![
            damaged(ENROLMENT), damaged(BULK), damaged(QUERY), damaged(DEVICE), damaged(TWIN),
            damaged(METHOD),
        ]) {
            let data = [&[which], data.as_slice()].concat();
            fuzz_service_api(&data);
            fuzz_registry(&data);
        }

        #[test]
        fn damaged_upgrades(data in damaged(UPGRADE)) {
            fuzz_hub_http(&data);
        }

        #[test]
        fn moduli(modulus in prop::collection::vec(any::<u8>(), 256)) {
            fuzz_tpm(&modulus);
            let mut good = modulus;
            (good[0], good[255]) = (good[0] | 0x80, good[255] | 1);
            fuzz_tpm(&good);
        }

        #[test]
        fn damaged_tokens(data in damaged(TOKEN)) {
            fuzz_sas(&data);
        }

        #[test]
        fn damaged_enrolments(data in damaged(ENROLMENT)) {
            fuzz_enrolment(&data);
        }

        #[test]
        fn damaged_state_lines(data in damaged(STATE)) {
            fuzz_state(&data);
        }

        #[test]
        fn damaged_chains(leaf in damaged(LEAF), issuer in damaged(CA)) {
            let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
            fuzz_chain(&[&length(&leaf), leaf.as_slice(), &length(&issuer), &issuer].concat());
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
