//! A hub's registry and service API, and what devices see of it, over real TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{
    AccessPolicy, Cloud, CloudConfig, ServerChain, SymmetricKey, SymmetricKeys, Then,
    VIRTUAL_EPOCH, state,
};
use rstest::rstest;
use serde_json::{Value, json};
use support::mqtt::{connect, connect_with_password, publish, read_publish, subscribe, text};
use support::{Answer, Client, Device, HUB, World};

const KEY: [u8; 32] = [4; 32];
const DEVICE_KEY: [u8; 32] = [5; 32];

fn keys(byte: [u8; 32]) -> SymmetricKeys {
    SymmetricKeys {
        primary: SymmetricKey::new(byte.to_vec()).unwrap(),
        secondary: SymmetricKey::new(vec![99; 32]).unwrap(),
    }
}

fn config() -> CloudConfig {
    let mut config = CloudConfig::virtual_time([5; 32], ServerChain::EcdsaP256);
    config.hub_policy = Some(AccessPolicy {
        name: "iothubowner".into(),
        keys: keys(KEY),
    });
    config
}

/// A world and the back end's connection to its hub.
fn world() -> (World, Client) {
    let mut world = World::with(config());
    let client = world.connect(HUB, 443, None);
    (world, client)
}

fn owner_token() -> String {
    let expires = VIRTUAL_EPOCH.as_secs() + 3600;
    support::token(HUB, &KEY, expires, Some("iothubowner"))
}

