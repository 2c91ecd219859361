//! Faults: what each does to an exchange, when it strikes, and how it reads in a file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{CloudConfig, CloudFault, FaultError, ServerChain, Then};
use rstest::rstest;
use support::{Answer, Client, DPS, Device, HUB, ID, World};

fn parse(text: &str) -> CloudFault {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A world with one enrolled device, its connection, and one fault.
fn with(fault: &str) -> (World, Client) {
    let mut world = World::with(CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256));
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    world.cloud.inject(parse(fault)).unwrap();
    let client = world.connect(DPS, 443, Some(&device));
    (world, client)
}

fn register_bytes(world: &mut World, client: &mut Client) -> String {
    let request = format!(
        "PUT /0ne00000000/registrations/{ID}/register?api-version=2021-06-01 HTTP/1.1\r\n\
        content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    String::from_utf8(world.exchange(client, request.as_bytes())).unwrap()
}

#[rstest]
#[case(
    r#"{"answer": {"status": 429, "error_code": 429001, "retry_after": "5"}}"#,
    429,
    429_001,
    Some("5")
)]
#[case(
    r#"{"answer": {"status": 429, "retry_after": "soon"}}"#,
    429,
    429_000,
    Some("soon")
)]
#[case(r#"{"answer": {"status": 503}}"#, 503, 503_000, None)]
fn an_answer(
    #[case] fault: &str,
    #[case] status: u16,
    #[case] error_code: u64,
    #[case] retry_after: Option<&str>,
) {
    let (mut world, mut client) = with(fault);
    let answer = world.register(&mut client, ID);
    assert_eq!((answer.status, answer.error_code()), (status, error_code));
    let header = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("Retry-After: "));
    assert_eq!(header, retry_after);
    assert!(world.cloud.provisioning().registrations().next().is_none());
    let lines = world.event_lines();
    assert!(
        lines.contains("{\"kind\":\"fault\",\"fault\":\"answer\"}"),
        "{lines}"
    );
    assert!(
        lines.contains(&format!("\"error_code\":{error_code}")),
        "{lines}"
    );
}

#[rstest]
#[case::first_of_three("\"times\": 1", &[503, 202, 202])]
#[case::second_and_third("\"nth\": 2, \"times\": 2", &[202, 503, 503])]
#[case::always("\"times\": \"always\"", &[503, 503, 503])]
#[case::for_the_path("\"path\": \"*/register\"", &[503, 503, 503])]
#[case::not_for_the_path("\"path\": \"*/operations/*\"", &[202, 202, 202])]
#[case::for_the_method("\"method\": \"PUT\"", &[503, 503, 503])]
#[case::not_for_the_method("\"method\": \"GET\"", &[202, 202, 202])]
#[case::not_for_the_host("\"host\": \"hil-hub.*\"", &[202, 202, 202])]
fn rules(#[case] rule: &str, #[case] expected: &[u16]) {
    let (mut world, mut client) = with(&format!("{{{rule}, \"answer\": {{\"status\": 503}}}}"));
    let seen: Vec<u16> = (0..3)
        .map(|_| world.register(&mut client, ID).status)
        .collect();
    assert_eq!(seen, expected);
    world.cloud.clear_faults();
    assert_eq!(world.register(&mut client, ID).status, 202);
}

