//! Bodies of fuzz targets for the interfaces that owners of the services use.

use az3166_event::VirtualTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::Sha256;

use super::provisioning;
use crate::behaviour::Behaviour;
use crate::clock::{Epoch, VIRTUAL_EPOCH};
use crate::device_api::DeviceApi;
use crate::http::{Request, RequestReader};
use crate::hub::{self, Hubs, Shown};
use crate::percent;
use crate::registry_api::{RegistryApi, Reply};
use crate::retention::Retention;
use crate::sas::{AccessPolicy, SymmetricKey, SymmetricKeys};
use crate::service_api::ServiceApi;
use crate::state::{Change, Item};
use crate::websocket;

const SERVICE: &str = "global.azure-devices-provisioning.net";
const HUB: &str = "hil-hub.azure-devices.net";

/// What an owner of the provisioning service can do.
const SERVICE_OPERATIONS: [(&str, &str); 11] = [
    ("PUT", "/enrollments/a"),
    ("PUT", "/enrollmentGroups/a"),
    ("POST", "/enrollments"),
    ("POST", "/enrollmentGroups/"),
    ("POST", "/enrollments/query"),
    ("POST", "/enrollmentGroups/query"),
    ("POST", "/registrations/a/query"),
    ("POST", "/enrollments/a/attestationmechanism"),
    ("GET", "/enrollments/a"),
    ("DELETE", "/enrollments/a"),
    ("POST", "/certificates/a"),
];

/// What an owner of a hub can do.
const HUB_OPERATIONS: [(&str, &str); 10] = [
    ("PUT", "/devices/a"),
    ("PUT", "/devices/b"),
    ("PATCH", "/twins/a"),
    ("PUT", "/twins/a"),
    ("GET", "/twins/a"),
    ("POST", "/devices/query"),
    ("POST", "/twins/a/methods"),
    ("POST", "/devices/a/messages/deviceBound"),
    ("DELETE", "/devices/a"),
    ("GET", "/devices"),
];

/// The body of a request of the provisioning service's owner; the first byte chooses which one.
/// Whatever it is, the fault is the client's, and what changed can be written down.
pub fn fuzz_service_api(data: &[u8]) {
    let (Some((&which, body)), Some(policy)) = (data.split_first(), policy()) else {
        return;
    };
    let behaviour = Behaviour::default();
    let mut provisioning = provisioning();
    let mut entropy = ChaCha20Rng::from_seed([0; 32]);
    let mut api = ServiceApi {
        device_api: DeviceApi {
            provisioning: &mut provisioning,
            behaviour: &behaviour,
            epoch: Epoch(VIRTUAL_EPOCH),
            entropy: &mut entropy,
            host: SERVICE,
        },
        policy: Some(&policy),
    };
    let request = request(SERVICE_OPERATIONS, which, SERVICE, body);
    let answer = api.answer(VirtualTime::ZERO, &request);
    assert!((200..500).contains(&answer.response.status) && answer.response.status != 401);
    for change in provisioning.take_changes() {
        let again = Change::from_line(&change.expose_line());
        assert_eq!(again.as_ref(), Ok(&change));
    }
}

/// The body of a request of a hub's owner, in the same way.
pub fn fuzz_registry(data: &[u8]) {
    let (Some((&which, body)), Some(policy)) = (data.split_first(), policy()) else {
        return;
    };
    let mut hubs = hubs();
    let known = request(HUB_OPERATIONS, 0, HUB, br#"{"deviceId":"a"}"#);
    for (request, is_known) in [
        (known, true),
        (request(HUB_OPERATIONS, which, HUB, body), false),
    ] {
        let mut entropy = ChaCha20Rng::from_seed([0; 32]);
        if let Reply::Now(answer, _) =
            registry(&mut hubs, &mut entropy, Some(&policy)).answer(VirtualTime::ZERO, &request)
        {
            let status = answer.response.status;
            assert!((200..500).contains(&status) && status != 401);
            assert!(status == 200 || !is_known);
        }
    }
    for (_, record) in hubs.take_changes() {
        if let Some(record) = record {
            let change = Change::Put(Box::new(Item::Device(record)));
            let again = Change::from_line(&change.expose_line());
            assert_eq!(again.as_ref(), Ok(&change));
        }
    }
}

/// A stream of HTTP requests to a hub, from somebody who proved nothing.
pub fn fuzz_hub_http(data: &[u8]) {
    let mut reader = RequestReader::default();
    let mut hubs = hubs();
    let mut entropy = ChaCha20Rng::from_seed([0; 32]);
    reader.push(data);
    while let Ok(Some(request)) = reader.next(|_| 256 * 1024) {
        if websocket::is_requested(&request) {
            if let Err(error) = websocket::accept(&request) {
                assert!((400..500).contains(&error.status()));
            }
            return;
        }
        let mut api = registry(&mut hubs, &mut entropy, None);
        if let Reply::Now(answer, _) = api.answer(VirtualTime::ZERO, &request) {
            assert!((400..500).contains(&answer.response.status));
        }
    }
}

fn registry<'a>(
    hubs: &'a mut Hubs,
    entropy: &'a mut ChaCha20Rng,
    policy: Option<&'a AccessPolicy>,
) -> RegistryApi<'a, ChaCha20Rng> {
    RegistryApi {
        hubs,
        policy,
        epoch: Epoch(VIRTUAL_EPOCH),
        entropy,
        hub: HUB,
        connection: 1,
        shown: Shown {
            certificate: None,
            token: None,
        },
    }
}

fn hubs() -> Hubs {
    Hubs::new(hub::Settings {
        epoch: Epoch(VIRTUAL_EPOCH),
        retention: Retention::SERVICE,
        policy: None,
    })
}

const KEY: [u8; 32] = [7; 32];
const POLICY: &str = "owner";

fn policy() -> Option<AccessPolicy> {
    let key = SymmetricKey::new(KEY.to_vec()).ok()?;
    Some(AccessPolicy {
        name: POLICY.to_owned(),
        keys: SymmetricKeys {
            primary: key.clone(),
            secondary: key,
        },
    })
}

/// The request that `which` chooses, with a good token for `host`.
fn request<const N: usize>(
    operations: [(&str, &str); N],
    which: u8,
    host: &str,
    body: &[u8],
) -> Request {
    let (method, path) = operations[usize::from(which) % N];
    let expiry = VIRTUAL_EPOCH.as_secs() + 3600;
    let mut signature = Vec::new();
    if let Ok(mut code) = Hmac::<Sha256>::new_from_slice(&KEY) {
        code.update(format!("{host}\n{expiry}").as_bytes());
        signature = code.finalize().into_bytes().to_vec();
    }
    let signature = STANDARD.encode(signature);
    let signature = percent::encoded(&signature);
    let token = format!("SharedAccessSignature sr={host}&sig={signature}&se={expiry}&skn={POLICY}");
    let headers = [
        ("Content-Type", "application/json"),
        ("Authorization", &token),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let query = "api-version=2021-10-01".to_owned();
    Request::new(
        method,
        path.to_owned(),
        query,
        headers.to_vec(),
        body.to_vec(),
    )
}