fn request(method: &str, path: &str, fields: &str, body: &str) -> String {
    let query = if path.contains('?') { '&' } else { '?' };
    format!(
        "{method} {path}{query}api-version=2021-04-12 HTTP/1.1\r\nHost: {HUB}\r\n{fields}\
        Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A request by the owner of the hub; the answer may have no content.
fn owner_raw(
    world: &mut World,
    client: &mut Client,
    what: (&str, &str),
    more: &str,
    body: &str,
) -> Vec<u8> {
    let fields = format!("Authorization: {}\r\n{more}", owner_token());
    let request = request(what.0, what.1, &fields, body);
    world.exchange(client, request.as_bytes())
}

fn owner(
    world: &mut World,
    client: &mut Client,
    what: (&str, &str),
    more: &str,
    body: &Value,
) -> Answer {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    Answer::parse(&owner_raw(world, client, what, more, &body))
}

fn sas_device(id: &str) -> Value {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(DEVICE_KEY);
    json!({"deviceId": id, "status": "enabled", "authentication":
        {"type": "sas", "symmetricKey": {"primaryKey": key, "secondaryKey": key}}})
}

fn create(world: &mut World, client: &mut Client, id: &str) -> Answer {
    let path = format!("/devices/{id}");
    owner(world, client, ("PUT", &path), "", &sas_device(id))
}

/// The session of a device with a key, whose token is good for `lifetime` seconds.
fn session(world: &mut World, id: &str, lifetime: u64) -> Client {
    let mut client = world.connect(HUB, 8883, None);
    let resource = format!("{HUB}%2Fdevices%2F{id}");
    let now = VIRTUAL_EPOCH.as_secs() + world.now.since_start().as_secs();
    let password = support::token(&resource, &DEVICE_KEY, now + lifetime, None);
    let user_name = format!("{HUB}/{id}/?api-version=2021-04-12");
    let hello = connect_with_password(id, &user_name, &password);
    assert_eq!(world.exchange(&mut client, &hello), b"\x20\x02\0\0");
    client
}

#[test]
fn identities_are_made_read_changed_and_deleted() {
    let (mut world, mut client) = world();
    let made = create(&mut world, &mut client, "a");
    assert_eq!(made.status, 200, "{}", made.body);
    let etag = made.json()["etag"].as_str().unwrap().to_owned();
    assert!(made.head.contains(&format!("ETag: \"{etag}\"")));
    let again = create(&mut world, &mut client, "a");
    assert_eq!((again.status, again.error_code()), (409, 409_001));
    let mut disabled = made.json();
    disabled["status"] = "disabled".into();
    let mut put = |etag: &str| {
        let field = format!("If-Match: \"{etag}\"\r\n");
        owner(
            &mut world,
            &mut client,
            ("PUT", "/devices/a"),
            &field,
            &disabled,
        )
    };
    assert_eq!(put("b3RoZXI=").error_code(), 412_001);
    let changed = put(&etag);
    assert_eq!(
        (changed.status, changed.json()["status"].as_str()),
        (200, Some("disabled"))
    );
    assert_eq!(put(&etag).status, 412, "the etag is another one now");
    create(&mut world, &mut client, "b");
    let list = owner(
        &mut world,
        &mut client,
        ("GET", "/devices/?top=1"),
        "",
        &Value::Null,
    );
    assert_eq!(list.json().as_array().unwrap().len(), 1);
    assert_eq!(list.json()[0]["deviceId"], "a");
    let statistics = owner(
        &mut world,
        &mut client,
        ("GET", "/statistics/devices"),
        "",
        &Value::Null,
    );
    assert_eq!(
        statistics.json(),
        json!({"totalDeviceCount": 2, "enabledDeviceCount": 1, "disabledDeviceCount": 1})
    );
    let gone = owner_raw(
        &mut world,
        &mut client,
        ("DELETE", "/devices/a"),
        "If-Match: *\r\n",
        "",
    );
    assert!(gone.starts_with(b"HTTP/1.1 204 No Content\r\n") && gone.ends_with(b"\r\n\r\n"));
    let missing = owner(
        &mut world,
        &mut client,
        ("GET", "/devices/a"),
        "",
        &Value::Null,
    );
    assert_eq!((missing.status, missing.error_code()), (404, 404_001));
    assert!(missing.head.contains("iothub-errorcode: DeviceNotFound"));
    let events = world.event_lines();
    assert!(!events.contains("SharedAccessSignature"), "{events}");
}

#[rstest]
#[case::no_token("")]
#[case::other_key(&format!("Authorization: {}\r\n", support::token(HUB, &[1; 32], VIRTUAL_EPOCH.as_secs() + 9, Some("iothubowner"))))]
#[case::expired(&format!("Authorization: {}\r\n", support::token(HUB, &KEY, VIRTUAL_EPOCH.as_secs(), Some("iothubowner"))))]
#[case::other_hub(&format!("Authorization: {}\r\n", support::token("b.azure-devices.net", &KEY, VIRTUAL_EPOCH.as_secs() + 9, Some("iothubowner"))))]
fn only_the_owner_may(#[case] fields: &str) {
    let (mut world, mut client) = world();
    let text = request("GET", "/devices", fields, "");
    let answer = Answer::parse(&world.exchange(&mut client, text.as_bytes()));
    assert_eq!((answer.status, answer.error_code()), (401, 401_002));
}

#[rstest]
#[case("PUT", "/devices/a", "{", 400)]
#[case("PUT", "/devices/a%20b", "{}", 400)]
#[case("PUT", "/devices/a", r#"{"deviceId":"b"}"#, 400)]
#[case(
    "PUT",
    "/devices/a",
    r#"{"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"xyz"}}}"#,
    400
)]
#[case("PUT", "/devices/a", r#"{"authentication":{"type":"none"}}"#, 400)]
#[case("PATCH", "/twins/a", "{}", 404)]
#[case("POST", "/devices/query", r#"{"query":"DROP TABLE"}"#, 400)]
#[case("POST", "/twins/a/methods", r#"{"methodName":"a/b"}"#, 400)]
#[case("POST", "/twins/a/methods", r#"{"methodName":"m"}"#, 404)]
#[case("POST", "/messages/deviceBound", "", 400)]
#[case("PATCH", "/devices/a", "", 405)]
#[case("GET", "/jobs/v2", "", 404)]
fn refusals(#[case] method: &str, #[case] path: &str, #[case] body: &str, #[case] status: u16) {
    let (mut world, mut client) = world();
    let answer = owner_raw(&mut world, &mut client, (method, path), "", body);
    assert_eq!(Answer::parse(&answer).status, status);
    assert_eq!(client.then, Then::Continue);
}

