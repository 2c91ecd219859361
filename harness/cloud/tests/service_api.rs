//! The provisioning service's own API, as SDKs use it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::time::Duration;

use az3166_cloud::{
    AccessPolicy, CloudConfig, ExistingEnrolment, Quotas, ServerChain, SymmetricKey, SymmetricKeys,
    VIRTUAL_EPOCH,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;
use support::{Answer, Client, DPS, Device, ID, World};

fn config() -> CloudConfig {
    let key = |byte| SymmetricKey::new(vec![byte; 32]).unwrap();
    let mut config = CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256);
    config.hubs.push("second.azure-devices.net".into());
    config.service_policy = Some(AccessPolicy {
        name: "provisioningserviceowner".into(),
        keys: SymmetricKeys {
            primary: key(8),
            secondary: key(9),
        },
    });
    config
}

fn token(resource: &str, key: u8, expiry: u64, name: &str) -> String {
    let mut code = Hmac::<Sha256>::new_from_slice(&[key; 32]).unwrap();
    code.update(format!("{resource}\n{expiry}").as_bytes());
    let signature = STANDARD.encode(code.finalize().into_bytes());
    let signature = signature
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!(
        "Authorization: SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={name}\r\n"
    )
}

/// An owner of the service, on one connection.
struct Owner {
    world: World,
    client: Client,
    token: String,
}

impl Owner {
    fn new() -> Self {
        Self::of(config())
    }

    fn of(config: CloudConfig) -> Self {
        let mut world = World::with(config);
        let client = world.connect(DPS, 443, None);
        let expiry = VIRTUAL_EPOCH.as_secs() + 3600;
        Self {
            world,
            client,
            token: token(DPS, 8, expiry, "provisioningserviceowner"),
        }
    }

    fn ask(&mut self, method: &str, path: &str, fields: &str, body: &Value) -> Answer {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let path = format!("{path}?api-version=2021-10-01");
        let fields = format!("{}{fields}", self.token);
        self.world
            .http_with(&mut self.client, (method, &path), &fields, &body)
    }

    fn put(&mut self, path: &str, fields: &str, body: &Value) -> Answer {
        self.ask("PUT", path, fields, body)
    }

    fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "", &Value::Null)
    }
}

fn pem(der: &[u8]) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(der)
    )
}

/// The body that the npm service client sends.
fn x509(id: &str, certificate: &str) -> Value {
    json!({
        "registrationId": id,
        "deviceId": id,
        "attestation": {"type": "x509", "x509": {"clientCertificates": {
            "primary": {"certificate": certificate}}}},
        "provisioningStatus": "enabled",
        "reprovisionPolicy": {"migrateDeviceData": true, "updateHubAssignment": true},
    })
}

fn symmetric(id: &str) -> Value {
    json!({"registrationId": id, "attestation": {"type": "symmetricKey"}})
}

#[test]
fn a_group_takes_its_own_certificates() {
    let mut owner = Owner::new();
    let kept = owner.get("/certificates/a");
    assert_eq!((kept.status, kept.error_code()), (404, 404_000));
    assert!(kept.body.contains("signingCertificates"), "{}", kept.body);
    let group = json!({"enrollmentGroupId": "g", "attestation": {"type": "x509",
        "x509": {"caReferences": {"primary": "a"}}}});
    let refused = owner.put("/enrollmentGroups/g", "", &group);
    assert_eq!(refused.status, 400);
    assert!(
        refused.body.contains("signingCertificates"),
        "{}",
        refused.body
    );
}

#[test]
fn an_enrolment_lives() {
    let mut owner = Owner::new();
    let device = Device::vendor_alias();
    let path = format!("/enrollments/{}", support::VENDOR_ID);
    let body = x509(support::VENDOR_ID, &pem(&device.certificate));
    let created = owner.put(&path, "", &body);
    assert_eq!(created.status, 200, "{}", created.body);
    insta::assert_snapshot!(serde_json::to_string_pretty(&created.json()).unwrap());
    let read = owner.get(&format!("{path}/"));
    assert_eq!(read.json(), created.json());

    // What was read can be sent back, with a change and without the certificate.
    let mut changed = read.json();
    changed["provisioningStatus"] = "disabled".into();
    let etag = read.json()["etag"].as_str().unwrap().to_owned();
    let updated = owner.put(&path, &format!("If-Match: \"{etag}\"\r\n"), &changed);
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert_eq!(updated.json()["provisioningStatus"], "disabled");
    assert_ne!(updated.json()["etag"], etag.as_str());
    let mut client = owner.world.connect(DPS, 443, Some(&device));
    let answer = owner.world.register(&mut client, support::VENDOR_ID);
    assert_eq!(answer.json()["status"], "disabled", "{}", answer.body);

    let old = owner.put(&path, &format!("If-Match: {etag}\r\n"), &changed);
    assert_eq!(old.status, 412);
    let fields = format!("If-Match: \"{etag}\"\r\n");
    assert_eq!(
        owner.ask("DELETE", &path, &fields, &Value::Null).status,
        412
    );
    let deleted = owner.ask("DELETE", &path, "If-Match: *\r\n", &Value::Null);
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    assert!(!deleted.head.contains("Transfer-Encoding"));
    let gone = owner.get(&path);
    assert_eq!((gone.status, gone.error_code()), (404, 404_201));
    assert_eq!(owner.put(&path, "If-Match: *\r\n", &body).status, 404);
}