#[test]
fn assigning_for_ever() {
    let (mut world, mut client) = with(r#"{"method": "PUT", "assigning": null}"#);
    let operation = world.register(&mut client, ID).operation_id();
    world.wait(Duration::from_secs(100));
    assert_eq!(world.poll(&mut client, ID, &operation).status, 202);
    assert_eq!(
        world.cloud.next_deadline(),
        Some(world.now + Duration::from_secs(120))
    );
}

#[test]
fn assigning_for_two_polls() {
    let (mut world, mut client) = with(r#"{"method": "GET", "times": 2, "assigning": null}"#);
    let operation = world.register(&mut client, ID).operation_id();
    world.wait(Duration::from_secs(10));
    let mut poll = || world.poll(&mut client, ID, &operation).status;
    assert_eq!([poll(), poll(), poll()], [202, 202, 200]);
}

#[test]
fn truncate_json() {
    let (mut world, mut client) = with(r#"{"times": 1, "truncate_json": null}"#);
    let answer = world.register(&mut client, ID);
    assert_eq!(answer.status, 202);
    assert!(answer.body.starts_with("{\"operationId\":"));
    assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
    assert_eq!(
        world.register(&mut client, ID).json()["status"],
        "assigning"
    );
}

#[test]
fn fail() {
    let (mut world, mut client) = with(r#"{"fail": {"error_code": 400208}}"#);
    let operation = world.register(&mut client, ID).operation_id();
    world.wait(Duration::from_secs(4));
    let answer = world.poll(&mut client, ID, &operation);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], "failed");
    assert_eq!(answer.json()["registrationState"]["errorCode"], 400_208);
    assert!(world.event_lines().contains("\"state\":\"failed\""));
}

#[rstest]
#[case("stall", Then::Continue)]
#[case("close", Then::Finish)]
#[case("reset", Then::Reset)]
fn no_answer(#[case] fault: &str, #[case] then: Then) {
    let (mut world, mut client) = with(&format!("{{\"{fault}\": null}}"));
    assert_eq!(client.error, None, "the handshake is left alone");
    assert_eq!(register_bytes(&mut world, &mut client), "");
    assert_eq!(client.then, then);
    let lines = world.event_lines();
    assert!(lines.contains("http_unanswered"), "{lines}");
    assert_eq!(world.cloud.next_deadline(), None);
    assert_eq!(register_bytes(&mut world, &mut client), "");
}

#[rstest]
#[case("stall", Then::Continue)]
#[case("close", Then::Finish)]
#[case("reset", Then::Reset)]
fn no_handshake(#[case] fault: &str, #[case] then: Then) {
    let (_, client) = with(&format!("{{\"method\": \"TLS\", \"{fault}\": null}}"));
    assert!(client.wire.is_empty());
    assert_eq!(client.then, then);
}

#[test]
fn close_after() {
    let (mut world, mut client) = with(r#"{"close_after": null}"#);
    assert_eq!(world.register(&mut client, ID).status, 202);
    assert_eq!(client.then, Then::Finish);
}

#[rstest]
fn truncate(#[values(0, 20)] keep: usize) {
    let (mut world, mut client) = with(&format!("{{\"truncate\": {{\"keep\": {keep}}}}}"));
    let text = register_bytes(&mut world, &mut client);
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let (size, body) = body.split_once("\r\n").unwrap();
    assert!(usize::from_str_radix(size, 16).unwrap() > 80);
    assert_eq!(body.len(), keep);
    assert!("{\"operationId\":\"4.dfc2bbd8".starts_with(body));
    assert_eq!(client.then, Then::Finish);
}

#[test]
fn oversize() {
    let (mut world, mut client) = with(r#"{"oversize": {"bytes": 1000000}}"#);
    let answer = world.register(&mut client, ID);
    assert_eq!(answer.json()["status"], "assigning");
    assert!((1_000_000..1_000_200).contains(&answer.body.len()));
}

#[rstest]
#[case(r#"{"content_type": "text/html"}"#, "Content-Type: text/html")]
#[case(r#"{"retry_after": "0"}"#, "Retry-After: 0")]
#[case(
    r#"{"retry_after": "99999999999999999999"}"#,
    "Retry-After: 99999999999999999999"
)]
fn header_fields(#[case] fault: &str, #[case] field: &str) {
    let (mut world, mut client) = with(fault);
    let Answer { status, head, .. } = world.register(&mut client, ID);
    assert_eq!(status, 202);
    assert!(head.lines().any(|line| line == field), "{head}");
}

fn connect(device_id: &str) -> Vec<u8> {
    let user_name = format!("{HUB}/{device_id}/?api-version=2021-04-12");
    let mut body = b"\0\x04MQTT\x04\x82\0\x3c".to_vec();
    for text in [device_id, &user_name] {
        body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.as_bytes());
    }
    let length = u8::try_from(body.len()).unwrap();
    [&[0x10, length], body.as_slice()].concat()
}

/// A device that was provisioned, and its connection to the hub, with one fault.
fn hub_with(fault: &str) -> (World, Client) {
    let mut world = World::new();
    let device = Device::new(ID);
    let enrolment = device.enrolment(ID).with_device_id("d");
    world.cloud.enrol(enrolment).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    world.register(&mut client, ID);
    world.wait(Duration::from_secs(4));
    world.cloud.closed(world.now, client.number);
    world.cloud.inject(parse(fault)).unwrap();
    let client = world.connect(HUB, 8883, Some(&device));
    world.cloud.drain_events();
    (world, client)
}

const TELEMETRY: &[u8] = b"\x32\x1e\0\x1adevices/d/messages/events/\0\x01";
const ACCEPTED: &[u8] = b"\x20\x02\0\0";

#[test]
fn the_hub_refuses() {
    let (mut world, mut client) = hub_with(r#"{"connack": 5}"#);
    let answer = world.exchange(&mut client, &connect("d"));
    assert_eq!(answer, b"\x20\x02\0\x05");
    assert_eq!(client.then, Then::Finish);
    assert!(!world.cloud.devices().next().unwrap().is_connected());
    assert!(world.event_lines().contains("\"return_code\":5"));
}

#[rstest]
#[case::instead_of_connack(r#"{"method": "CONNECT", "close": null}"#, b"", Then::Finish, None)]
#[case::after_connack(
    r#"{"method": "CONNECT", "close_after": null}"#,
    ACCEPTED,
    Then::Finish,
    None
)]
#[case::instead_of_puback(r#"{"topic": "devices/*/messages/*", "reset": null}"#, ACCEPTED, Then::Continue, Some((b"".as_slice(), Then::Reset)))]
#[case::silence(r#"{"method": "PUBLISH", "stall": null}"#, ACCEPTED, Then::Continue, Some((b"".as_slice(), Then::Continue)))]
#[case::after_telemetry(r#"{"method": "PUBLISH", "close_after": null}"#, ACCEPTED, Then::Continue, Some((b"\x40\x02\0\x01".as_slice(), Then::Finish)))]
fn the_hub_drops_the_connection(
    #[case] fault: &str,
    #[case] connack: &[u8],
    #[case] then: Then,
    #[case] publish: Option<(&[u8], Then)>,
) {
    let (mut world, mut client) = hub_with(fault);
    assert_eq!(world.exchange(&mut client, &connect("d")), connack);
    assert_eq!(client.then, then);
    if let Some((answer, then)) = publish {
        assert_eq!(world.exchange(&mut client, TELEMETRY), answer);
        assert_eq!(client.then, then);
    }
    assert!(!world.cloud.devices().next().unwrap().is_connected());
    let lines = world.event_lines();
    let was_connected = connack == ACCEPTED;
    assert_eq!(
        lines.contains("\"reason\":\"fault\""),
        was_connected,
        "{lines}"
    );
}