#[test]
fn queries_go_on_where_they_stopped() {
    let (mut world, mut client) = world();
    for id in ["a", "b", "c"] {
        create(&mut world, &mut client, id);
    }
    let all = json!({"query": "SELECT * FROM devices"});
    let mut more = "x-ms-max-item-count: 2\r\n".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = owner(
            &mut world,
            &mut client,
            ("POST", "/devices/query"),
            &more,
            &all,
        );
        assert_eq!(page.status, 200, "{}", page.body);
        seen.extend(
            page.json()
                .as_array()
                .unwrap()
                .iter()
                .map(|twin| twin["deviceId"].clone()),
        );
        let token = page
            .head
            .lines()
            .find_map(|line| line.strip_prefix("x-ms-continuation: "));
        match token {
            Some(token) => {
                more = format!("x-ms-max-item-count: 2\r\nx-ms-continuation: {token}\r\n")
            }
            None => break,
        }
    }
    assert_eq!(seen, ["a", "b", "c"]);
    let one = json!({"query": "SELECT * FROM devices WHERE deviceId = 'b'"});
    let page = owner(
        &mut world,
        &mut client,
        ("POST", "/devices/query"),
        "",
        &one,
    );
    assert_eq!(page.json().as_array().unwrap().len(), 1);
}

#[test]
fn desired_properties_reach_the_device() {
    let (mut world, mut client) = world();
    create(&mut world, &mut client, "a");
    let mut device = session(&mut world, "a", 3600);
    world.exchange(
        &mut device,
        &subscribe("$iothub/twin/PATCH/properties/desired/#", 0),
    );
    let change = json!({"tags": {"site": 1}, "properties": {"desired": {"interval": 5}}});
    let twin = owner(&mut world, &mut client, ("PATCH", "/twins/a"), "", &change);
    assert_eq!(twin.status, 200, "{}", twin.body);
    let desired = twin.json()["properties"]["desired"].clone();
    assert_eq!(
        (&desired["interval"], &desired["$version"]),
        (&json!(5), &json!(2))
    );
    assert_eq!(desired["$metadata"]["interval"]["$lastUpdatedVersion"], 2);
    assert_eq!(twin.json()["tags"], json!({"site": 1}));
    assert_eq!(twin.json()["connectionState"], "Connected");
    let (topic, body) = read_publish(&world.exchange(&mut device, b""));
    assert_eq!(topic, "$iothub/twin/PATCH/properties/desired/?$version=2");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({"interval": 5, "$version": 2}));
    let stale = "If-Match: \"AAAAAAAAAAE=\"\r\n";
    let refused = owner(&mut world, &mut client, ("PUT", "/twins/a"), stale, &change);
    assert_eq!(refused.error_code(), 412_001);
    let large = json!({"properties": {"desired": {"a": vec!["x".repeat(4000); 9]}}});
    let refused = owner(&mut world, &mut client, ("PATCH", "/twins/a"), "", &large);
    assert_eq!(refused.status, 413);
}

fn c2d(world: &mut World, client: &mut Client, id: &str, expiry: &str) {
    let fields = format!(
        "iothub-to: /devices/a/messages/deviceBound\r\niothub-messageid: {id}\r\n\
        iothub-app-colour: light blue\r\n{expiry}"
    );
    let answer = owner_raw(
        world,
        client,
        ("POST", "/messages/deviceBound"),
        &fields,
        "hello",
    );
    assert!(answer.starts_with(b"HTTP/1.1 204"), "{answer:?}");
}

