//! The device API over real TLS, with a client of another TLS provider.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{
    AllocationPolicy, BodyFraming, CertificateMismatch, CloudConfig, ConcurrentRegistration,
    Enrolment, IdCase, Quotas, ReprovisionPolicy, ServerChain, WrongScope,
};
use rstest::rstest;
use support::{Client, DPS, Device, ID, VENDOR_ID, World};

fn config() -> CloudConfig {
    CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256)
}

/// A world in which one device is enrolled under `ID`, and that device's connection.
fn enrolled(
    config: CloudConfig,
    change: impl FnOnce(Enrolment) -> Enrolment,
) -> (World, Device, Client) {
    let mut world = World::with(config);
    let device = Device::new(ID);
    world.cloud.enrol(change(device.enrolment(ID))).unwrap();
    let client = world.connect(DPS, 443, Some(&device));
    assert_eq!(client.error, None);
    (world, device, client)
}

/// Registers and polls as often as `Retry-After` says, until there is a result.
fn provision(world: &mut World, client: &mut Client, id: &str) -> serde_json::Value {
    let mut answer = world.register(client, id);
    let operation = answer.operation_id();
    for _ in 0..5 {
        if answer.status != 202 {
            assert_eq!(answer.status, 200, "{answer:?}");
            return answer.json();
        }
        assert!(answer.head.contains("Retry-After: 3\r\n"));
        world.wait(Duration::from_secs(3));
        answer = world.poll(client, id, &operation);
    }
    panic!("still assigning: {answer:?}");
}

/// Certificates and etags are new in every run; the form is what counts.
fn stable(text: &str) -> String {
    text.replace('\r', "")
}