#[rstest]
fn certificates_come_in_three_forms(#[values("PEM", "base64 of PEM", "base64 of DER")] form: &str) {
    let mut owner = Owner::new();
    let device = Device::new(ID);
    let text = match form {
        "PEM" => pem(&device.certificate),
        "base64 of PEM" => STANDARD.encode(pem(&device.certificate)),
        _ => STANDARD.encode(&device.certificate),
    };
    let answer = owner.put(&format!("/enrollments/{ID}"), "", &x509(ID, &text));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut client = owner.world.connect(DPS, 443, Some(&device));
    assert_eq!(owner.world.register(&mut client, ID).status, 202);
    owner.world.wait(Duration::from_secs(4));
    let state = owner.get(&format!("/registrations/{ID}"));
    assert_eq!(state.json()["status"], "assigned");
    let enrolment = owner.get(&format!("/enrollments/{ID}"));
    assert_eq!(enrolment.json()["registrationState"], state.json());
    let path = format!("/registrations/{ID}");
    assert_eq!(owner.ask("DELETE", &path, "", &Value::Null).status, 204);
    assert_eq!(owner.get(&path).error_code(), 404_202);
}

#[rstest]
#[case(ExistingEnrolment::Conflict, 409)]
#[case(ExistingEnrolment::PreconditionFailed, 412)]
fn creating_twice(#[case] existing: ExistingEnrolment, #[case] status: u16) {
    let mut config = config();
    config.behaviour.existing_enrolment = existing;
    let mut owner = Owner::of(config);
    assert_eq!(owner.put("/enrollments/a", "", &symmetric("a")).status, 200);
    assert_eq!(
        owner.put("/enrollments/A", "", &symmetric("A")).status,
        status
    );
    let answer = owner.put("/enrollments/a", "If-Match: *\r\n", &symmetric("a"));
    assert_eq!(answer.status, 200);
}

#[test]
fn keys_are_generated_kept_and_shown_where_they_belong() {
    let mut owner = Owner::new();
    let keys = |answer: &Answer| answer.json()["attestation"]["symmetricKey"].clone();
    let created = owner.put("/enrollments/a", "", &symmetric("a"));
    let first = keys(&created);
    let length = |member: &str| {
        STANDARD
            .decode(first[member].as_str().unwrap())
            .unwrap()
            .len()
    };
    assert_eq!((length("primaryKey"), length("secondaryKey")), (64, 64));
    assert_ne!(first["primaryKey"], first["secondaryKey"]);
    let updated = owner.put("/enrollments/a", "If-Match: *\r\n", &symmetric("a"));
    assert_eq!(keys(&updated), first);
    let query = json!({"query": "SELECT * FROM enrollments"});
    let listed = owner.ask("POST", "/enrollments/query", "", &query);
    assert_eq!(listed.json()[0]["registrationId"], "a");
    assert_eq!(listed.json()[0]["attestation"]["symmetricKey"], json!({}));
    let shown = owner.ask(
        "POST",
        "/enrollments/a/attestationmechanism",
        "",
        &Value::Null,
    );
    assert_eq!(shown.json()["symmetricKey"], first);
}