#[test]
fn messages_wait_for_the_device_and_its_acknowledgement() {
    let (mut world, mut client) = world();
    create(&mut world, &mut client, "a");
    c2d(&mut world, &mut client, "m1", "");
    c2d(
        &mut world,
        &mut client,
        "late",
        "iothub-expiry: 2026-01-01T00:00:01Z\r\n",
    );
    world.wait(Duration::from_secs(2));
    let filter = subscribe("devices/a/messages/devicebound/#", 1);
    let mut expected = vec![0, 0];
    let topic = "devices/a/messages/devicebound/%24.to=%2Fdevices%2Fa%2Fmessages%2Fdevicebound\
        &%24.mid=m1&colour=light%20blue";
    expected.clear();
    text(&mut expected, topic);
    expected.extend(b"\0\x01hello");
    let expected = support::mqtt::packet(0x32, &expected);
    let sent = [b"\x90\x03\0\x09\x01".as_slice(), &expected].concat();
    let mut device = session(&mut world, "a", 3600);
    assert_eq!(world.exchange(&mut device, &filter), sent);
    world.cloud.closed(world.now, device.number);
    let mut device = session(&mut world, "a", 3600);
    assert_eq!(
        world.exchange(&mut device, &filter),
        sent,
        "it was not acknowledged"
    );
    assert_eq!(world.exchange(&mut device, b"\x40\x02\0\x01"), b"");
    assert_eq!(world.cloud.devices().next().unwrap().waiting_messages(), 0);
    let events = world.event_lines();
    for outcome in ["queued", "sent", "completed", "expired"] {
        assert!(
            events.contains(&format!("\"outcome\":\"{outcome}\"")),
            "{outcome} in {events}"
        );
    }
}

#[test]
fn devices_talk_over_http_too() {
    let (mut world, mut client) = world();
    create(&mut world, &mut client, "a");
    c2d(&mut world, &mut client, "m1", "");
    let expires = VIRTUAL_EPOCH.as_secs() + 3600;
    let token = support::token(&format!("{HUB}%2Fdevices%2Fa"), &DEVICE_KEY, expires, None);
    let fields = format!("Authorization: {token}\r\niothub-app-k: v\r\n");
    let mut ask = |method: &str, path: &str| {
        let request = request(method, path, &fields, "{}");
        String::from_utf8(world.exchange(&mut client, request.as_bytes())).unwrap()
    };
    assert!(ask("POST", "/devices/a/messages/events").starts_with("HTTP/1.1 204"));
    let message = ask("GET", "/devices/a/messages/deviceBound");
    assert!(message.starts_with("HTTP/1.1 200") && message.contains("ETag: \"1\"\r\n"));
    assert!(message.contains("\r\nhello\r\n"));
    assert!(ask("GET", "/devices/a/messages/devicebound").starts_with("HTTP/1.1 204"));
    assert!(ask("POST", "/devices/a/messages/deviceBound/1/abandon").starts_with("HTTP/1.1 204"));
    assert!(ask("DELETE", "/devices/a/messages/deviceBound/1").starts_with("HTTP/1.1 412"));
    assert!(ask("GET", "/devices/a/messages/devicebound").starts_with("HTTP/1.1 200"));
    assert!(ask("DELETE", "/devices/a/messages/deviceBound/1").starts_with("HTTP/1.1 204"));
    assert!(ask("POST", "/devices/b/messages/events").starts_with("HTTP/1.1 401"));
    let device = world.cloud.devices().next().unwrap();
    assert_eq!(device.telemetry[0].properties, "k=v");
    assert_eq!(device.telemetry_count, 1);
}

fn invoke(connect: u64, response: u64) -> String {
    let body = json!({"methodName": "blink", "payload": {"n": 1},
        "connectTimeoutInSeconds": connect, "responseTimeoutInSeconds": response});
    let fields = format!("Authorization: {}\r\n", owner_token());
    request("POST", "/twins/a/methods", &fields, &body.to_string())
}

