//! Attestation by a TPM: `swtpm`, where it is installed, is the module; nothing of ours is in it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use az3166_cloud::{Attestation, Authentication, Enrolment, Token, TpmIdentity, VIRTUAL_EPOCH};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use support::{DPS, ID, World};

/// swtpm takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);

const ENDORSEMENT: u32 = 0x4000_000B;
const OWNER: u32 = 0x4000_0001;
const NULL: u32 = 0x4000_0007;
/// An empty password.
const PASSWORD: u32 = 0x4000_0009;

/// The authorisation policy of the TCG's endorsement key template: `PolicySecret(endorsement)`.
const EK_POLICY: &str = "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa";

/// A software TPM.
struct Tpm {
    process: Child,
    socket: UnixStream,
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes(), bytes].concat()
}

/// The first sized buffer, with its size, and the rest.
fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = u16::from_be_bytes([bytes[0], bytes[1]]);
    bytes.split_at(2 + usize::from(length))
}

/// Session handles, each with an empty HMAC.
fn sessions(handles: &[u32]) -> Vec<u8> {
    let one = |handle: &u32| [&handle.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat();
    let area: Vec<u8> = handles.iter().flat_map(one).collect();
    [
        &u32::try_from(area.len()).unwrap().to_be_bytes(),
        area.as_slice(),
    ]
    .concat()
}

fn storage_key(attributes: u32, policy: &[u8]) -> Vec<u8> {
    [
        &[0, 1, 0, 0x0B][..],
        &attributes.to_be_bytes(),
        &sized(policy),
        &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 8, 0, 0, 0, 0, 0],
        &sized(&[0; 256]),
    ]
    .concat()
}

