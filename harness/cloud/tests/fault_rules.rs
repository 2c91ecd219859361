//! Faults: whom they strike, when answers leave, and which files are taken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{CloudFault, Effect, FAULT_HELP, FaultError, Then};
use proptest::prelude::*;
use rstest::rstest;
use support::{Client, DPS, Device, ID, World};

fn parse(text: &str) -> Result<CloudFault, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn world_with(fault: &str) -> (World, Device) {
    let mut world = World::new();
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    world.cloud.inject(parse(fault).unwrap()).unwrap();
    (world, device)
}

fn register_bytes(world: &mut World, client: &mut Client) -> Vec<u8> {
    let request = format!(
        "PUT /0ne00000000/registrations/{ID}/register?api-version=2021-06-01 HTTP/1.1\r\n\
        content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    world.exchange(client, request.as_bytes())
}

#[rstest]
#[case("az-c89346854138v1v6v1", 503)]
#[case("az-*", 503)]
#[case("another", 202)]
#[case("AZ-C89346854138V1V6V1", 202)]
fn a_device(#[case] device: &str, #[case] status: u16) {
    let rule = format!(r#"{{"device": "{device}", "answer": {{"status": 503}}}}"#);
    let (mut world, device) = world_with(&rule);
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(world.register(&mut client, ID).status, status);
}

#[test]
fn a_delayed_answer() {
    let (mut world, device) = world_with(r#"{"delay": {"ms": 3000}}"#);
    let mut client = world.connect(DPS, 443, Some(&device));
    let start = world.now;
    assert_eq!(register_bytes(&mut world, &mut client), b"");
    assert!(world.event_lines().contains("\"fault\":\"delay\""));
    assert_eq!(
        world.cloud.next_deadline(),
        Some(start + Duration::from_secs(3))
    );
    world.wait(Duration::from_millis(2999));
    assert_eq!(world.exchange(&mut client, b""), b"");
    world.wait(Duration::from_millis(1));
    let answer = world.exchange(&mut client, b"");
    assert!(answer.starts_with(b"HTTP/1.1 202 "));
    assert_ne!(
        world.cloud.next_deadline(),
        Some(world.now),
        "nothing is left to be done"
    );
}

/// A delay goes with the effect of another fault, and the end of the connection waits for it.
#[test]
fn a_delayed_refusal_and_end() {
    let (mut world, device) = world_with(r#"{"delay": {"ms": 10}}"#);
    let refusal = r#"{"answer": {"status": 503}}"#;
    world.cloud.inject(parse(refusal).unwrap()).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(register_bytes(&mut world, &mut client), b"");
    world.wait(Duration::from_millis(10));
    assert!(
        world
            .exchange(&mut client, b"")
            .starts_with(b"HTTP/1.1 503 ")
    );

    let (mut world, device) = world_with(r#"{"delay": {"ms": 10}}"#);
    let close = r#"{"close_after": null}"#;
    world.cloud.inject(parse(close).unwrap()).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(register_bytes(&mut world, &mut client), b"");
    assert_eq!(client.then, Then::Continue);
    world.wait(Duration::from_millis(10));
    assert!(
        world
            .exchange(&mut client, b"")
            .starts_with(b"HTTP/1.1 202 ")
    );
    assert_eq!(client.then, Then::Finish);
}

#[test]
fn a_delayed_handshake() {
    let (mut world, device) = world_with(r#"{"method": "TLS", "delay": {"ms": 500}}"#);
    let mut client = world.connect(DPS, 443, Some(&device));
    assert!(client.wire.is_empty());
    world.wait(Duration::from_millis(500));
    assert_eq!(world.register(&mut client, ID).status, 202);
}

#[test]
fn one_byte_in_each_tls_record() {
    let (mut world, device) = world_with(r#"{"records": {"bytes": 1}}"#);
    let mut client = world.connect(DPS, 443, Some(&device));
    client.wire.clear();
    let answer = register_bytes(&mut world, &mut client);
    assert!(answer.starts_with(b"HTTP/1.1 202 "));
    // Type application data, version 1.2, length: nonce 8, text 1, tag 16 (RFC 5288).
    let record = [23, 3, 3, 0, 25];
    let records: Vec<&[u8]> = client.wire.chunks(5 + 25).collect();
    assert!(records.iter().all(|bytes| bytes.starts_with(&record)));
    assert_eq!(records.len(), answer.len());
}

#[rstest]
#[case::of_an_answer("", true)]
#[case::of_a_handshake(r#""method": "TLS","#, false)]
fn one_byte_in_each_segment(#[case] rule: &str, #[case] handshake_at_once: bool) {
    let fault = format!(r#"{{{rule} "segments": {{"bytes": 1, "every_ms": 2}}}}"#);
    let (mut world, device) = world_with(&fault);
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(client.wire.len() > 1, handshake_at_once);
    if handshake_at_once {
        client.wire.clear();
        assert_eq!(register_bytes(&mut world, &mut client), b"");
    }
    for count in 1..=100 {
        assert_eq!(client.wire.len(), count);
        world.wait(Duration::from_millis(2));
        world.pump(&mut client);
    }
}

#[rstest]
#[case(r#"{"delay": {"ms": 0}}"#, FaultError::Nothing { member: "ms" })]
#[case(r#"{"records": {"bytes": 0}}"#, FaultError::Nothing { member: "bytes" })]
#[case(r#"{"segments": {"bytes": 0, "every_ms": 1}}"#, FaultError::Nothing { member: "bytes" })]
#[case(r#"{"segments": {"bytes": 1, "every_ms": 0}}"#, FaultError::Nothing { member: "every_ms" })]
#[case(r#"{"device": "a", "certificate": "expired"}"#, FaultError::DeviceUnknown { effect: "certificate" })]
#[case(r#"{"device": "a", "method": "TLS", "stall": null}"#, FaultError::DeviceUnknown { effect: "stall" })]
#[case(r#"{"method": "GET", "answer_topic": "x"}"#, FaultError::Method { effect: "answer_topic", method: "GET".into(), needs: "PUBLISH" })]
#[case(r#"{"method": "TLS", "records": {"bytes": 1}}"#, FaultError::Method { effect: "records", method: "TLS".into(), needs: "an HTTP method or an MQTT packet's name" })]
fn faults_that_never_happen(#[case] fault: &str, #[case] expected: FaultError) {
    let mut world = World::new();
    assert_eq!(world.cloud.inject(parse(fault).unwrap()), Err(expected));
}

#[rstest]
#[case(
    r#"{"pth": "*/register", "close": null}"#,
    "a fault has one effect; `close`, `pth` are not all members of a rule: host, device, method, path, topic, nth, times"
)]
#[case(
    r#"{"close": null, "stall": null}"#,
    "a fault has one effect; `close`, `stall` are not all members of a rule: host, device, method, path, topic, nth, times"
)]
#[case(r#"{"path": "*"}"#, "a fault needs an effect, such as `close: null`")]
#[case(r#"{"close": null, "close": null}"#, "`close` stands twice")]
#[case(
    r#"{"path": "a", "topic": "b", "close": null}"#,
    "duplicate field `path`"
)]
#[case(
    r#"{"nth": "one", "close": null}"#,
    "invalid type: string \"one\", expected u32"
)]
#[case(
    r#"{"times": "often", "close": null}"#,
    "data did not match any variant of untagged enum Repeat"
)]
#[case(
    r#"{"delay": {"seconds": 1}}"#,
    "unknown field `seconds`, expected `ms`"
)]
#[case(r#"{"explode": null}"#, "unknown variant `explode`, expected one of `")]
#[case(
    "[]",
    "invalid type: sequence, expected a fault: a rule's members and one effect"
)]
fn files_that_are_refused(#[case] text: &str, #[case] expected: &str) {
    let error = parse(text).unwrap_err();
    assert!(error.starts_with(expected), "{error}");
}