#[test]
fn the_answers_have_the_services_form() {
    let (mut world, _, mut client) =
        enrolled(config(), |enrolment| enrolment.with_device_id("AZ3166"));
    let accepted = world.register(&mut client, ID);
    insta::assert_snapshot!(stable(&accepted.head), @r#"
HTTP/1.1 202 Accepted
Date: Thu, 01 Jan 2026 00:00:00 GMT
Content-Type: application/json; charset=utf-8
x-ms-request-id: b94a1140-2512-4769-8e72-deaed1ab837a
Strict-Transport-Security: max-age=31536000; includeSubDomains
Retry-After: 3
Location: https://global.azure-devices-provisioning.net/0ne00000000/registrations/az-c89346854138v1v6v1/register
Transfer-Encoding: chunked
"#);
    insta::assert_snapshot!(accepted.body, @r#"{"operationId":"4.dfc2bbd8144ba223.f606277f-444e-4497-97ae-7e0404e3a9ba","status":"assigning"}"#);
    let operation = accepted.operation_id();
    world.wait(Duration::from_secs(3));
    let assigning = world.poll(&mut client, ID, &operation);
    assert!(assigning.head.contains("Retry-After: 3\r\n"));
    assert!(!assigning.head.contains("Location"));
    insta::assert_snapshot!(assigning.body, @r#"{"operationId":"4.dfc2bbd8144ba223.f606277f-444e-4497-97ae-7e0404e3a9ba","status":"assigning","registrationState":{"registrationId":"az-c89346854138v1v6v1","createdDateTimeUtc":"2026-01-01T00:00:00.0000000Z","status":"assigning","lastUpdatedDateTimeUtc":"2026-01-01T00:00:00.0000000Z","etag":"ImZiZjJjZTBlLTAwMDAtMDMwMC0wMDAwLTczYzhlMzRjNTI2NCI="}}"#);
    world.wait(Duration::from_secs(3));
    let assigned = world.poll(&mut client, ID, &operation);
    insta::assert_snapshot!(stable(&assigned.head), @r#"
HTTP/1.1 200 OK
Date: Thu, 01 Jan 2026 00:00:06 GMT
Content-Type: application/json; charset=utf-8
x-ms-request-id: faa87fc7-c071-4f44-9285-4ba49b424c1a
Strict-Transport-Security: max-age=31536000; includeSubDomains
Transfer-Encoding: chunked
"#);
    insta::assert_snapshot!(assigned.body, @r#"{"operationId":"4.dfc2bbd8144ba223.f606277f-444e-4497-97ae-7e0404e3a9ba","status":"assigned","registrationState":{"x509":{},"registrationId":"az-c89346854138v1v6v1","createdDateTimeUtc":"2026-01-01T00:00:00.0000000Z","assignedHub":"hil-hub.azure-devices.net","deviceId":"AZ3166","status":"assigned","substatus":"initialAssignment","lastUpdatedDateTimeUtc":"2026-01-01T00:00:04.0000000Z","etag":"Ijc1MTVhM2Y1LTAwMDAtMDMwMC0wMDAwLWJjMjJkOTFjMWIyNSI="}}"#);
    let path = format!("/0ne00000000/registrations/{ID}?api-version=2021-06-01");
    let looked_up = world.http(&mut client, "POST", &path, "{}");
    assert_eq!(looked_up.status, 200);
    assert_eq!(looked_up.json(), assigned.json()["registrationState"]);
}

#[test]
fn the_trace_tells_the_whole_story() {
    let mut world = World::with(config());
    let device = Device::vendor_alias();
    world
        .cloud
        .enrol(device.enrolment(VENDOR_ID).with_device_id("AZ3166"))
        .unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    provision(&mut world, &mut client, VENDOR_ID);
    insta::assert_snapshot!(world.event_lines(), @r#"
{"kind":"tls_established","connection":1,"server_name":"global.azure-devices-provisioning.net","version":"TLSv1.2","suite":"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384","client_certificate_sha256":"eee5fb99bc846cd5be1600ebbb6140353b769410fc5a423e216abbfbd8dda76e","client_certificate_sha1":"36B4F7FAB79BDA71184471153AFBF76AE92DA983"}
{"kind":"http","connection":1,"method":"PUT","path":"/0ne00000000/registrations/az-c8934641234bv1v6v5/register","api_version":"2021-06-01","status":202,"retry_after":"3"}
{"kind":"registration","registration_id":"az-c8934641234bv1v6v5","state":"assigning","operation_id":"4.dfc2bbd8144ba223.f606277f-444e-4497-97ae-7e0404e3a9ba"}
{"kind":"http","connection":1,"method":"GET","path":"/0ne00000000/registrations/az-c8934641234bv1v6v5/operations/4.dfc2bbd8144ba223.f606277f-444e-4497-97ae-7e0404e3a9ba","api_version":"2021-06-01","status":202,"retry_after":"3"}
{"kind":"registration","registration_id":"az-c8934641234bv1v6v5","state":"assigned","operation_id":"4.dfc2bbd8144ba223.f606277f-444e-4497-97ae-7e0404e3a9ba","device_id":"AZ3166","assigned_hub":"hil-hub.azure-devices.net","substatus":"initialAssignment"}
{"kind":"http","connection":1,"method":"GET","path":"/0ne00000000/registrations/az-c8934641234bv1v6v5/operations/4.dfc2bbd8144ba223.f606277f-444e-4497-97ae-7e0404e3a9ba","api_version":"2021-06-01","status":200}
"#);
}

#[rstest]
fn chains_and_framings(
    #[values(
        ServerChain::EcdsaP256,
        ServerChain::Rsa4096Sha384,
        ServerChain::RsaPss
    )]
    chain: ServerChain,
    #[values(BodyFraming::Chunked, BodyFraming::ContentLength)] framing: BodyFraming,
) {
    let mut config = CloudConfig::virtual_time([3; 32], chain);
    config.behaviour.framing = framing;
    let (mut world, _, mut client) = enrolled(config, |enrolment| enrolment);
    let result = provision(&mut world, &mut client, ID);
    assert_eq!(result["registrationState"]["assignedHub"], support::HUB);
    assert_eq!(result["registrationState"]["deviceId"], ID);
}

#[rstest]
#[case::rsa(Device::rsa(ID), ID)]
#[case::malformed_subject_alternative_name(Device::vendor_alias(), VENDOR_ID)]
fn other_certificates(#[case] device: Device, #[case] id: &str) {
    let mut world = World::new();
    world.cloud.enrol(device.enrolment(id)).unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(provision(&mut world, &mut client, id)["status"], "assigned");
}

#[test]
fn the_secondary_certificate_is_as_good() {
    let second = Device::new(ID);
    let (mut world, _, _) = enrolled(config(), |enrolment| {
        enrolment.with_secondary(&second.certificate).unwrap()
    });
    let mut client = world.connect(DPS, 443, Some(&second));
    assert_eq!(provision(&mut world, &mut client, ID)["status"], "assigned");
}

#[test]
fn a_disabled_enrolment_says_so() {
    let (mut world, _, mut client) = enrolled(config(), Enrolment::disabled);
    let answer = world.register(&mut client, ID);
    assert_eq!(answer.status, 200);
    insta::assert_snapshot!(answer.body, @r#"{"operationId":"","status":"disabled","registrationState":{"registrationId":"az-c89346854138v1v6v1","status":"disabled"}}"#);
}

#[test]
fn registering_again_keeps_the_device() {
    let (mut world, device, mut client) = enrolled(config(), |enrolment| enrolment);
    let first = provision(&mut world, &mut client, ID);
    let mut client = world.connect(DPS, 443, Some(&device));
    let second = provision(&mut world, &mut client, ID);
    let of = |answer: &serde_json::Value, member: &str| answer["registrationState"][member].clone();
    for same in ["deviceId", "assignedHub", "createdDateTimeUtc"] {
        assert_eq!(of(&first, same), of(&second, same));
    }
    for other in ["lastUpdatedDateTimeUtc", "etag"] {
        assert_ne!(of(&first, other), of(&second, other));
    }
    assert_eq!(of(&first, "substatus"), "initialAssignment");
    assert_eq!(of(&second, "substatus"), "reprovisionedToInitialAssignment");
}

#[test]
fn a_new_registration_replaces_one_that_is_under_way() {
    let (mut world, device, mut client) = enrolled(config(), |enrolment| enrolment);
    let abandoned = world.register(&mut client, ID).operation_id();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(provision(&mut world, &mut client, ID)["status"], "assigned");
    let answer = world.poll(&mut client, ID, &abandoned);
    assert_eq!((answer.status, answer.error_code()), (404, 404_202));
}

#[test]
fn a_new_registration_is_a_conflict_on_request() {
    let mut config = config();
    config.behaviour.concurrent_registration = ConcurrentRegistration::Conflict;
    let (mut world, _, mut client) = enrolled(config, |enrolment| enrolment);
    assert_eq!(world.register(&mut client, ID).status, 202);
    let answer = world.register(&mut client, ID);
    assert_eq!((answer.status, answer.error_code()), (409, 409_203));
}

/// Who shows up, and what it asks for.
struct Attempt {
    certificate: Certificate,
    method: &'static str,
    path: String,
    content_type: &'static str,
    body: String,
}

#[derive(Clone, Copy)]
enum Certificate {
    Enrolled,
    SameNameOtherKey,
    OtherName,
    None,
}

fn attempt(id: &str) -> Attempt {
    Attempt {
        certificate: Certificate::Enrolled,
        method: "PUT",
        path: format!("/0ne00000000/registrations/{id}/register?api-version=2021-06-01"),
        content_type: "application/json; charset=utf-8",
        body: format!("{{\"registrationId\":\"{id}\"}}"),
    }
}

fn by(certificate: Certificate) -> Attempt {
    Attempt {
        certificate,
        ..attempt(ID)
    }
}

fn at(path: &str) -> Attempt {
    Attempt {
        path: path.to_owned(),
        ..attempt(ID)
    }
}

#[rstest]
#[case::other_key(by(Certificate::SameNameOtherKey), 401, 401_002)]
#[case::other_name(by(Certificate::OtherName), 401, 401_002)]
#[case::no_certificate(by(Certificate::None), 401, 401_000)]
#[case::upper_case(attempt(&ID.to_uppercase()), 400, 400_004)]
#[case::bad_character(attempt("az~1"), 400, 400_004)]
#[case::longer_than_a_common_name(attempt(&"a".repeat(65)), 400, 400_004)]
#[case::not_enrolled(attempt("az-other"), 404, 404_201)]
#[case::wrong_scope(at(&format!("/0ne11111111/registrations/{ID}/register?api-version=2021-06-01")), 401, 401_002)]
#[case::no_api_version(at(&format!("/0ne00000000/registrations/{ID}/register")), 400, 400_000)]
#[case::no_such_path(at("/"), 404, 404_000)]
#[case::no_such_operation(Attempt { method: "GET", ..at(&format!("/0ne00000000/registrations/{ID}/operations/1.2?api-version=2021-06-01")) }, 404, 404_202)]
#[case::never_registered(Attempt { method: "POST", ..at(&format!("/0ne00000000/registrations/{ID}?api-version=2021-06-01")) }, 404, 404_202)]
#[case::wrong_method(Attempt { method: "POST", ..attempt(ID) }, 405, 405_000)]
#[case::wrong_media_type(Attempt { content_type: "text/plain", ..attempt(ID) }, 415, 415_000)]
#[case::not_json(Attempt { body: "{".into(), ..attempt(ID) }, 400, 400_000)]
#[case::other_id_in_the_body(Attempt { body: "{\"registrationId\":\"b\"}".into(), ..attempt(ID) }, 400, 400_000)]
fn refusals(#[case] attempt: Attempt, #[case] status: u16, #[case] error_code: u64) {
    let mut world = World::new();
    let device = Device::new(ID);
    world.cloud.enrol(device.enrolment(ID)).unwrap();
    let shown = match attempt.certificate {
        Certificate::Enrolled => Some(device),
        Certificate::SameNameOtherKey => Some(Device::new(ID)),
        Certificate::OtherName => {
            let other = Device::new("az-other");
            world.cloud.enrol(other.enrolment(ID)).unwrap();
            Some(other)
        }
        Certificate::None => None,
    };
    let mut client = world.connect(DPS, 443, shown.as_ref());
    let request = format!(
        "{} {} HTTP/1.1\r\ncontent-type: {}\r\nCONTENT-LENGTH: {}\r\n\r\n{}",
        attempt.method,
        attempt.path,
        attempt.content_type,
        attempt.body.len(),
        attempt.body
    );
    let answer = support::Answer::parse(&world.exchange(&mut client, request.as_bytes()));
    assert_eq!(
        (answer.status, answer.error_code()),
        (status, error_code),
        "{}",
        answer.body
    );
    assert!(world.cloud.provisioning().registrations().next().is_none());
    // The connection is as good as before.
    let path = "/?api-version=2021-06-01";
    assert_eq!(world.http(&mut client, "GET", path, "").status, 404);
}

#[test]
fn an_error_has_the_services_form() {
    let mut world = World::new();
    let mut client = world.connect(DPS, 443, Some(&Device::new(ID)));
    world.wait(Duration::from_millis(1500));
    let answer = world.register(&mut client, ID);
    insta::assert_snapshot!(stable(&answer.head), @r#"
HTTP/1.1 404 Not Found
Date: Thu, 01 Jan 2026 00:00:01 GMT
Content-Type: application/json; charset=utf-8
x-ms-request-id: 444e0497-97ae-4e04-84e3-a9ba0ecef2fb
Strict-Transport-Security: max-age=31536000; includeSubDomains
x-ms-error-code: 404201
Transfer-Encoding: chunked
"#);
    insta::assert_snapshot!(answer.body, @r#"{"errorCode":404201,"trackingId":"385553aa-23a2-4b14-98bb-c2dff606277f","message":"Enrollment not found.","timestampUtc":"2026-01-01T00:00:01.5000000Z"}"#);
}

#[test]
fn a_trailing_slash_and_a_body_on_get_change_nothing() {
    let (mut world, _, mut client) = enrolled(config(), |enrolment| enrolment);
    let path = format!("/0ne00000000/registrations/{ID}/register/?api-version=2019-03-31");
    let answer = world.http(&mut client, "PUT", &path, "{}");
    assert_eq!(answer.status, 202);
    let operation = answer.operation_id();
    let path =
        format!("/0ne00000000/registrations/{ID}/operations/{operation}/?api-version=2019-03-31");
    assert_eq!(world.http(&mut client, "GET", &path, "{}").status, 202);
}

#[test]
fn the_named_choices_change_the_answers() {
    let mut config = config();
    config.behaviour.id_case = IdCase::Fold;
    config.behaviour.wrong_scope = WrongScope::NotFound;
    config.behaviour.certificate_mismatch = CertificateMismatch::FailOperation;
    let (mut world, _, mut client) = enrolled(config, |enrolment| enrolment);
    let folded = provision(&mut world, &mut client, &ID.to_uppercase());
    assert_eq!(folded["registrationState"]["deviceId"], ID);
    let path = format!("/0ne1/registrations/{ID}/register?api-version=2021-06-01");
    let answer = world.http(&mut client, "PUT", &path, "{}");
    assert_eq!((answer.status, answer.error_code()), (404, 404_201));
    let mut stranger = world.connect(DPS, 443, Some(&Device::new(ID)));
    let failed = provision(&mut world, &mut stranger, ID);
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["registrationState"]["errorCode"], 401_002);
}

#[test]
fn without_hubs_the_operation_fails() {
    let mut config = config();
    config.hubs = Vec::new();
    let (mut world, _, mut client) = enrolled(config, |enrolment| enrolment);
    let failed = provision(&mut world, &mut client, ID);
    assert_eq!(failed["registrationState"]["errorCode"], 400_208);
    assert_eq!(failed["status"], "failed");
}

#[test]
fn an_idle_connection_is_closed() {
    let (mut world, _, mut client) = enrolled(config(), |enrolment| enrolment);
    world.wait(Duration::from_secs(119));
    world.pump(&mut client);
    assert_eq!(client.then, az3166_cloud::Then::Continue);
    world.wait(Duration::from_secs(1));
    world.pump(&mut client);
    assert_eq!(client.then, az3166_cloud::Then::Finish);
    assert_eq!(world.cloud.next_deadline(), None);
}

#[rstest]
#[case("not http\r\n\r\n", 400)]
#[case("PUT / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n", 413)]
fn bytes_that_are_no_request_get_an_error_and_the_door(#[case] text: &str, #[case] status: u16) {
    let mut world = World::new();
    let mut client = world.connect(DPS, 443, None);
    let answer = support::Answer::parse(&world.exchange(&mut client, text.as_bytes()));
    assert_eq!(answer.status, status);
    assert_eq!(client.then, az3166_cloud::Then::Finish);
}

#[test]
fn polls_are_limited() {
    let mut config = config();
    config.quotas = Quotas::DOCUMENTED;
    let (mut world, _, mut client) = enrolled(config, |enrolment| enrolment);
    let operation = world.register(&mut client, ID).operation_id();
    for _ in 0..5 {
        assert_eq!(world.poll(&mut client, ID, &operation).status, 202);
        world.wait(Duration::from_millis(100));
    }
    let answer = world.poll(&mut client, ID, &operation);
    assert_eq!((answer.status, answer.error_code()), (429, 429_001));
    assert!(
        answer.head.contains("Retry-After: 10\r\n"),
        "{}",
        answer.head
    );
    world.wait(Duration::from_secs(10));
    assert_eq!(world.poll(&mut client, ID, &operation).status, 200);
}

#[test]
fn a_device_that_waits_as_told_meets_no_limit() {
    let mut config = config();
    config.quotas = Quotas::DOCUMENTED;
    config.behaviour.assignment_time = Duration::from_secs(60);
    let (mut world, _, mut client) = enrolled(config, |enrolment| enrolment);
    let operation = world.register(&mut client, ID).operation_id();
    for _ in 0..20 {
        world.wait(Duration::from_secs(3));
        let status = world.poll(&mut client, ID, &operation).status;
        assert!(status == 202 || status == 200, "{status}");
    }
}

#[test]
fn registrations_are_limited() {
    let mut config = config();
    config.quotas.registrations = Some("2/60".parse().unwrap());
    let (mut world, _, mut client) = enrolled(config, |enrolment| enrolment);
    for _ in 0..2 {
        assert_eq!(world.register(&mut client, ID).status, 202);
    }
    let answer = world.register(&mut client, ID);
    assert_eq!((answer.status, answer.error_code()), (429, 429_001));
    assert!(
        answer.head.contains("Retry-After: 60\r\n"),
        "{}",
        answer.head
    );
}

/// What becomes of a device whose enrolment has this policy, in a service with four hubs.
fn result_under(change: impl FnOnce(&mut az3166_cloud::Policy)) -> serde_json::Value {
    let mut config = config();
    config.hubs = ["a", "b", "c", "d"]
        .map(|name| format!("{name}.azure-devices.net"))
        .to_vec();
    let (mut world, _, mut client) = enrolled(config, |mut enrolment| {
        change(&mut enrolment.policy);
        enrolment
    });
    provision(&mut world, &mut client, ID)["registrationState"].clone()
}

#[rstest]
#[case::static_takes_the_first(AllocationPolicy::Static, &["c", "a"], None, &["c"])]
#[case::an_own_hub_precedes(AllocationPolicy::Static, &["c"], Some("b"), &["b"])]
#[case::hashed_takes_one_of_them(AllocationPolicy::Hashed, &["c", "a"], None, &["a", "c"])]
#[case::latency_is_as_hashed(AllocationPolicy::GeoLatency, &["c", "a"], None, &["a", "c"])]
#[case::all_hubs_without_a_list(AllocationPolicy::Hashed, &[], None, &["a", "b", "c", "d"])]
fn allocations(
    #[case] allocation: AllocationPolicy,
    #[case] hubs: &[&str],
    #[case] own: Option<&str>,
    #[case] expected: &[&str],
) {
    let host = |name: &&str| format!("{name}.azure-devices.net");
    let state = result_under(|policy| {
        policy.allocation = allocation;
        policy.hubs = hubs.iter().map(host).collect();
        policy.hub = own.as_ref().map(host);
    });
    let hub = state["assignedHub"].as_str().unwrap().to_owned();
    assert!(expected.iter().map(host).any(|own| own == hub), "{hub}");
}

#[test]
fn custom_allocation_fails_as_it_does_without_its_function() {
    let state = result_under(|policy| policy.allocation = AllocationPolicy::Custom);
    assert_eq!(state["status"], "failed");
    assert_eq!(state["errorCode"], 400_207);
    assert_eq!(
        state["errorMessage"],
        "Custom allocation failed with status code: 400"
    );
}

/// Registers twice; in between the enrolment names another hub and another twin to begin with.
#[rstest]
#[case(ReprovisionPolicy::MigrateData, "b", "deviceDataMigrated", "a")]
#[case(ReprovisionPolicy::ResetData, "b", "deviceDataReset", "b")]
#[case(ReprovisionPolicy::Never, "a", "initialAssignment", "a")]
fn reprovisioning(
    #[case] policy: ReprovisionPolicy,
    #[case] hub: &str,
    #[case] substatus: &str,
    #[case] twin: &str,
) {
    let initial = |name: &str| {
        let properties = serde_json::json!({"desired": {"from": name}});
        Some(serde_json::json!({"tags": {"from": name}, "properties": properties}))
    };
    let host = |name: &str| format!("{name}.azure-devices.net");
    let mut config = config();
    config.hubs = vec![host("a"), host("b")];
    let (mut world, device, mut client) = enrolled(config, |mut enrolment| {
        enrolment.policy.hub = Some(host("a"));
        enrolment.policy.initial_twin = initial("a");
        enrolment
    });
    let first = provision(&mut world, &mut client, ID);
    assert_eq!(first["registrationState"]["assignedHub"], host("a"));
    let mut enrolment = device.enrolment(ID);
    enrolment.policy.hub = Some(host("b"));
    enrolment.policy.initial_twin = initial("b");
    enrolment.policy.reprovision_policy = policy;
    world.cloud.enrol(enrolment).unwrap();
    let state = provision(&mut world, &mut client, ID)["registrationState"].clone();
    assert_eq!(state["assignedHub"], host(hub));
    assert_eq!(state["substatus"], substatus);
    let devices: Vec<_> = world.cloud.devices().collect();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].twin.tags["from"], twin);
    assert_eq!(devices[0].twin.desired.values["from"], twin);
}