impl Tpm {
    fn start() -> Option<Self> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("swtpm");
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("socket");
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
            .arg("--tpmstate")
            .arg(format!("dir={}", directory.display()))
            .arg("--server")
            .arg(format!("type=unixio,path={}", path.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let start = Instant::now();
        loop {
            if let Ok(socket) = UnixStream::connect(&path) {
                socket.set_read_timeout(Some(DEADLINE)).unwrap();
                return Some(Self { process, socket });
            }
            assert!(start.elapsed() < DEADLINE, "swtpm does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Carries out a command; the response without its header.
    fn run(&mut self, tag: u16, code: u32, body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(10 + body.len()).unwrap();
        let command = [
            &tag.to_be_bytes()[..],
            &size.to_be_bytes(),
            &code.to_be_bytes(),
            body,
        ];
        self.socket.write_all(&command.concat()).unwrap();
        let mut header = [0; 10];
        self.socket.read_exact(&mut header).unwrap();
        let size = u32::from_be_bytes(header[2..6].try_into().unwrap());
        let result = u32::from_be_bytes(header[6..].try_into().unwrap());
        let mut response = vec![0; usize::try_from(size).unwrap() - 10];
        self.socket.read_exact(&mut response).unwrap();
        assert_eq!(result, 0, "command {code:#x} gives {result:#x}");
        response
    }

    /// A command with these handles and sessions; the response from behind its parameters' size.
    fn with(&mut self, code: u32, handles: &[u32], auth: &[u32], rest: &[u8]) -> Vec<u8> {
        let handles: Vec<u8> = handles
            .iter()
            .flat_map(|handle| handle.to_be_bytes())
            .collect();
        let body = [handles.as_slice(), &sessions(auth), rest].concat();
        self.run(0x8002, code, &body)
    }

    /// `TPM2_CreatePrimary`: the handle and the `TPM2B_PUBLIC`.
    fn create(&mut self, hierarchy: u32, template: &[u8]) -> (u32, Vec<u8>) {
        let rest = [&sized(&[0; 4])[..], &sized(template), &[0; 6]].concat();
        let response = self.with(0x131, &[hierarchy], &[PASSWORD], &rest);
        let handle = u32::from_be_bytes(response[..4].try_into().unwrap());
        (handle, cut(&response[8..]).0.to_vec())
    }

    /// Takes a wrapped key in, as SDKs do; its handle.
    fn import(&mut self, endorsement: u32, root: u32, wrapped: &[u8]) -> u32 {
        let (credential, rest) = cut(wrapped);
        let (secret, rest) = cut(rest);
        let (duplicate, rest) = cut(rest);
        let (seed, rest) = cut(rest);
        let (public, rest) = cut(rest);
        assert_eq!(rest, [0, 0]);
        let body = [
            &NULL.to_be_bytes()[..],
            &NULL.to_be_bytes(),
            &sized(&[5; 16]),
            &[0, 0, 1, 0, 0x10, 0, 0x0B],
        ];
        let response = self.run(0x8001, 0x176, &body.concat());
        let session = u32::from_be_bytes(response[..4].try_into().unwrap());
        self.with(0x151, &[ENDORSEMENT, session], &[PASSWORD], &[0; 10]);
        let activate = [credential, secret].concat();
        let sessions = [PASSWORD, session];
        let response = self.with(0x147, &[root, endorsement], &sessions, &activate);
        let inner = cut(&response[4..]).0.to_vec();
        self.run(0x8001, 0x165, &session.to_be_bytes()).clear();
        let import = [
            &inner[..],
            public,
            duplicate,
            seed,
            &[0, 6, 0, 128, 0, 0x43],
        ]
        .concat();
        let response = self.with(0x156, &[root], &[PASSWORD], &import);
        let private = cut(&response[4..]).0.to_vec();
        let load = [&private[..], public].concat();
        let response = self.with(0x157, &[root], &[PASSWORD], &load);
        u32::from_be_bytes(response[..4].try_into().unwrap())
    }

    fn hmac(&mut self, key: u32, message: &str) -> Vec<u8> {
        let rest = [&sized(message.as_bytes())[..], &[0, 0x0B]].concat();
        let response = self.with(0x155, &[key], &[PASSWORD], &rest);
        cut(&response[4..]).0[2..].to_vec()
    }

    fn token(&mut self, key: u32, resource: &str) -> String {
        let expiry = VIRTUAL_EPOCH.as_secs() + 60;
        let signature = STANDARD.encode(self.hmac(key, &format!("{resource}\n{expiry}")));
        let signature = signature.replace('+', "%2B");
        format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn=registration")
    }
}

#[test]
fn a_module_opens_its_challenge_and_its_hub_key() {
    let Some(mut tpm) = Tpm::start() else {
        eprintln!("skipped: swtpm is not installed");
        return;
    };
    let policy = hex::decode(EK_POLICY).unwrap();
    let (ek, endorsement_key) = tpm.create(ENDORSEMENT, &storage_key(0x0003_00B2, &policy));
    let (srk, storage_root_key) = tpm.create(OWNER, &storage_key(0x0003_0472, &[]));

    let mut world = World::new();
    let identity = TpmIdentity {
        endorsement_key: endorsement_key.clone(),
        storage_root_key: None,
    };
    world
        .cloud
        .enrol(Enrolment::new(ID, Attestation::Tpm(identity)))
        .unwrap();
    let mut client = world.connect(DPS, 443, None);
    let path = format!("/0ne00000000/registrations/{ID}/register?api-version=2021-06-01");
    let body = json!({
        "registrationId": ID,
        "tpm": {
            "endorsementKey": STANDARD.encode(&endorsement_key),
            "storageRootKey": STANDARD.encode(&storage_root_key),
        },
    });
    let body = body.to_string();
    let challenge = world.http_with(&mut client, ("PUT", &path), "", &body);
    assert_eq!(challenge.status, 401, "{}", challenge.body);
    let wrapped = |json: &serde_json::Value| STANDARD.decode(json.as_str().unwrap()).unwrap();
    let challenge = challenge.json();
    assert!(challenge["status"].is_null());
    let nonce = tpm.import(ek, srk, &wrapped(&challenge["authenticationKey"]));

    let resource = format!("0ne00000000/registrations/{ID}");
    let fields = format!("Authorization: {}\r\n", tpm.token(nonce, &resource));
    let begun = world.http_with(&mut client, ("PUT", &path), &fields, &body);
    assert_eq!(begun.status, 202, "{}", begun.body);
    world.wait(Duration::from_secs(4));
    let path = format!(
        "/0ne00000000/registrations/{ID}/operations/{}?api-version=2021-06-01",
        begun.operation_id()
    );
    let assigned = world
        .http_with(&mut client, ("GET", &path), &fields, "")
        .json();
    let state = &assigned["registrationState"];
    assert_eq!(state["status"], "assigned", "{assigned}");
    tpm.run(0x8001, 0x165, &nonce.to_be_bytes());
    let key = tpm.import(ek, srk, &wrapped(&state["tpm"]["authenticationKey"]));
    let token = Token::parse(&tpm.token(key, "the-hub/devices/a")).unwrap();
    let device = world.cloud.devices().next().unwrap();
    let Authentication::Sas(keys) = &device.authentication else {
        panic!("{:?}", device.authentication);
    };
    assert!(token.is_signed_by(&keys.primary));
    assert!(!token.is_signed_by(&keys.secondary));
}

#[test]
fn who_has_no_enrolled_module_gets_no_challenge() {
    let mut world = World::new();
    let identity = TpmIdentity {
        endorsement_key: vec![1, 2, 3],
        storage_root_key: None,
    };
    world
        .cloud
        .enrol(Enrolment::new(ID, Attestation::Tpm(identity)))
        .unwrap();
    let mut client = world.connect(DPS, 443, None);
    let path = format!("/0ne00000000/registrations/{ID}/register?api-version=2021-06-01");
    let mut ask = |key: &str, root: &str| {
        let body = json!({"tpm": {"endorsementKey": key, "storageRootKey": root}});
        world
            .http_with(&mut client, ("PUT", &path), "", &body.to_string())
            .error_code()
    };
    assert_eq!(ask("AAAA", "AAAA"), 401_000);
    assert_eq!(ask("AQID", "AAAA"), 400_000);
    assert_eq!(ask("*", "AAAA"), 400_000);
    let answer = world.register(&mut client, ID);
    assert_eq!((answer.status, answer.error_code()), (401, 401_000));
}