#[test]
fn methods_are_called_and_answered() {
    let (mut world, mut client) = world();
    create(&mut world, &mut client, "a");
    let offline = world.exchange(&mut client, invoke(0, 5).as_bytes());
    assert_eq!(Answer::parse(&offline).error_code(), 404_103);
    // The next request waits for its turn.
    let two = [invoke(10, 5), invoke(0, 5)].concat();
    assert_eq!(world.exchange(&mut client, two.as_bytes()), b"");
    world.wait(Duration::from_secs(9));
    let mut device = session(&mut world, "a", 3600);
    let granted = world.exchange(&mut device, &subscribe("$iothub/methods/POST/#", 0));
    let call = granted.strip_prefix(b"\x90\x03\0\x09\0").unwrap();
    let (topic, body) = read_publish(call);
    assert_eq!(topic, "$iothub/methods/POST/blink/?$rid=2");
    assert_eq!(body, br#"{"n":1}"#);
    let answer = publish("$iothub/methods/res/207/?$rid=2", r#"{"ok":true}"#, None);
    let (topic, _) = read_publish(&world.exchange(&mut device, &answer));
    assert_eq!(topic, "$iothub/methods/POST/blink/?$rid=3");
    let answer = Answer::parse(&world.exchange(&mut client, b""));
    assert_eq!(
        answer.json(),
        json!({"status": 207, "payload": {"ok": true}})
    );
    world.wait(Duration::from_secs(5));
    let answer = Answer::parse(&world.exchange(&mut client, b""));
    assert_eq!((answer.status, answer.error_code()), (504, 504_101));
    let events = world.event_lines();
    assert!(
        events.contains(r#""method":"blink","status":207"#),
        "{events}"
    );
    assert!(
        events.contains(r#""method":"blink","error_code":504101"#),
        "{events}"
    );
}

#[test]
fn a_token_that_expires_ends_the_session() {
    let (mut world, mut client) = world();
    create(&mut world, &mut client, "a");
    let mut device = session(&mut world, "a", 60);
    world.wait(Duration::from_secs(59));
    assert_eq!(world.exchange(&mut device, b"\xc0\0"), b"\xd0\0");
    world.wait(Duration::from_secs(1));
    world.pump(&mut device);
    assert_eq!(device.then, Then::Finish);
    assert!(world.event_lines().contains("the token has expired"));
}

#[test]
fn a_changed_identity_ends_the_session_and_counts_at_the_next() {
    let (mut world, mut client) = world();
    create(&mut world, &mut client, "a");
    let mut device = session(&mut world, "a", 3600);
    let certified = Device::new("a");
    use sha1::Digest as _;
    let thumbprint = hex::encode(sha1::Sha1::digest(&certified.certificate));
    let identity = json!({"deviceId": "a", "authentication":
        {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}}});
    let changed = owner(
        &mut world,
        &mut client,
        ("PUT", "/devices/a"),
        "If-Match: *\r\n",
        &identity,
    );
    assert_eq!(changed.status, 200, "{}", changed.body);
    world.pump(&mut device);
    assert_eq!(device.then, Then::Finish);
    let mut device = world.connect(HUB, 8883, Some(&certified));
    let user_name = format!("{HUB}/a/?api-version=2021-04-12");
    let answer = world.exchange(&mut device, &connect("a", &user_name, 60));
    assert_eq!(answer, b"\x20\x02\0\0");
}

#[test]
fn devices_survive_in_their_records() {
    let (mut world, mut client) = world();
    create(&mut world, &mut client, "a");
    create(&mut world, &mut client, "b");
    let change = json!({"tags": {"site": 1}, "properties": {"desired": {"interval": 5}}});
    owner(&mut world, &mut client, ("PATCH", "/twins/a"), "", &change);
    owner_raw(&mut world, &mut client, ("DELETE", "/devices/b"), "", "");
    let lines: Vec<_> = world
        .cloud
        .take_changes()
        .iter()
        .map(|change| change.expose_line().to_string())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(world.cloud.take_changes().is_empty());
    let mut again = World::over(Cloud::new(config()).unwrap());
    for line in &lines {
        again.cloud.apply(state::Change::from_line(line).unwrap());
    }
    assert!(
        again.cloud.take_changes().is_empty(),
        "what was taken in is no change"
    );
    let of = |world: &World| -> Vec<_> {
        let changes = world.cloud.snapshot();
        changes
            .map(|change| change.expose_line().to_string())
            .collect()
    };
    assert_eq!(of(&again), of(&world));
    session(&mut again, "a", 3600);
}