/// One of each effect, by its form.
const EFFECTS: [&str; 20] = [
    r#""answer":{"status":429}"#,
    r#""assigning":null"#,
    r#""fail":{"error_code":400208}"#,
    r#""retry_after":"5""#,
    r#""content_type":"text/html""#,
    r#""answer_topic":"$dps/x""#,
    r#""truncate":{"keep":3}"#,
    r#""truncate_json":null"#,
    r#""oversize":{"bytes":9}"#,
    r#""stall":null"#,
    r#""close":null"#,
    r#""reset":null"#,
    r#""close_after":null"#,
    r#""connack":5"#,
    r#""delay":{"ms":1}"#,
    r#""records":{"bytes":1}"#,
    r#""segments":{"bytes":1,"every_ms":1}"#,
    r#""certificate":"expired""#,
    r#""alert":40"#,
    r#""no_common_suite":null"#,
];

#[test]
fn every_effect_is_in_the_help_and_reads_as_it_is_written() {
    for form in EFFECTS {
        let text = format!(r#"{{"nth":1,"times":"always",{form}}}"#);
        let fault = parse(&text).unwrap();
        assert_eq!(serde_json::to_string(&fault).unwrap(), text);
        assert_eq!(fault.check(), Ok(()));
        let name = fault.effect.name();
        assert!(form.starts_with(&format!("\"{name}\":")), "{form}");
        assert!(FAULT_HELP.contains(&format!("`{name}: ")), "{name}");
    }
    // The parser's own list: what it knows is in the list above.
    let error = serde_json::from_str::<Effect>(r#""x""#)
        .unwrap_err()
        .to_string();
    assert_eq!(error.matches("`, `").count() + 1, EFFECTS.len(), "{error}");
}

prop_compose! {
    fn rules()(
        host in proptest::option::of(".{0,8}"),
        device in proptest::option::of("[a-z*-]{0,8}"),
        path in proptest::option::of("[/*$?a-z]{0,12}"),
        nth: u32,
        times in proptest::option::of(any::<u32>()),
        effect in 0..EFFECTS.len(),
    ) -> serde_json::Value {
        let text = format!("{{{}}}", EFFECTS[effect]);
        let mut fault: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (name, value) in [("host", host), ("device", device), ("path", path)] {
            if let Some(value) = value {
                fault[name] = value.into();
            }
        }
        fault["nth"] = nth.into();
        fault["times"] = times.map_or("always".into(), Into::into);
        fault
    }
}

proptest! {
    #[test]
    fn rules_read_as_they_are_written(value in rules()) {
        let fault: CloudFault = serde_json::from_value(value.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&fault).unwrap(), value);
    }

    #[test]
    fn a_mistyped_key_is_refused(value in rules(), key in "[a-z_]{1,12}") {
        let mut value = value;
        let members = value.as_object_mut().unwrap();
        prop_assume!(!members.contains_key(&key) && !["method", "topic", "path", "host", "device"].contains(&key.as_str()));
        members.insert(key, serde_json::Value::Null);
        prop_assert!(serde_json::from_value::<CloudFault>(value).is_err());
    }
}