#[rstest]
#[case(r#"{"nth": 0, "close": null}"#, FaultError::CountFromOne)]
#[case(r#"{"times": 0, "close": null}"#, FaultError::CountFromOne)]
#[case(r#"{"answer": {"status": 100}}"#, FaultError::Status { status: 100 })]
#[case(r#"{"connack": 0}"#, FaultError::ReturnCode { code: 0 })]
#[case(r#"{"retry_after": "1\r\nX: y"}"#, FaultError::HeaderValue { member: "retry_after", value: "1\r\nX: y".into() })]
#[case(r#"{"method": "GET", "connack": 5}"#, FaultError::Method { effect: "connack", method: "GET".into(), needs: "CONNECT" })]
#[case(r#"{"method": "TLS", "answer": {"status": 500}}"#, FaultError::Method { effect: "answer", method: "TLS".into(), needs: "an HTTP method or PUBLISH" })]
fn faults_that_never_happen(#[case] fault: &str, #[case] expected: FaultError) {
    let mut world = World::new();
    assert_eq!(world.cloud.inject(parse(fault)), Err(expected));
}

#[rstest]
#[case(r#"{"path":"*/register","nth":1,"times":2,"answer":{"status":429,"retry_after":"5"}}"#)]
#[case(r#"{"host":"a.*","nth":3,"times":"always","certificate":"not_yet_valid"}"#)]
#[case(r#"{"method":"TLS","nth":1,"times":"always","alert":40}"#)]
#[case(r#"{"nth":1,"times":"always","content_type":"text/html"}"#)]
fn faults_read_as_they_are_written(#[case] text: &str) {
    assert_eq!(serde_json::to_string(&parse(text)).unwrap(), text);
}