#[test]
fn queries_come_in_pages() {
    let mut owner = Owner::new();
    for id in ["e", "c", "a", "d", "b"] {
        let path = format!("/enrollments/{id}");
        assert_eq!(owner.put(&path, "", &symmetric(id)).status, 200);
    }
    let query = json!({"query": "select * from enrollments"});
    let (mut seen, mut fields) = (Vec::new(), "x-ms-max-item-count: 2\r\n".to_owned());
    for expected in [2, 2, 1] {
        let page = owner.ask("POST", "/enrollments/query", &fields, &query);
        assert!(page.head.contains("x-ms-item-type: enrollment\r\n"));
        let items = page.json();
        assert_eq!(items.as_array().unwrap().len(), expected);
        let ids = items.as_array().unwrap().iter();
        seen.extend(ids.map(|item| item["registrationId"].as_str().unwrap().to_owned()));
        let token = page
            .head
            .lines()
            .find_map(|line| line.strip_prefix("x-ms-continuation: "));
        assert_eq!(token.is_some(), seen.len() < 5);
        fields = format!(
            "x-ms-max-item-count: 2\r\nx-ms-continuation: {}\r\n",
            token.unwrap_or_default()
        );
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_bulk_operation_does_what_it_can() {
    let mut owner = Owner::new();
    assert_eq!(owner.put("/enrollments/b", "", &symmetric("b")).status, 200);
    let mut bulk = |mode: &str, entries: Vec<Value>| {
        let body = json!({"mode": mode, "enrollments": entries});
        owner.ask("POST", "/enrollments/", "", &body)
    };
    let created = bulk(
        "create",
        vec![
            symmetric("a"),
            symmetric("b"),
            json!({"registrationId": "c"}),
        ],
    );
    insta::assert_snapshot!(created.body, @r#"{"isSuccessful":false,"errors":[{"registrationId":"b","errorCode":409201,"errorStatus":"Enrollment already exists."},{"registrationId":"c","errorCode":400000,"errorStatus":"Bad request: the entry is no enrollment."}]}"#);
    assert_eq!(
        bulk("update", vec![symmetric("a"), symmetric("b")]).json()["isSuccessful"],
        true
    );
    let mut stale = symmetric("a");
    stale["etag"] = "x".into();
    let result = bulk("updateIfMatchETag", vec![stale]).json();
    assert_eq!(result["errors"][0]["errorCode"], 412_000);
    let result = bulk("delete", vec![symmetric("a"), symmetric("nobody")]).json();
    assert_eq!(result["errors"].as_array().unwrap().len(), 1);
    assert_eq!(result["errors"][0]["errorCode"], 404_201);
    let many = (0..11)
        .map(|number| symmetric(&format!("n{number}")))
        .collect();
    assert_eq!(bulk("create", many).status, 400);
    assert_eq!(bulk("rename", vec![symmetric("a")]).status, 400);
    assert_eq!(owner.get("/enrollments/a").status, 404);
    assert_eq!(owner.get("/enrollments/b").status, 200);
}

#[test]
fn a_group_and_its_registrations() {
    let mut owner = Owner::new();
    let key = STANDARD.encode([1; 32]);
    let body = json!({
        "enrollmentGroupId": "Fleet",
        "attestation": {"type": "symmetricKey", "symmetricKey": {
            "primaryKey": key, "secondaryKey": STANDARD.encode([2; 32])}},
        "allocationPolicy": "static",
        "iotHubs": ["second.azure-devices.net", "hil-hub.azure-devices.net"],
    });
    let created = owner.put("/enrollmentGroups/Fleet", "", &body);
    assert_eq!(created.status, 200, "{}", created.body);
    assert_eq!(created.json()["iotHubs"], body["iotHubs"]);
    let derived = {
        let mut code = Hmac::<Sha256>::new_from_slice(&[1; 32]).unwrap();
        code.update(b"dev-1");
        code.finalize().into_bytes()
    };
    let expiry = VIRTUAL_EPOCH.as_secs() + 60;
    let resource = "0ne00000000/registrations/dev-1";
    let mut code = Hmac::<Sha256>::new_from_slice(&derived).unwrap();
    code.update(format!("{resource}\n{expiry}").as_bytes());
    let signature = STANDARD
        .encode(code.finalize().into_bytes())
        .replace('+', "%2B");
    let fields = format!(
        "Authorization: SharedAccessSignature sr={resource}&sig={signature}&se={expiry}\r\n"
    );
    let mut device = owner.world.connect(DPS, 443, None);
    let path = "/0ne00000000/registrations/dev-1/register?api-version=2021-06-01";
    let answer = owner
        .world
        .http_with(&mut device, ("PUT", path), &fields, "{}");
    assert_eq!(answer.status, 202, "{}", answer.body);
    owner.world.wait(Duration::from_secs(4));

    let listed = owner.ask("POST", "/registrations/fleet/query", "", &Value::Null);
    assert!(
        listed
            .head
            .contains("x-ms-item-type: deviceRegistration\r\n")
    );
    let listed = listed.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["deviceId"], "dev-1");
    assert_eq!(listed[0]["assignedHub"], "second.azure-devices.net");
    let query = json!({"query": "*"});
    let groups = owner.ask("POST", "/enrollmentGroups/query", "", &query);
    assert_eq!(groups.json()[0]["enrollmentGroupId"], "Fleet");
    let path = "/enrollmentGroups/fleet";
    assert_eq!(owner.ask("DELETE", path, "", &Value::Null).status, 204);
    assert_eq!(owner.get(path).status, 404);
    assert_eq!(
        owner
            .ask("POST", "/registrations/fleet/query", "", &Value::Null)
            .status,
        404
    );
}

#[rstest]
#[case::other_key(token(DPS, 7, VIRTUAL_EPOCH.as_secs() + 60, "provisioningserviceowner"), "signature is wrong")]
#[case::other_name(token(DPS, 8, VIRTUAL_EPOCH.as_secs() + 60, "registration"), "names no policy")]
#[case::other_host(token("a.example", 8, VIRTUAL_EPOCH.as_secs() + 60, "provisioningserviceowner"), "another resource")]
#[case::expired(token(DPS, 8, VIRTUAL_EPOCH.as_secs(), "provisioningserviceowner"), "has expired")]
#[case::nonsense("Authorization: x\r\n".to_owned(), "does not begin with")]
#[case::none(String::new(), "no shared access signature")]
fn strangers(#[case] token: String, #[case] reason: &str) {
    let mut owner = Owner::new();
    owner.token = token;
    let answer = owner.get("/enrollments/a");
    assert_eq!((answer.status, answer.error_code()), (401, 401_000));
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains(reason), "{message}");
}

#[test]
fn the_secondary_key_is_as_good() {
    let mut owner = Owner::new();
    let expiry = VIRTUAL_EPOCH.as_secs() + 60;
    owner.token = token(DPS, 9, expiry, "provisioningserviceowner");
    assert_eq!(owner.get("/enrollments/a").status, 404);
}

#[rstest]
#[case::id_differs("/enrollments/b", symmetric("a"), 400, "differs between path and body")]
#[case::bad_id("/enrollments/a~", symmetric("a~"), 400, "registration id has '~'")]
#[case::not_an_object("/enrollments/a", json!([]), 400, "the body is not what belongs here")]
#[case::no_certificate(
    "/enrollments/a",
    x509("a", "AAAA"),
    400,
    "the certificate is not an X.509 certificate"
)]
#[case::short_key("/enrollments/a", json!({"registrationId": "a", "attestation": {"type": "symmetricKey", "symmetricKey": {"primaryKey": "AAAA", "secondaryKey": ""}}}), 400, "the key has 3 bytes")]
#[case::unknown_kind("/enrollments/a", json!({"registrationId": "a", "attestation": {"type": "password"}}), 400, "cannot have the attestation `password`")]
#[case::unknown_hub("/enrollments/a", json!({"registrationId": "a", "attestation": {"type": "symmetricKey"}, "iotHubHostName": "x"}), 400, "the hub \"x\" is none of this service's")]
#[case::tpm_group("/enrollmentGroups/a", json!({"enrollmentGroupId": "a", "attestation": {"type": "tpm", "tpm": {}}}), 400, "cannot have the attestation `tpm`")]
#[case::references("/enrollmentGroups/a", json!({"enrollmentGroupId": "a", "attestation": {"type": "x509", "x509": {"caReferences": {"primary": "b"}}}}), 400, "give `signingCertificates`")]
#[case::bad_group_id("/enrollmentGroups/a b", json!({"enrollmentGroupId": "a b", "attestation": {"type": "symmetricKey"}}), 400, "")]
fn bad_requests(
    #[case] path: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] message: &str,
) {
    let mut owner = Owner::new();
    let answer = owner.put(&path.replace(' ', "%20"), "", &body);
    assert_eq!(answer.status, status, "{}", answer.body);
    let json = answer.json();
    assert!(
        json["message"].as_str().unwrap().contains(message),
        "{json}"
    );
    let path = path.replace(' ', "%20");
    assert_eq!(owner.get(&path).status, 404);
}

#[rstest]
#[case("POST", "/enrollments/a", 405)]
#[case("GET", "/enrollments", 405)]
#[case("PUT", "/registrations/a", 405)]
#[case("GET", "/enrollments/a/b/c", 404)]
fn paths_and_methods(#[case] method: &str, #[case] path: &str, #[case] status: u16) {
    let mut owner = Owner::new();
    assert_eq!(owner.ask(method, path, "", &Value::Null).status, status);
}

#[test]
fn the_service_takes_so_many_operations() {
    let mut config = config();
    config.quotas = Quotas {
        operations: Some("3/60".parse().unwrap()),
        ..Quotas::DOCUMENTED
    };
    let mut owner = Owner::of(config);
    for _ in 0..3 {
        assert_eq!(owner.get("/enrollments/a").status, 404);
    }
    let answer = owner.get("/enrollments/a");
    assert_eq!((answer.status, answer.error_code()), (429, 429_001));
    assert!(answer.head.contains("Retry-After: 60\r\n"));
    owner.world.wait(Duration::from_secs(60));
    assert_eq!(owner.get("/enrollments/a").status, 404);
}
